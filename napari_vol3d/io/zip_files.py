"""Zip files: a hostile one can neither leave its folder nor fill the disk, and one that is written is never half.

What a zip says of itself is checked before anything is unpacked, and while it is unpacked what it said is held against
it.
"""

from __future__ import annotations

import lzma
import os
import re
import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate
from napari_vol3d.io.safe_write import write_safely

MOST_BYTES = 4 << 30
MOST_RATIO = 100  # weights hardly pack at all
SMALL = 64 << 20  # bytes that do no harm, however small they were packed: labels of one class pack a thousand times
MOST_MEMBERS = 10_000
MOST_LISTED = 4 << 20  # bytes of the list of members, which is read whole
END = struct.Struct("<4s4H2LH")  # the record that ends a zip and says how long that list is
END_64 = struct.Struct("<4sQ2H2L4Q")  # the same for large ones: it stands before, and counts
TO_END_64 = struct.Struct("<4sLQL")  # and points to it
DAMAGE = (zipfile.BadZipFile, lzma.LZMAError)
STORED_WORD = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can say: the same content gives the same bytes
PACKED_ALREADY = (".keras", ".zip", ".png", ".h5")


def looks_like_zip(path: Path) -> bool:
    """Whether a file begins as zip files do."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def safe_name(name: str) -> str:
    """Give the name of a file inside a folder or zip in its plain form, "a/b".

    Raises
    ------
    FileProblem
        If it leads anywhere else: up, to the root, to a drive, to the net.
    """
    if re.match(r"[a-z][a-z0-9+.-]+://", name, re.IGNORECASE):
        raise FileProblem(f"It names a file on the net: {name[:80]!r}.", hint="Download the whole package.")
    parts = PurePosixPath(name).parts
    bad = not parts or ".." in parts or parts[0] == "/" or "\\" in name or ":" in parts[0] or "\0" in name
    if bad or not name.isprintable():
        raise FileProblem(f"It leaves its folder: {name[:80]!r}.", hint="Get the package from its publisher.")
    return "/".join(parts)


def members(path: Path) -> dict[str, zipfile.ZipInfo]:
    """List the files of a zip by their plain names, after all that it says of itself was checked.

    Raises
    ------
    FileProblem
        If it is damaged, encrypted, too large when unpacked, or holds links or names that lead out of it.
    """
    with _opened(path) as archive:
        found: dict[str, zipfile.ZipInfo] = {}
        for info in archive.infolist():
            _check_member(path, info)
            if not info.is_dir() and found.setdefault(safe_name(info.filename), info) is not info:
                raise FileProblem(f"Two files of one name in {path.name}: {info.filename[:80]!r}.")
    _check_size(path, sum(info.file_size for info in found.values()))
    return found


@contextmanager
def opened_member(path: Path, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Open one file of a zip; it ends where it said, or is a `FileProblem`."""
    with _opened(path) as archive, archive.open(info) as file:
        yield file


def copy_member(path: Path, info: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file of a zip to `target`, which must not be there.

    Raises
    ------
    FileProblem
        If it is damaged, or packed so small that it can be no honest file.
    """
    if info.file_size > max(1 << 20, MOST_RATIO * info.compress_size):
        raise _bomb(path, info.file_size)
    with opened_member(path, info) as source:
        fill_new(target, source)


def fill_new(target: Path, source: IO[bytes]) -> None:
    """Write an open file's content to `target`, in a private folder, where nothing may be there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as file:
        shutil.copyfileobj(source, file, gate.CHUNK)


def unpack(path: Path, folder: Path) -> list[str]:
    """Unpack a whole zip into a folder, and give the names of its files.

    Raises
    ------
    FileProblem
        If it is damaged or hostile; some of its files may be there then.
    """
    found = members(path)
    for name, info in found.items():
        copy_member(path, info, folder / name)
    return list(found)


def write_zip(target: Path, parts: Mapping[str, bytes | Path]) -> Path:
    """Write a zip safely: its files by name, from bytes or from other files; read back before it takes its place.

    Raises
    ------
    SaveProblem
        If it can't be written.
    """

    def write(beside: Path) -> None:
        with zipfile.ZipFile(beside, "w") as archive:
            for name, part in parts.items():
                _add(archive, safe_name(name), part)

    def check(beside: Path) -> None:
        with _opened(beside) as archive:
            damaged = archive.testzip()
        if damaged is not None:
            raise FileProblem(f"Damaged file: {damaged} in {beside.name}.")

    return write_safely(target, write, check)


def _add(archive: zipfile.ZipFile, name: str, part: bytes | Path) -> None:
    info = zipfile.ZipInfo(name, STORED_WORD)
    packed = name.endswith(PACKED_ALREADY)
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    if isinstance(part, bytes):
        archive.writestr(info, part)
        return
    info.file_size = part.stat().st_size
    with part.open("rb") as source, archive.open(info, "w") as file:
        shutil.copyfileobj(source, file, gate.CHUNK)


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    with gate.reading(path, *DAMAGE) as size:
        check_list(path, size)
        with zipfile.ZipFile(path) as archive:
            yield archive


def check_list(path: Path, size: int) -> None:
    """Refuse a list of members that would fill the memory before the first of them is looked at.

    `zipfile` makes an object of each as soon as it opens a file of `size` bytes.

    Raises
    ------
    FileProblem
        If it is too long, or there is none.
    """
    tail = min(size, END_64.size + TO_END_64.size + END.size + 0xFFFF)
    with path.open("rb") as file:
        file.seek(-tail, os.SEEK_END)
        content = file.read(tail)
    at = content.rfind(b"PK\x05\x06")
    if at < 0 or at + END.size > tail:
        raise FileProblem(f"Damaged archive: {path.name} is no whole zip.", hint="Copy or download it again.")
    count, length = _listed(content, at)
    if count > MOST_MEMBERS or length > MOST_LISTED:
        raise FileProblem(f"Too many files: {path.name} lists more than {MOST_MEMBERS:,}.", hint="Unpack it yourself.")


def _listed(content: bytes, at: int) -> tuple[int, int]:
    """Give how many members the end of a zip names, and the bytes of their list, as `zipfile` takes them."""
    count, length = END.unpack_from(content, at)[4:6]
    large = at - TO_END_64.size - END_64.size
    if large < 0 or content[large : large + 4] != b"PK\x06\x06" or content[large + END_64.size :][:4] != b"PK\x06\x07":
        return count, length
    return END_64.unpack_from(content, large)[7:9]


def _check_member(path: Path, info: zipfile.ZipInfo) -> None:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise FileProblem(f"A link or device in {path.name}: {info.filename[:80]!r}.", hint="Pack plain files.")
    if info.flag_bits & 1:
        raise FileProblem(f"Encrypted: {path.name} asks for a password.", hint="Unpack it yourself.")


def _check_size(path: Path, total: int) -> None:
    if total > MOST_BYTES or total > max(SMALL, MOST_RATIO * path.stat().st_size):
        raise _bomb(path, total)


def _bomb(path: Path, total: int) -> FileProblem:
    return FileProblem(
        f"Too large when unpacked: {path.name} of {path.stat().st_size:,} bytes would become {total:,}.",
        hint="No honest model packs so small: it may be a zip bomb.",
    )
