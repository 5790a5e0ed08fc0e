"""The gate: what is proved about a file before any of its voxels is shown.

Readers return voxels from damaged files without a word: ITK fills what is missing with zeros, nibabel skips the
checksum of .nii.gz, tifffile gives one slice of ten. So the sizes that a header declares are compared with what is
stored and with the free memory *before* anything is allocated, and compressed streams are read to their checksum.
Whatever is wrong becomes a `FileProblem`: one sentence and a way on.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem

GB = 1e9
CHUNK = 1 << 22
PADDING = 4096  # zeros that some programs add behind the voxels
MOST_DEFLATED = 1032  # deflate can't pack more bytes than this into one
LIMIT_VARIABLE = "VOL3D_MAX_GB"

# What format libraries raise on damaged files, seen in fuzzing; anything else is a bug of ours and should be loud.
DAMAGE = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError, RuntimeError, SyntaxError,
    TypeError, ValueError, struct.error, zlib.error,
)  # fmt: skip


@contextmanager
def reading(path: Path, *also: type[Exception]) -> Iterator[int]:
    """Prove that `path` is a regular file, give its size in bytes, and stay around while it is read.

    Parameters
    ----------
    path : Path
    also : exception types
        What else the format's library raises on damaged files.

    Raises
    ------
    FileProblem
        If it is no regular file, is empty, changes while it is being read, or the block fails on its content.
    """
    before = regular_file(path)
    damage: tuple[type[Exception], ...] = (*DAMAGE, *also)
    try:
        yield before.st_size
    except OSError as error:
        raise _unreadable(path, before, error.strerror or str(error)) from error
    except damage as error:
        raise _unreadable(path, before, f"{error}".strip().partition("\n")[0] or type(error).__name__) from error
    if _changed(path, before):
        raise _still_written(path)


def regular_file(path: Path) -> os.stat_result:
    """Give the status of a regular file that is not empty; never opens anything, so that a FIFO can't block.

    Raises
    ------
    FileProblem
        If there is none, or it is a folder, a device or the like.
    """
    try:
        status = path.stat()
    except FileNotFoundError as error:
        what = "Broken link" if path.is_symlink() else "No such file"
        raise FileProblem(f"{what}: {path}.", hint="Check the name, and that the disk is connected.") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileProblem(f"Can't be opened: {path.name!r} ({reason}).") from error
    if stat.S_ISDIR(status.st_mode):
        raise FileProblem(f"This is a folder, not a file: {path.name}.", hint="Open a file inside it.")
    if not stat.S_ISREG(status.st_mode):
        raise FileProblem(f"Not a regular file: {path.name} is a pipe, socket or device.", hint="Open a saved file.")
    if status.st_size == 0:
        raise FileProblem(f"Empty file: {path.name} has no bytes.", hint="Copy or download it again.")
    return status


def declared_bytes(path: Path, shape: Sequence[int], itemsize: int) -> int:
    """Give the bytes that `shape` needs.

    Raises
    ------
    FileProblem
        If an axis has no extent.
    """
    if not shape or min(shape) < 1:
        raise FileProblem(
            f"Damaged header: {path.name} declares the shape {tuple(shape)}.", hint="Export the volume again."
        )
    total = itemsize
    for length in shape:  # Python's integers: NumPy's would wrap for exactly the headers that matter
        total *= int(length)
    return total


def check_stored(path: Path, declared: int, stored: int, *, packed: bool = False) -> None:
    """Refuse a header that declares more bytes than the file can hold; `packed`: the stored bytes are deflated."""
    most = stored * MOST_DEFLATED if packed else stored
    if declared > most:
        raise truncated(path, declared, stored, packed=packed)


def check_memory(path: Path, needed: int) -> None:
    """Refuse what does not fit into half of the free memory (or into VOL3D_MAX_GB), before it is allocated."""
    limit, sentence = _memory_limit()
    if needed > limit:
        raise FileProblem(
            f"Too large for memory: {path.name} needs {_amount(needed)}, {sentence}.",
            hint=f"Crop or downsample it, close other programs, or raise {LIMIT_VARIABLE}.",
        )


def check_affine(path: Path, affine: NDArray[np.float64]) -> None:
    """Refuse a voxel-to-world matrix that puts different voxels at one place."""
    finite = bool(np.isfinite(affine).all())
    spacing = np.linalg.norm(affine[:3, :3], axis=0) if finite else np.zeros(3)
    if not finite or not np.isfinite(spacing).all() or spacing.min() <= 0:
        raise FileProblem(
            f"Damaged geometry: {path.name} has no finite, positive voxel spacing.",
            hint="Repair the header's sform, qform or pixdim, or export the volume again.",
        )
    if abs(np.linalg.det(affine[:3, :3] / spacing)) < 1e-4:
        raise FileProblem(
            f"Damaged geometry: the axes of {path.name} lie in one plane.",
            hint="Repair the header's sform or qform, or export the volume again.",
        )


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, through gzip if its magic says so, whatever its name says."""
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as file:
            yield file  # type: ignore[misc]


