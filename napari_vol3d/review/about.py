"""What a journal keeps of a label layer so that it can be shown again where its own file is gone or never was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, StoredGrid, Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class About:
    """What `records.Layer.about` says.

    Attributes
    ----------
    source : Path or None
        The file or folder of the scan.
    geometry : Geometry or None
        Where the labels lie, without the header of the file; None where nobody said.
    classes : tuple of LabelClass
        With the names and colours that the person gave them.
    model : str
        Digest of the model that predicted them; "" where none did.
    timed : bool
        Whether the labels are (T, Z, Y, X).
    """

    source: Path | None = None
    geometry: Geometry | None = None
    classes: tuple[LabelClass, ...] = ()
    model: str = ""
    timed: bool = False

    @classmethod
    def of(cls, labels: Volume, *, model: str = "") -> About:
        """Take it from a label volume whose source is the scan."""
        return cls(
            source=labels.source, geometry=labels.geometry, classes=labels.classes, model=model, timed=labels.timed
        )

    @classmethod
    def read(cls, about: Mapping[str, Any]) -> About:
        """Take it from a journal; what is not said there is as by default, what only later versions know is left."""
        return cls(
            source=Path(about["source"]) if about.get("source") else None,
            geometry=_geometry(about["geometry"]) if about.get("geometry") else None,
            classes=tuple(LabelClass(id=c["id"], name=c["name"], color=c["color"]) for c in about.get("classes", ())),
            model=about.get("model", ""),
            timed=about.get("timed", False),
        )

    def plain(self) -> dict[str, Any]:
        """Give it in words that JSON knows."""
        return {
            "source": None if self.source is None else str(self.source.absolute()),
            "geometry": None if self.geometry is None else _plain(self.geometry),
            "classes": [{"id": int(c.id), "name": c.name, "color": c.color} for c in self.classes],
            "model": self.model,
            "timed": self.timed,
        }


def _plain(geometry: Geometry) -> dict[str, Any]:
    stored = geometry.stored
    return {
        "affine": np.asarray(geometry.affine, np.float64).tolist(), "unit": geometry.unit,
        "anatomical": geometry.anatomical, "axes": [*stored.axes], "flips": [bool(flip) for flip in stored.flips],
    }  # fmt: skip


def _geometry(plain: Mapping[str, Any]) -> Geometry:
    axes, flips = plain.get("axes", (0, 1, 2)), plain.get("flips", (False, False, False))
    return Geometry(
        affine=np.array(plain["affine"], np.float64), unit=plain["unit"], anatomical=plain["anatomical"],
        stored=StoredGrid(axes=tuple(axes), flips=tuple(flips)),
    )  # fmt: skip
