"""A disk that keeps only what was flushed, and of the rest whatever it likes: what is on it after a power cut.

It is told the calls of a program in order, as recording.c has recorded them. Until a file is flushed, any of the
sectors that were written to it may be there or not, in any order; a file that grew may hold anything between. Until
the folder is flushed, a file that was made or removed may be there or not, each of them for itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

SECTOR = 512
HEAD = struct.Struct("=ciqq")


@dataclass(frozen=True, slots=True)
class Call:
    """One record: C and O and E a file was made, opened, emptied; W written; T cut; S flushed; U removed; N a note."""

    kind: str
    file: int
    offset: int
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()


def calls_in(log: bytes) -> Iterator[Call]:
    """Read a log."""
    at = 0
    while at < len(log):
        kind, file, offset, length = HEAD.unpack_from(log, at)
        at += HEAD.size
        yield Call(kind.decode(), file, offset, log[at : at + length])
        at += length


@dataclass(eq=False)
class Inode:
    """A file whatever its name: what is safe, and what was done since (place and bytes; None: cut to that length)."""

    safe: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def flush(self) -> None:
        self.safe, self.since = self.now(), []

    def now(self) -> bytes:
        """What a program reads."""
        return self._with(1.0, np.random.default_rng(0), b"\0")

    def after_cut(self, rng: np.random.Generator) -> bytes:
        """What may be there: none of what was not flushed, all, or some."""
        share = float(rng.choice([0.0, 1.0, rng.random()]))
        return self._with(share, rng, bytes([0 if rng.random() < 0.5 else int(rng.integers(256))]))

    def _with(self, share: float, rng: np.random.Generator, filler: bytes) -> bytes:
        content = bytearray(self.safe)
        for start, data in self.since:
            if data is None:
                if rng.random() < share:
                    _resize(content, start, b"\0")
                continue
            for place, part in _sectors(start, data):
                if rng.random() < share:
                    _resize(content, max(len(content), place + len(part)), filler)
                    content[place : place + len(part)] = part
        return bytes(content)


class Disk:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._safe = {path.name: Inode(path.read_bytes()) for path in folder.iterdir()}
        self._names = dict(self._safe)
        self._since: list[tuple[str, Inode | None]] = []
        self._open: dict[int, Inode | None] = {}  # None: the folder itself

    def take(self, call: Call) -> None:
        """Let a program do this."""
        inode = self._open.get(call.file)
        if call.kind in "COE":
            self._open_file(call)
        elif call.kind == "U":
            self._name(Path(call.text).name, None)
        elif call.kind == "S" and inode is None:
            self._safe, self._since = dict(self._names), []
        elif call.kind == "S":
            inode.flush()
        elif call.kind in "WT":
            inode.since.append((call.offset, call.data if call.kind == "W" else None))

    def now(self) -> dict[str, bytes]:
        """Give what a program sees."""
        return {name: inode.now() for name, inode in self._names.items()}

    def after_cut(self, rng: np.random.Generator) -> dict[str, bytes]:
        """Give what may be there once the power is back."""
        names = dict(self._safe)
        for name in {name for name, _ in self._since}:
            steps = [inode for named, inode in self._since if named == name]
            done = int(rng.integers(len(steps) + 1))
            if done and steps[done - 1] is None:
                names.pop(name, None)
            elif done:
                names[name] = steps[done - 1]
        return {name: inode.after_cut(rng) for name, inode in names.items()}

    def _open_file(self, call: Call) -> None:
        if Path(call.text) == self._folder:
            self._open[call.file] = None
            return
        name = Path(call.text).name
        if call.kind == "C":
            self._name(name, Inode())
        self._open[call.file] = self._names[name]
        if call.kind == "E":
            self._names[name].since.append((0, None))

    def _name(self, name: str, inode: Inode | None) -> None:
        self._since.append((name, inode))
        if inode is None:
            del self._names[name]
        else:
            self._names[name] = inode


def _sectors(start: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give what was written by the sectors of the disk, each with its place."""
    place, stop = start, start + len(data)
    while place < stop:
        end = min(stop, (place // SECTOR + 1) * SECTOR)
        yield place, data[place - start : end - start]
        place = end


def _resize(content: bytearray, length: int, filler: bytes) -> None:
    del content[length:]
    content.extend(filler * (length - len(content)))
