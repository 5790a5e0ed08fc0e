"""Byte streams of NRRD and MetaImage: text headers, zlib, gzip, bzip2, numbers written as text."""

from __future__ import annotations

import bz2
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.data_files import AGAIN

MOST_HEADER = 1 << 24  # bytes
MOST_DIGITS = 400

Encoding = Literal["raw", "deflate", "bzip2", "text"]


def header_lines(file: IO[bytes], path: Path) -> Iterator[str]:
    """Give the lines of a text header one by one, without their ends; stops at the end of the file."""
    total = 0
    while line := file.readline(MOST_HEADER):
        total += len(line)
        if total >= MOST_HEADER:
            raise FileProblem(f"Damaged header: that of {path.name} does not end.", hint=AGAIN)
        yield line.decode("utf-8", "replace").rstrip("\r\n")


@contextmanager
def unpacked(raw: IO[bytes], encoding: Encoding) -> Iterator[IO[bytes]]:
    """Open a packed stream that begins where `raw` stands."""
    stream: Any = raw
    if encoding == "bzip2":
        stream = bz2.BZ2File(raw)
    elif encoding == "deflate":
        at = raw.tell()
        packed_by_gzip = raw.read(2) == b"\x1f\x8b"
        raw.seek(at)
        stream = gzip.GzipFile(fileobj=raw, mode="rb") if packed_by_gzip else io.BufferedReader(_Inflated(raw))
    yield stream
    if stream is not raw:
        stream.close()


class _Inflated(io.RawIOBase):
    """A zlib stream, unpacked to its checksum; bytes behind it follow as they are, for `gate.finish` to judge."""

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw, self._inflate = raw, zlib.decompressobj()
        self._behind: IO[bytes] | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        while self._behind is None:
            packed = self._inflate.unconsumed_tail or self._raw.read(gate.CHUNK)
            part = self._inflate.decompress(packed, len(view))
            if self._inflate.eof:
                self._behind = io.BytesIO(self._inflate.unused_data + self._raw.read(gate.PADDING + 1))
            if part:
                view[: len(part)] = part
                return len(part)
            if not packed and self._behind is None:
                raise EOFError("the packed stream ends early")
        rest = self._behind.read(len(view))
        view[: len(rest)] = rest
        return len(rest)


def fill_numbers(raw: IO[bytes], file: Path, numbers: NDArray[Any]) -> None:
    """Read exactly as many numbers as there is room for from a text, with nothing but white space behind them."""
    done, rest = 0, b""
    while chunk := raw.read(gate.CHUNK):
        words = (rest + chunk.replace(b",", b" ")).split()
        cut = not chunk[-1:].isspace()
        rest = words.pop() if cut and words else b""
        done = _put(words, numbers, done, file)
        if len(rest) > MOST_DIGITS:
            raise ValueError(f"a number of more than {MOST_DIGITS} digits")
    done = _put([rest] if rest else [], numbers, done, file)
    if done < len(numbers):
        raise FileProblem(
            f"Truncated file: {file.name}, {done:,} of {len(numbers):,} numbers are there.",
            hint="Copy or download it again.",
        )


def _put(words: list[bytes], numbers: NDArray[Any], done: int, file: Path) -> int:
    if done + len(words) > len(numbers):
        raise FileProblem(
            f"Damaged header: {file.name} holds more than the {len(numbers):,} numbers it declares.", hint=AGAIN
        )
    target = numbers[done : done + len(words)]
    if any(b"_" in word for word in words):  # Python would take 1_000 for a number
        raise ValueError("not a number")
    if numbers.dtype.kind == "f":
        exact = np.array([float(word) for word in words], np.float64)
        with np.errstate(over="ignore"):
            target[:] = exact
        if np.any(np.isinf(target) & ~np.isinf(exact)):
            raise ValueError(f"a number that does not fit into {numbers.dtype}")
    else:
        target[:] = np.array([int(word) for word in words], numbers.dtype)  # raises on what does not fit
    return done + len(words)
