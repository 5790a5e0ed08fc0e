"""The history of one labels layer while it is corrected: bounded in memory, the rest is read from the journal."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from napari_vol3d.core.edits import Edit
from napari_vol3d.review.coding import edit_dtype
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event, utc_now

ROOM = 256 * 2**20  # bytes of voxels kept for undo and redo; what is older lies in the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An entry of the list that a person sees.

    Attributes
    ----------
    token : str
    name : str
        "Paint anterior, z 40-44".
    time : str
        ISO 8601, UTC.
    by_model : bool
        Whether a model made it: its voxels do not count as corrected.
    """

    token: str
    name: str
    time: str
    by_model: bool = False


MODEL = "model"  # as whose an edit that a model made stands in the journal


class History:
    """What was done, and what can be done again; moving in it tells which edits to apply, and applies none.

    Parameters
    ----------
    key : str
        Of the layer, in the journal.
    line : Line, optional
        What a journal already holds of it.
    read : callable
        Gives the edit of a token from the journal; may raise a `Vol3dError`.
    room : int
        Bytes of voxels kept in memory. What the journal has not acknowledged is kept whatever its size.
    """

    def __init__(
        self, key: str, *, read: Callable[[str], Edit], line: Line | None = None, room: int = ROOM
    ) -> None:
        self._key, self._read, self._room = key, read, room
        self._line = Line() if line is None else line
        self._kept: OrderedDict[str, Edit] = OrderedDict()  # the one used last at the end
        self._taken = 0  # bytes
        self._waiting: set[str] = set()

    @property
    def line(self) -> Line:
        """All of it, without the voxels."""
        return self._line

    @property
    def steps(self) -> tuple[Step, ...]:
        """All from the first to the end of the present branch."""
        return tuple(
            Step(token=event.token, name=event.name, time=event.time, by_model=event.who == MODEL)
            for event in self._line.entries
        )

    @property
    def at(self) -> int:
        """How many of the steps are done."""
        return self._line.at

    @property
    def cursor(self) -> str | None:
        """Token of the last step that is done."""
        return self._line.cursor

    @property
    def undo_name(self) -> str | None:
        """What undo would take back; None where there is nothing."""
        return self._line.entries[self.at - 1].name if self.at else None

    @property
    def redo_name(self) -> str | None:
        """What redo would do again; None where there is nothing."""
        ahead = self._line.ahead
        return ahead[0].name if ahead else None

    @property
    def bytes_kept(self) -> int:
        """Voxels in memory."""
        return self._taken

    def add(self, edit: Edit, token: str, *, who: str = "") -> None:
        """Take in an edit that was applied; what could have been done again is left as a branch."""
        self._line.take(
            Event(
                layer=self._key, kind="edit", token=token, parent=self.cursor, cursor=token, name=edit.name,
                frame=edit.frame, box=edit.box, dtype=edit_dtype(edit).name, time=utc_now(), who=who,
            )
        )  # fmt: skip
        self._waiting.add(token)
        self._keep(token, edit)

    def acknowledge(self, tokens: Iterable[str]) -> None:
        """Know that edits are in the journal: they may leave the memory."""
        self._waiting.difference_update(tokens)
        self._make_room()

    def edit(self, token: str) -> Edit:
        """Give the change of a step.

        Raises
        ------
        Vol3dError
            If it is no longer in memory, and the journal can't be read.
        """
        edit = self._kept.get(token)
        if edit is None:
            edit = self._read(token)
        self._keep(token, edit)
        return edit

    def by_model(self, token: str) -> bool:
        """Whether a model made a step; for one step, where `steps` would go through all."""
        event = self._line.edits.get(token)
        return event is not None and event.who == MODEL

    def way_to(self, token: str | None) -> Iterator[tuple[str, Edit, bool]]:
        """Go to another step, None for the state before the first; after each change that is given, one step.

        Yields
        ------
        token, edit, back : str, Edit, bool
            The change to apply now, already turned round where it is taken `back`. The history has moved once the
            next one is asked for, so if it can't be applied the two still agree. Nothing where the step is on a branch
            that was left.
        """
        wanted = self._place(token)
        while wanted is not None and self.at != wanted:
            back = self.at > wanted
            event = self._line.entries[self.at - 1 if back else self.at]
            edit = self.edit(event.token)
            yield event.token, edit.inverse() if back else edit, back
            self._stand(self._line.before if back else event.token)

    @property
    def back(self) -> str | None:
        """Token of the step before the last that is done; None where that is the beginning."""
        return self._line.before

    @property
    def next(self) -> str | None:
        """Token of the step that can be done again."""
        ahead = self._line.ahead
        return ahead[0].token if ahead else None

    def _place(self, token: str | None) -> int | None:
        if token is None:
            return 0
        return next((i for i, event in enumerate(self._line.entries, start=1) if event.token == token), None)

    def _stand(self, token: str | None) -> None:
        self._line.take(Event(layer=self._key, kind="move", cursor=token))

    def _keep(self, token: str, edit: Edit) -> None:
        if token not in self._kept:
            self._kept[token] = edit
            self._taken += _size(edit)
        self._kept.move_to_end(token)
        self._make_room()

    def _make_room(self) -> None:
        for token in list(self._kept) if self._taken > self._room else ():
            if self._taken <= self._room:
                break
            if token not in self._waiting:
                self._taken -= _size(self._kept.pop(token))


def _size(edit: Edit) -> int:
    return edit.before.nbytes + edit.after.nbytes
