"""What lies in the person's folder and was never saved: found when the program starts.

Looking takes nothing: no lock, no file. What a journal could not take and what waits in a file beside is counted
together with it, as if it had been merged.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from napari_vol3d.core.errors import SaveProblem, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.review import fallback, lock, schema
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.line import Line
from napari_vol3d.review.records import Event, Layer, utc_now
from napari_vol3d.review.schema import JournalDamaged
from napari_vol3d.review.when import say_when


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A layer whose corrections were not saved, accepted or discarded.

    Attributes
    ----------
    journal : Path
        Where it lies.
    edits : int
        By how many edits it differs from what was saved last.
    time : str
        Of the last thing that happened to it; ISO 8601, UTC.
    waiting : bool
        Whether only a part of its history lies here, which waits for a journal in another folder: it is merged when
        that is opened, and can't be shown before.
    """

    journal: Path
    layer: Layer
    edits: int
    time: str
    waiting: bool = False

    @property
    def words(self) -> str:
        """Give "hippo_031 labels: 14 corrections, yesterday 17:20"."""
        many = "1 correction" if self.edits == 1 else f"{self.edits:,} corrections"
        later = " (merged when its project is opened)" if self.waiting else ""
        return f"{self.layer.name}: {many}, {say_when(self.time)}{later}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """A file that can't be read, and one sentence why."""

    path: Path
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What was found, newest first, and what can't be read."""

    found: tuple[Found, ...] = ()
    unread: tuple[Unread, ...] = ()


def unsaved_in(folder: Path | None = None, *, unread: list[Unread] | None = None) -> tuple[Found, ...]:
    """Give the layers in the journals of a folder whose corrections were not saved, newest first.

    Parameters
    ----------
    folder : Path, optional
        By default the person's own.
    unread : list, optional
        Gets the files that are damaged, foreign, or can't be read just now; they raise nothing.
    """
    left = _last(look_for_unsaved(folder))
    if unread is not None:
        unread.extend(left.unread)
    return left.found


def look_for_unsaved(folder: Path | None = None) -> Generator[Progress, None, Left]:
    """Do what `unsaved_in` does as a verb that can be stopped after each file; it gives a `Left`."""
    heard, unread = _Heard(), list[Unread]()
    paths = _journals(fallback.journals_folder() if folder is None else folder, unread)
    for done, path in enumerate(paths, start=1):
        try:
            heard.listen(path)
        except JournalDamaged as damaged:
            unread.append(Unread(path=path, words=f"{damaged.message} Open its scan to recover what can be read."))
        except Vol3dError as problem:
            unread.append(Unread(path=path, words=str(problem)))
        yield Progress(phase="Looking for unsaved corrections", done=done, total=len(paths))
    return Left(found=heard.unsaved(), unread=tuple(unread))


def discard(found: Iterable[Found], *, who: str = "") -> Generator[Progress, None, None]:
    """Keep of each that a person does not want it; nothing is deleted, and its history can still be opened.

    Raises
    ------
    SaveProblem
        If another program has opened one of them meanwhile.
    JournalProblem, JournalDamaged
        If one can't be written.
    """
    for one in found:
        journal = Journal.open(one.journal)
        taken = lock.acquire(journal, who=who)
        if isinstance(taken, lock.Held):
            raise SaveProblem(f"{one.layer.name} was not discarded: {taken.words}", hint="Close it there first.")
        try:
            if not one.waiting:
                fallback.gather(journal)
            journal.mark(one.layer, "discarded", who=who)
        finally:
            taken.release()
        yield Progress(phase=f"Discarding {one.layer.name}")


@dataclass(slots=True)
class _Layer:
    """What all files say of one layer: events by token, in the order of a merge."""

    path: Path
    layer: Layer
    events: dict[str, Event] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        return _waits(self.path)


@dataclass(slots=True)
class _Heard:
    """Layers by key; those that a living program has are its own business."""

    layers: dict[str, _Layer] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)

    def listen(self, path: Path) -> None:
        schema.prepare(path, utc_now())
        journal = Journal(path)
        here, histories = journal.layers(), {}
        if lock.in_use(journal):
            self.busy.update(layer.key for layer in here)
            return
        for layer in here:  # all or nothing of a file
            histories[layer.key] = {event.token: event for event in journal.history(layer)}
        for layer in here:
            known = self.layers.setdefault(layer.key, _Layer(path, layer))
            known.events |= histories[layer.key]

    def unsaved(self) -> tuple[Found, ...]:
        found = []
        for key in self.layers.keys() - self.busy:
            one = self.layers[key]
            count = Line.of(one.events.values()).unsaved()
            if count:
                time = max(event.time for event in one.events.values())
                found.append(Found(journal=one.path, layer=one.layer, edits=count, time=time, waiting=one.waiting))
        return tuple(sorted(found, key=lambda one: one.time, reverse=True))


def _journals(folder: Path, unread: list[Unread]) -> list[Path]:
    """Give the journals of a folder, those that wait behind those that they wait for; empty files hold nothing."""
    try:
        paths = [path for path in folder.glob("*.journal") if path.is_file() and path.stat().st_size]
        return sorted(paths, key=lambda path: (_waits(path), path.stat().st_mtime_ns))
    except OSError as error:
        reason = error.strerror or str(error)
        unread.append(Unread(path=folder, words=f"The folder of journals can't be read: {reason}."))
        return []


def _waits(path: Path) -> bool:
    return path.name.startswith("waiting-")


def _last(verb: Generator[Progress, None, Left]) -> Left:
    while True:
        try:
            next(verb)
        except StopIteration as end:
            left: Left = end.value
            return left
