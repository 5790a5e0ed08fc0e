"""What a journal's rows say: a label layer, and what happened to it."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.review.coding import edit_dtype, pack, pack_array, unpack, unpack_array
from napari_vol3d.review.schema import JournalDamaged

# edit: voxels changed. move: undo, redo, a jump. mark: see `journal.MarkName`. base: the labels that edits start from.
# lost: could not be read when a damaged journal was recovered.
Kind = Literal["edit", "move", "mark", "base", "lost"]


def utc_now() -> str:
    """Give the time in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_token() -> str:
    """Give a name that no other event or layer has."""
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A label volume that has a history.

    Attributes
    ----------
    scan : str
        sha256 of the scan that it labels.
    shape : tuple of int
        (Z, Y, X) or (T, Z, Y, X).
    dtype : str
        NumPy's name of the type when the history began.
    key : str
        Its own: two layers of one scan have two histories.
    about : mapping
        What it takes to show it again without its file, as `about.About` says it; only what JSON knows.
    """

    scan: str
    name: str
    shape: tuple[int, ...]
    dtype: str
    key: str = field(default_factory=new_token)
    time: str = field(default_factory=utc_now)
    about: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(
        cls, labels: NDArray[Any], *, scan: str, name: str, about: Mapping[str, Any] | None = None
    ) -> Layer:  # fmt: skip
        """Describe an array of labels."""
        shape = tuple(int(n) for n in labels.shape)
        return cls(scan=scan, name=name, shape=shape, dtype=labels.dtype.name, about=about or {})

    @property
    def checksum(self) -> int:
        """Of all that it says; where it says nothing about itself, as before version 3."""
        more = [self._about()] if self.about else []
        return _crc(self.key, self.scan, self.name, list(self.shape), self.dtype, self.time, *more)

    def row(self) -> dict[str, Any]:
        """Give it as a row of the table `layers`."""
        texts = {name: getattr(self, name) for name in ("key", "scan", "name", "dtype", "time")}
        return {**texts, "shape": json.dumps(self.shape), "checksum": self.checksum, "about": self._about()}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Layer:
        """Read a row, and check it.

        Raises
        ------
        JournalDamaged
            If it does not fit its checksum.
        """
        texts = {name: row[name] for name in ("key", "scan", "name", "dtype", "time")}
        try:
            about = dict(json.loads(row.get("about", "{}")))  # a damaged file of version 2 is read as it is
            layer = cls(**texts, shape=tuple(json.loads(row["shape"])), about=about)
        except (TypeError, ValueError) as error:
            raise _damaged("a layer") from error
        if layer.checksum != row["checksum"]:
            raise _damaged(f"the layer {layer.name!r}")
        return layer

    def _about(self) -> str:
        return json.dumps(self.about, sort_keys=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a layer; events are added and never changed.

    Attributes
    ----------
    layer : str
        Key of the layer.
    kind : str
        "edit", "move", "mark", "base" or "lost".
    token : str
        Its own name, the same in each file that holds it.
    parent : str or None
        Of an edit: the edit that it was made upon; None where that is the base.
    cursor : str or None
        The edit up to which all is done after this event; None: nothing is.
    name : str
        Of an edit as people call it; of a mark "saved", "accepted" or "discarded".
    box, frame, dtype, payload
        Of an edit, or of a base without a box; without the payload where that was not asked for.
    time : str
        ISO 8601, UTC.
    file, sha256 : str or None
        Of a mark: where the labels were saved, and what the file holds.
    """

    layer: str
    kind: Kind
    token: str = field(default_factory=new_token)
    parent: str | None = None
    cursor: str | None = None
    name: str = ""
    frame: int = 0
    box: Box | None = None
    dtype: str | None = None
    time: str = field(default_factory=utc_now)
    who: str = ""
    file: str | None = None
    sha256: str | None = None
    payload_crc: int = 0
    payload: bytes | None = field(default=None, repr=False)

    def checksum(self, number: int) -> int:
        """Sum up all that it says, and its place; the payload has one of its own: a list need not read voxels."""
        return _crc(number, *self._fields().values())

    def row(self, number: int) -> dict[str, Any]:
        """Give it as a row of the table `events`, the `number`th of its layer."""
        return {**self._fields(), "number": number, "checksum": self.checksum(number), "payload": self.payload}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Event:
        """Read a row, with or without its payload, and check it.

        Raises
        ------
        JournalDamaged
            If it does not fit its checksums.
        """
        values = {name: row[name] for name in FIELDS if name != "box"}
        payload = row.get("payload")
        try:
            event = cls(**values, box=_box(row["box"]), payload=payload)
            whole = event.checksum(row["number"]) == row["checksum"]
        except (TypeError, ValueError) as error:
            raise _damaged("an entry") from error
        if not whole or ("payload" in row and zlib.crc32(payload or b"") != event.payload_crc):
            raise _damaged(f"the entry {event.name!r}")
        return event

    def edit(self) -> Edit:
        """Give the change of voxels.

        Raises
        ------
        JournalDamaged
            If the bytes do not say one.
        """
        if self.box is None or self.payload is None or self.dtype is None:
            raise _damaged(f"the entry {self.name!r}")
        try:
            return unpack(self.payload, self.box, dtype=np.dtype(self.dtype), name=self.name, frame=self.frame)
        except ValueError as error:
            raise _damaged(f"the entry {self.name!r}") from error

    def base(self, shape: tuple[int, ...]) -> NDArray[Any]:
        """Give the labels that a base holds."""
        return unpack_array(self.payload or b"", shape, np.dtype(self.dtype))

    def _fields(self) -> dict[str, Any]:
        box = None if self.box is None else json.dumps([self.box.start, self.box.stop])
        return {name: getattr(self, name) for name in FIELDS} | {"box": box}


FIELDS = (
    "layer", "kind", "token", "parent", "cursor", "name", "frame", "box", "dtype", "time", "who", "file", "sha256",
    "payload_crc",
)  # fmt: skip


def edit_event(layer: str, edit: Edit, *, parent: str | None, token: str, who: str = "") -> Event:
    """Say that voxels changed."""
    payload = pack(edit)
    return Event(
        layer=layer, kind="edit", token=token, parent=parent, cursor=token, name=edit.name, frame=edit.frame,
        box=edit.box, dtype=edit_dtype(edit).name, who=who, payload=payload, payload_crc=zlib.crc32(payload),
    )  # fmt: skip


def base_event(layer: str, labels: NDArray[Any], *, token: str, who: str = "") -> Event:
    """Say what the labels were before the first edit."""
    payload = pack_array(labels)
    return Event(
        layer=layer, kind="base", token=token, dtype=labels.dtype.name, who=who, payload=payload,
        payload_crc=zlib.crc32(payload),
    )  # fmt: skip


def _box(text: str | None) -> Box | None:
    if text is None:
        return None
    start, stop = json.loads(text)
    return Box(start=tuple(start), stop=tuple(stop))


def _crc(*values: Any) -> int:
    return zlib.crc32(json.dumps(values).encode())


def _damaged(what: str) -> JournalDamaged:
    return JournalDamaged(f"The journal is damaged: {what} can't be read.", hint="Open it again to recover it.")
