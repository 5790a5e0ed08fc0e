"""A journal: the corrections of label layers in one SQLite file, only ever added to.

    journal = Journal.open(folder / "corrections.journal")
    layer = journal.add_layer(Layer.of(labels, scan=sha256, name="hippocampus"), base=labels)
    journal.append(layer, edit)
    journal.undo(layer)

Undo and redo are rows too, so what a person did can be followed to any moment. All calls wait for the disk: in a
window, reading belongs into a worker and writing to `writer.Writer`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, func, insert, select, update

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import FileProblem, Vol3dError
from napari_vol3d.review import damage, schema
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event, Layer, base_event, edit_event, new_token, utc_now
from napari_vol3d.review.schema import JournalDamaged, events, layers

PLAIN = [column for column in events.columns if column.name not in ("id", "payload")]
AT_ONCE = 64  # edits read in one query, and tokens asked for
MarkName = Literal["saved", "accepted", "discarded"]  # discarded: a person said no to recovering


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsaved:
    """A layer whose corrections were not saved, accepted or discarded.

    Attributes
    ----------
    edits : int
        By how many edits it differs from what was saved last.
    time : str
        Of the last thing that happened to it; ISO 8601, UTC.
    """

    layer: Layer
    edits: int
    time: str


class Journal:
    """Corrections in a file; the constructor touches nothing, `open` proves the file whole.

    Attributes
    ----------
    path : Path
    recovery : damage.Recovery or None
        What was done if the file was damaged; its `words` are one sentence for the person.
    opened : bool
        Whether the file was proved.
    engine : sqlalchemy.Engine
        For `lock`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recovery: damage.Recovery | None = None
        self.opened = False
        self.engine = schema.make_engine(path)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a journal, or make one; a damaged one is kept beside and what can be read goes on in a new file.

        Raises
        ------
        FileProblem
            If the file is not a journal, or a newer version's.
        JournalProblem
            If it can't be read or written just now.
        """
        journal = cls(path)
        journal.prove()
        return journal

    def prove(self) -> None:
        """Do what `open` does, once."""
        if self.opened:
            return
        with schema.told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            schema.prepare(self.path, utc_now())
            damage.check(self.path)
        except JournalDamaged:
            self.recovery = damage.recover(self.path)
        self.opened = True

    # ---- layers -----------------------------------------------------------------------------------------------------

    def layers(self) -> tuple[Layer, ...]:
        """Give all layers, oldest first."""
        with schema.reading(self.engine, self.path) as connection:
            rows = connection.execute(select(layers).order_by(layers.c.time)).mappings().all()
        return tuple(Layer.from_row(dict(row)) for row in rows)

    def layers_of(self, scan: str) -> tuple[Layer, ...]:
        """Give the layers of the scan with this sha256, oldest first."""
        return tuple(layer for layer in self.layers() if layer.scan == scan)

    def add_layer(self, layer: Layer, *, base: NDArray[Any] | None = None) -> Layer:
        """Begin a history; without a base, whoever replays it must bring the labels it starts from."""
        if base is not None and base.shape != layer.shape:
            raise ValueError(f"labels of shape {layer.shape} were expected; received {base.shape}")
        self.add(layer, [] if base is None else [base_event(layer.key, base, token=new_token())])
        return layer

    # ---- adding -----------------------------------------------------------------------------------------------------

    def add(self, layer: Layer, new: Sequence[Event]) -> int:
        """Add events in this order, all or none, durable on return; those that it holds already are left out.

        Returns
        -------
        int
            The number of the layer's last event.

        Raises
        ------
        JournalProblem, JournalDamaged
            Then none of them is in the file, but for the rare case that the answer was lost and not the data; adding
            them again is harmless.
        """
        with schema.writing(self.engine, self.path) as connection:
            _add_layer(connection, layer)
            known = _known(connection, [event.token for event in new])
            last = _last(connection, layer.key)
            fresh = [event for event in new if event.token not in known]
            rows = [event.row(number) for number, event in enumerate(fresh, start=last + 1)]
            if rows:
                connection.execute(insert(events), rows)
            return last + len(rows)

    def append(self, layer: Layer, edit: Edit, *, who: str = "") -> str:
        """Add an edit behind the cursor, and give its token; what could have been done again is left as a branch."""
        event = edit_event(layer.key, edit, parent=self.line(layer).cursor, token=new_token(), who=who)
        self.add(layer, [event])
        return event.token

    def move(self, layer: Layer, token: str | None, *, who: str = "") -> None:
        """Move the cursor to any edit, or (None) before the first.

        Raises
        ------
        Vol3dError
            If the layer has no such edit.
        """
        if token is not None and token not in self.line(layer).edits:
            raise Vol3dError("That step is not in the history of these labels.", hint="Choose another one.")
        self.add(layer, [Event(layer=layer.key, kind="move", cursor=token, who=who)])

    def undo(self, layer: Layer, *, who: str = "") -> bool:
        """Move the cursor one edit back; False where none is done."""
        line = self.line(layer)
        if line.at:
            self.move(layer, line.before, who=who)
        return bool(line.at)

    def redo(self, layer: Layer, *, who: str = "") -> bool:
        """Move the cursor one edit on; False where there is none."""
        ahead = self.line(layer).ahead
        if ahead:
            self.move(layer, ahead[0].token, who=who)
        return bool(ahead)

    def mark(self, layer: Layer, name: MarkName, *, file: str = "", sha256: str = "", who: str = "") -> None:
        """Say that the labels as they are were saved to a file (with this sha256), accepted, or are not wanted."""
        cursor = self.line(layer).cursor
        self.add(
            layer, [Event(layer=layer.key, kind="mark", cursor=cursor, name=name, file=file, sha256=sha256, who=who)]
        )

    # ---- reading ----------------------------------------------------------------------------------------------------

    def history(self, layer: Layer) -> tuple[Event, ...]:
        """Give all that happened, oldest first, without voxels: edits, undo and redo, marks, branches that were left.

        Raises
        ------
        JournalDamaged
            If an entry does not fit its checksum, or one is missing.
        """
        asked = select(*PLAIN).where(events.c.layer == layer.key).order_by(events.c.number)
        with schema.reading(self.engine, self.path) as connection:
            rows = connection.execute(asked).mappings().all()
        if [row["number"] for row in rows] != list(range(1, len(rows) + 1)):
            raise JournalDamaged(f"The journal {self.path.name} lacks entries.", hint="Open it again to recover it.")
        return tuple(Event.from_row(dict(row)) for row in rows)

    def line(self, layer: Layer) -> Line:
        """Give the history as a person sees it: edits that are done, and those that can be done again."""
        return Line.of(self.history(layer))

    def with_voxels(self, plain: Sequence[Event]) -> Iterator[Event]:
        """Give the same events with their voxels, a few at a time: long histories need no memory.

        Raises
        ------
        JournalDamaged
            If the voxels of one can't be read.
        """
        for start in range(0, len(plain), AT_ONCE):
            part = plain[start : start + AT_ONCE]
            asked = select(events).where(events.c.token.in_([event.token for event in part]))
            with schema.reading(self.engine, self.path) as connection:
                rows = {row["token"]: dict(row) for row in connection.execute(asked).mappings()}
            for event in part:
                yield Event.from_row(self._row(rows, event))

    def edits(self, plain: Sequence[Event]) -> Iterator[Edit]:
        """Give the changes of voxels of some entries of a line."""
        return (event.edit() for event in self.with_voxels(plain))

    def edit(self, token: str) -> Edit:
        """Give one change of voxels."""
        with schema.reading(self.engine, self.path) as connection:
            row = connection.execute(select(events).where(events.c.token == token)).mappings().first()
        if row is None:
            raise FileProblem("That step is not in the journal.", hint="Choose another one.")
        return Event.from_row(dict(row)).edit()

    def unsaved(self) -> tuple[Unsaved, ...]:
        """Give the layers whose labels are not as they were last saved, accepted or discarded."""
        found = []
        for layer in self.layers():
            history = self.history(layer)
            count = Line.of(history).unsaved()
            if count:
                found.append(Unsaved(layer=layer, edits=count, time=history[-1].time))
        return tuple(found)

    def _row(self, rows: dict[str, dict[str, Any]], event: Event) -> dict[str, Any]:
        if event.token not in rows:
            raise JournalDamaged(
                f"The journal {self.path.name} lacks {event.name!r}.", hint="Open it again to recover it."
            )
        return rows[event.token]


def widest(base: np.dtype[Any], line: Line) -> np.dtype[Any]:
    """Give the type that labels have once all that is done is done."""
    types = [np.dtype(event.dtype) for event in line.done if event.dtype]
    return np.result_type(base, *types)


def _add_layer(connection: Connection, layer: Layer) -> None:
    row = layer.row()
    there = connection.execute(select(layers.c.scan, layers.c.about).where(layers.c.key == layer.key)).first()
    if there is None:
        connection.execute(insert(layers), [row])
    elif layer.scan and (there.scan == "" or there.about != row["about"] != "{}"):
        # The row was lost and what it said is known again; or it says more now: a class got another name.
        connection.execute(update(layers).where(layers.c.key == layer.key).values(row))


def _known(connection: Connection, tokens: list[str]) -> set[str]:
    known: set[str] = set()
    for start in range(0, len(tokens), AT_ONCE):
        asked = select(events.c.token).where(events.c.token.in_(tokens[start : start + AT_ONCE]))
        known.update(connection.execute(asked).scalars())
    return known


def _last(connection: Connection, key: str) -> int:
    return int(connection.execute(select(func.max(events.c.number)).where(events.c.layer == key)).scalar() or 0)
