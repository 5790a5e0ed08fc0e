"""What the writer says to whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Place = Literal["journal", "local"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Everything up to `sequence` is on a disk, flushed.

    Attributes
    ----------
    sequence : int
        Of the writer's calls, from 1.
    tokens : tuple of str
        What has just become durable, in order.
    place : str
        "journal", or "local": in the person's own folder, to be merged later.
    """

    sequence: int
    tokens: tuple[str, ...]
    place: Place
    time: datetime = field(default_factory=lambda: datetime.now().astimezone())

    @property
    def words(self) -> str:
        """Give "saved 12:03:20", in the person's time."""
        where = "" if self.place == "journal" else " on this computer"
        return f"saved{where} {self.time:%H:%M:%S}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """The journal can't be written; it stays so until `Mended`.

    Attributes
    ----------
    message, hint : str
        One sentence, and a way on.
    place : str
        Where edits go meanwhile: "local", the person's own folder, or "memory": nowhere that lasts.
    """

    message: str
    hint: str
    place: Literal["local", "memory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """The journal can be written again, and `merged` events that waited on this computer are in it."""

    merged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """Another program has taken the lock; what is written now becomes a branch."""


Report = Acknowledged | Trouble | Mended | TakenOver
