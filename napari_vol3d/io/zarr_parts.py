"""Zarr folders that hold several images: plates of wells, what bioformats2raw writes, groups of several multiscales."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.parts import Part, choose
from napari_vol3d.io.zarr_store import AGAIN, attributes_of, damage, inner, is_node

log = logging.getLogger(__name__)

LAYOUT = "bioformats2raw.layout"
IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One image.

    Attributes
    ----------
    folder : Path
        The group that describes it.
    attributes : dict
        All of the group's.
    index : int
        Which of the group's multiscales.
    """

    folder: Path
    attributes: dict[str, Any]
    index: int = 0

    @property
    def metadata(self) -> dict[str, Any]:
        """OME's part of the attributes."""
        return ome_of(self.attributes)

    @property
    def image(self) -> dict[str, Any]:
        """The multiscale."""
        return dict(self.metadata["multiscales"][self.index])


def find_image(path: Path, part: str | None) -> Found:
    """Give the image in a group, or the wanted one of several.

    Raises
    ------
    SeveralParts
        If there are several and none is wanted.
    FileProblem
        If there is none, or what the metadata name is missing.
    """
    attributes = attributes_of(path)
    with damage(path):
        metadata = ome_of(attributes)
        if "multiscales" in metadata:
            return _of_group(path, attributes, part)
        if "plate" in metadata:
            parts = _of_plate(path, metadata["plate"])
        elif "well" in metadata:
            parts = _of_well(path, metadata["well"], "")
        elif LAYOUT in metadata or LAYOUT in attributes:
            parts = _of_series(path)
        else:
            raise _no_image(path)
        if not parts:
            raise _no_image(path)
        key = choose(path, parts, part).key
        folder = inner(path, key, "image")
        inside = attributes_of(folder)
        if "multiscales" not in ome_of(inside):
            raise _no_image(folder)
        return _of_group(folder, inside, None)


def ome_of(attributes: dict[str, Any]) -> dict[str, Any]:
    """Give OME's part of a group's attributes: all of them until 0.4."""
    return dict(attributes.get("ome", attributes))


def _of_group(path: Path, attributes: dict[str, Any], part: str | None) -> Found:
    images = ome_of(attributes)["multiscales"]
    if not images:
        raise ValueError("its metadata lists no image")
    names = [str(image.get("name") or "without a name") for image in images]
    parts = [Part(key=f"{IMAGE} {i + 1}", title=name) for i, name in enumerate(names)]
    index = 0 if len(parts) == 1 and part is None else parts.index(choose(path, parts, part))
    return Found(folder=path, attributes=attributes, index=index)


def _of_plate(path: Path, plate: dict[str, Any]) -> list[Part]:
    parts: list[Part] = []
    for well in plate["wells"]:
        name = str(well["path"])
        if not is_node(path / name):  # plates may be copied in parts
            log.warning("%s: well %s is not there", path.name, name)
            continue
        folder = inner(path, name, "image")
        parts += _of_well(folder, ome_of(attributes_of(folder))["well"], f"{name}/")
    return parts


def _of_well(path: Path, well: dict[str, Any], prefix: str) -> list[Part]:
    title = f"well {prefix.replace('/', '')}" if prefix else "well"
    return [
        Part(key=f"{prefix}{image['path']}", title=f"{title}, field {image['path']}")
        for image in well["images"]
        if is_node(inner(path, str(image["path"]), "image"))
    ]


def _of_series(path: Path) -> list[Part]:
    """List the images as the group "OME" does, else those in folders named by numbers from 0 on."""
    listed = ome_of(attributes_of(path / "OME")).get("series") if is_node(path / "OME") else None
    numbers = sorted((one.name for one in path.iterdir() if one.name.isdigit() and is_node(one)), key=int)
    keys = [str(key) for key in listed or numbers]
    return [Part(key=key, title=_title(inner(path, key, "image"))) for key in keys]


def _title(folder: Path) -> str:
    images = ome_of(attributes_of(folder)).get("multiscales") or [{}]
    return str(images[0].get("name") or f"image {folder.name}")


def _no_image(path: Path) -> FileProblem:
    inside = sorted(one.name for one in path.iterdir() if is_node(one))
    hint = f"Open one of the folders in it: {', '.join(inside[:5])}." if inside else AGAIN
    return FileProblem(f"No image in {path.name}: its metadata names none.", hint=hint)
