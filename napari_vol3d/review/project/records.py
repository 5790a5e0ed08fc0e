"""What a project's rows say: a case, a reading of it, a prediction, an accepted version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from napari_vol3d.review.project.from_file import mapping_of, shape_of, sound_row
from napari_vol3d.review.project.tables import acts, cases, predictions, readings, versions
from napari_vol3d.review.records import new_token, utc_now

Status = Literal["todo", "predicted", "in review", "accepted", "flagged", "rejected"]
STATUSES: tuple[Status, ...] = get_args(Status)
DONE: frozenset[Status] = frozenset({"accepted", "rejected"})  # nothing is left to do


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """One image of a case.

    Attributes
    ----------
    path : str
        Relative to the project's folder, with "/": the folder can move.
    role : str
        "T1", "FLAIR", "channel 2"; "" where nobody said.
    """

    path: str
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A row of the worklist: images of one subject, on the grid of the first.

    Attributes
    ----------
    code : str
        Its name in reports and exports, which tells nobody who it is.
    name : str
        Its name on the screen: of the file, or "sub-01 ses-02".
    prior : str or None
        Labels that are there already and are to be corrected; relative, as an image's path.
    """

    name: str
    code: str
    images: tuple[ImageRef, ...]
    subject: str = ""
    session: str = ""
    prior: str | None = None
    position: int = 0
    key: str = field(default_factory=new_token)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `cases`."""
        plain = ("key", "position", "code", "name", "subject", "session", "prior")
        images = json.dumps([[image.path, image.role] for image in self.images])
        return {name: getattr(self, name) for name in plain} | {"images": images}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Case:
        """Read a row.

        Raises
        ------
        JournalDamaged
            If it makes no sense; so in the other records.
        """
        with sound_row("a case", cases, row):
            images = tuple(ImageRef(path=str(path), role=str(role)) for path, role in json.loads(row["images"]))
            if not images:
                raise ValueError("no image")
            return cls(**{**row, "images": images})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one reader does with a case; its corrections are those of the layer with the same key in the journal.

    Attributes
    ----------
    case : str
        Key of the case.
    reader : str
        "" for the worklist that everybody works on; else who was asked for a reading of their own.
    repeat : int
        0; 1 and on: the same reader once more.
    blind : bool
        The reader sees no score, status, prediction or other reading.
    seconds : float
        Of activity.
    place : mapping
        Where the reader left: slice, zoom, tool; as the screen says it.
    version : str or None
        Key of the version that is accepted now.
    """

    case: str
    reader: str = ""
    repeat: int = 0
    blind: bool = False
    position: int = 0
    status: Status = "todo"
    annotator: str = ""
    seconds: float = 0.0
    note: str = ""
    place: Mapping[str, Any] = field(default_factory=dict, hash=False)
    version: str | None = None
    key: str = field(default_factory=new_token)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `readings`."""
        names = ("key", "reader", "repeat", "position", "status", "annotator", "seconds", "note", "version")
        values = {name: getattr(self, name) for name in names}
        return values | {"case_key": self.case, "blind": int(self.blind), "place": json.dumps(dict(self.place))}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Reading:
        """Read a row."""
        with sound_row("a reading", readings, row):
            values = {**row, "blind": bool(row["blind"]), "case": row["case_key"]}
            values["place"] = mapping_of(row["place"])
            del values["case_key"]
            if row["status"] not in STATUSES:
                raise ValueError(row["status"])
            return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """A prediction that was made for a case, without its voxels.

    Attributes
    ----------
    score : float or None
        0: looks sound; 1: deserves the first look.
    places : tuple of mapping
        `core.suspicion.Place.plain()`, the most suspicious first.
    sha256 : str
        Of the labels' bytes, C order, little endian.
    """

    case: str
    model: str
    model_sha256: str
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    score: float | None = None
    places: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    seconds: float = 0.0
    shape: tuple[int, ...] = ()
    dtype: str = "uint8"
    sha256: str = ""
    time: str = field(default_factory=utc_now)
    key: str = field(default_factory=new_token)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `predictions`, but for the voxels."""
        names = ("key", "time", "model", "model_sha256", "score", "seconds", "dtype", "sha256")
        values = {name: getattr(self, name) for name in names} | {"case_key": self.case}
        return values | _as_json(settings=dict(self.settings), places=[*map(dict, self.places)], shape=self.shape)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Foreseen:
        """Read a row."""
        with sound_row("a prediction", predictions, row):
            places = tuple(dict(place) for place in json.loads(row["places"]))
            values = {**row, "case": row["case_key"], "places": places, "shape": shape_of(row["shape"])}
            values["settings"] = mapping_of(row["settings"])
            del values["case_key"]
            return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Labels that were accepted, without their voxels; nothing of it is ever changed.

    Attributes
    ----------
    reading : str
        Key of the reading.
    number : int
        1, 2, 3 ... of its reading.
    parent : str or None
        Key of the version that it came from.
    cursor : str or None
        The last step of the history in the journal that is done in it; None: there is none.
    prediction : str or None
        Key of the prediction that the reader started from.
    who : str
    seconds : float
        Of activity since the parent.
    changed : mapping of str to tuple of int
        Voxels by class id that were added and taken away, against what the reader started from.
    """

    reading: str
    number: int
    who: str
    parent: str | None = None
    cursor: str | None = None
    prediction: str | None = None
    seconds: float = 0.0
    model: str = ""
    model_sha256: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    changed: Mapping[str, tuple[int, int]] = field(default_factory=dict, hash=False)
    shape: tuple[int, ...] = ()
    dtype: str = "uint8"
    sha256: str = ""
    time: str = field(default_factory=utc_now)
    key: str = field(default_factory=new_token)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `versions`, but for the voxels."""
        names = (
            "key", "number", "parent", "cursor", "prediction", "time", "who", "seconds", "model", "model_sha256",
            "dtype", "sha256",
        )  # fmt: skip
        values = {name: getattr(self, name) for name in names} | {"reading_key": self.reading}
        return values | _as_json(settings=dict(self.settings), changed=dict(self.changed), shape=self.shape)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Version:
        """Read a row."""
        with sound_row("a version", versions, row):
            counts = json.loads(row["changed"]).items()
            changed = {str(int(i)): (int(added), int(taken)) for i, (added, taken) in counts}
            values = {**row, "reading": row["reading_key"], "changed": changed, "shape": shape_of(row["shape"])}
            values["settings"] = mapping_of(row["settings"])
            if datetime.fromisoformat(row["time"]).tzinfo is None:
                raise ValueError(row["time"])
            del values["reading_key"]
            return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something that a person did to the project; acts are added and never changed."""

    act: str
    who: str
    reading: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    time: str = field(default_factory=utc_now)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `acts`."""
        values = {name: getattr(self, name) for name in ("act", "who", "time")}
        return values | {"reading_key": self.reading, "details": json.dumps(dict(self.details))}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Act:
        """Read a row; its number is not in the act."""
        with sound_row("an act", acts, row):
            plain = {name: row[name] for name in ("act", "who", "time")}
            return cls(**plain, reading=row["reading_key"], details=mapping_of(row["details"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the worklist as one reader sees it.

    Attributes
    ----------
    score : float or None
        Of the newest prediction; None where there is none, or the reader is blind.
    """

    case: Case
    reading: Reading
    score: float | None = None


def _as_json(**values: Any) -> dict[str, str]:
    return {name: json.dumps(value) for name, value in values.items()}
