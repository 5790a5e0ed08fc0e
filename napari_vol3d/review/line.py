"""From all that happened to the line of edits that a person sees: what is done, and what can be done again.

Edits form a tree, for an edit after an undo starts a branch. The line leads from the base to where the last branch
ends; the cursor stands somewhere on it. Nothing is ever taken out: a branch that was left can be jumped to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from napari_vol3d.review.records import Event


@dataclass(slots=True)
class Line:
    """The history of one layer.

    Attributes
    ----------
    entries : list of Event
        Edits from the base to the end of the present branch, oldest first.
    at : int
        How many of them are done; those behind can be done again.
    edits : dict
        All edits by token, those of branches that were left too.
    saved : Event or None
        The last mark.
    base : Event or None
        The labels that the edits start from, where the journal keeps them.
    lost : int
        Events that could not be read when the journal was recovered.
    """

    entries: list[Event] = field(default_factory=list)
    at: int = 0
    edits: dict[str, Event] = field(default_factory=dict)
    saved: Event | None = None
    base: Event | None = None
    lost: int = 0
    _astray: bool = False
    _places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, events: Iterable[Event]) -> Line:
        """Follow what happened, oldest first."""
        line = cls()
        for event in events:
            line.take(event)
        return line

    @property
    def cursor(self) -> str | None:
        """Token of the last edit that is done; None where none is."""
        return self.entries[self.at - 1].token if self.at else None

    @property
    def done(self) -> list[Event]:
        """The edits that are done, oldest first."""
        return self.entries[: self.at]

    @property
    def ahead(self) -> list[Event]:
        """The edits that can be done again, the next one first."""
        return self.entries[self.at :]

    @property
    def before(self) -> str | None:
        """Where the cursor goes when the last edit is undone."""
        return self.entries[self.at - 2].token if self.at > 1 else None

    @property
    def broken(self) -> bool:
        """Whether what is done stands upon an edit that is not there."""
        return self._astray or (self.at > 0 and self.entries[0].parent is not None)

    def take(self, event: Event) -> None:
        """Follow one more event."""
        if event.kind == "edit":
            self._branch(event)
        elif event.kind == "move":
            self._stand(event.cursor)
        elif event.kind == "mark":
            self.saved = event
        elif event.kind == "base":
            self.base = event
        else:
            self.lost += 1

    def unsaved(self) -> int:
        """Count the edits by which the labels differ from those that were saved last."""
        saved = set(self._way(self.saved.cursor)) if self.saved else set()
        return len(saved.symmetric_difference(event.token for event in self.done))

    def _branch(self, event: Event) -> None:
        if event.parent != self.cursor:  # made elsewhere, while this file could not be reached
            self._stand(event.parent)
        self._astray = False  # where its parent is not there, the first entry says so
        self.edits[event.token] = event
        for left in self.entries[self.at :]:
            del self._places[left.token]
        self.entries[self.at :] = [event]
        self._places[event.token] = self.at
        self.at += 1

    def _stand(self, token: str | None) -> None:
        self._astray = token is not None and token not in self.edits
        if token is None or token in self._places:
            self.at = 0 if token is None else self._places[token] + 1
            return
        self.entries = [self.edits[step] for step in reversed(self._way(token))]
        self._places = {entry.token: index for index, entry in enumerate(self.entries)}
        self.at = len(self.entries)

    def _way(self, token: str | None) -> list[str]:
        """Give the tokens from an edit back to the base."""
        way: list[str] = []
        while token is not None and token in self.edits:
            way.append(token)
            token = self.edits[token].parent
        return way