def fill(file: IO[bytes], buffer: Any, path: Path, declared: int, before: int = 0) -> None:
    """Read exactly as many bytes as `buffer` holds.

    Parameters
    ----------
    buffer : writable buffer of bytes
    declared, before : int
        For the message: bytes that the whole file should unpack to, and those that were read before.

    Raises
    ------
    FileProblem
        If the file ends early, or its compressed stream is damaged.
    """
    view, done = memoryview(buffer).cast("B"), 0
    while done < len(view):
        try:
            count = file.readinto(view[done : done + CHUNK])  # type: ignore[attr-defined]
        except EOFError as error:
            raise truncated(path, declared, before + done) from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise damaged_stream(path, error) from error
        if not count:
            raise truncated(path, declared, before + done)
        done += count


def finish(file: IO[bytes], path: Path, declared: int) -> None:
    """Read to the end of the file, where gzip keeps its checksum; nothing but a little zero padding may come."""
    try:
        # One byte more than may be there: a bomb is given up here, not unpacked.
        rest = file.read(PADDING + 1)
    except EOFError as error:
        raise truncated(path, declared, declared, packed=True) from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise damaged_stream(path, error) from error
    if len(rest) > PADDING or any(rest):
        raise FileProblem(
            f"Damaged header: {path.name} holds more bytes than the {declared:,} it declares.",
            hint="The shape in its header is wrong; export the volume again.",
        )


def truncated(path: Path, declared: int, found: int, *, packed: bool = False) -> FileProblem:
    """Give the problem of a file that ends early."""
    if packed:
        sentence = f"its {found:,} bytes can't hold all of the {declared:,} it declares"
    else:
        sentence = f"{found:,} of {declared:,} bytes are there"
    return FileProblem(f"Truncated file: {path.name}, {sentence}.", hint="Copy or download it again.")


def damaged_stream(path: Path, error: Exception) -> FileProblem:
    """Give the problem of a packed stream that can't be unpacked to its end."""
    if "Not a gzipped file" in str(error):  # where a next member would begin
        said = "holds other bytes behind its packed ones"
    else:
        said = "does not match its checksum"
    return FileProblem(f"Damaged file: {path.name} {said}.", hint="Copy or download it again.")


def _memory_limit() -> tuple[float, str]:
    wanted = os.environ.get(LIMIT_VARIABLE, "")
    if wanted:
        try:
            return float(wanted) * GB, f"the limit {LIMIT_VARIABLE} is {float(wanted):g} GB"
        except ValueError as error:
            raise FileProblem(f"{LIMIT_VARIABLE} must be a number of GB; received {wanted!r}.") from error
    import psutil

    free = psutil.virtual_memory().available
    return free * 0.5, f"{_amount(free)} are free and half of that may be used"


def _amount(count: float) -> str:
    return f"{count / GB:,.1f} GB" if count >= GB / 10 else f"{count / 1e6:,.1f} MB"


def _changed(path: Path, before: os.stat_result) -> bool:
    try:
        now = path.stat()
    except OSError:
        return True
    return (now.st_size, now.st_mtime_ns, now.st_ino) != (before.st_size, before.st_mtime_ns, before.st_ino)


def _still_written(path: Path) -> FileProblem:
    return FileProblem(f"The file is changing: {path.name} is being written.", hint="Wait until that ends, then retry.")


def _unreadable(path: Path, before: os.stat_result, reason: str) -> FileProblem:
    if _changed(path, before):
        return _still_written(path)
    return FileProblem(f"Can't be read: {path.name} ({reason}).", hint="Copy or download it again, or convert it.")
