"""ZIP archives that networks lie in: what `io.zip_files` proves of any zip, and how a network's file is packed."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.io.network_files.plain_json import AGAIN
from napari_vol3d.io.zip_files import MOST_RATIO, check_list, members

SMALL = 4096  # a few hundred equal bytes pack better than any weights
MOST_INFLATED = 256 << 20  # bytes that are held in memory; Keras itself packs nothing


@contextmanager
def opened(path: Path) -> Iterator[dict[str, zipfile.ZipInfo]]:
    """Give the members of an archive by name; folders are left out.

    Raises
    ------
    ModelProblem
        If it is damaged, a member leaves the archive, is a link, encrypted or twice there, or it is a bomb.
    """
    try:
        found = members(path)
        _check_packing(list(found.values()), path)
        yield found
    except FileProblem as problem:
        raise ModelProblem(problem.message, hint=problem.hint) from problem
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        reason = str(error)[:100]
        raise ModelProblem(f"Damaged archive: {path.name} can't be unpacked ({reason}).", hint=AGAIN) from error


def listed(path: Path) -> list[zipfile.ZipInfo]:
    """List the members of an archive, after it is sure that there are not too many of them; nothing else is proved.

    Raises
    ------
    ModelProblem
        If there are.
    zipfile.BadZipFile
        And what else `zipfile` raises on damage.
    """
    try:
        check_list(path, path.stat().st_size)
    except FileProblem as problem:
        raise ModelProblem(problem.message, hint=problem.hint) from problem
    with zipfile.ZipFile(path) as archive:
        return archive.infolist()


def read_member(path: Path, info: zipfile.ZipInfo, most: int) -> bytes:
    """Give the content of a member, which may have `most` bytes."""
    if info.file_size > most:
        raise ModelProblem(
            f"Too large: {info.filename} of {path.name} declares {info.file_size / 1e6:.0f} MB.",
            hint="Save it without compression, as Keras does.",
        )
    with zipfile.ZipFile(path) as archive, archive.open(info) as member:
        return member.read(most + 1)


@contextmanager
def member_file(path: Path, info: zipfile.ZipInfo) -> Iterator[tuple[IO[bytes], int]]:
    """Open a file that a member lies in as it is, and give where, after its checksum was proved."""
    if info.compress_type != zipfile.ZIP_STORED:
        with tempfile.TemporaryFile() as file:
            file.write(read_member(path, info, MOST_INFLATED))
            file.flush()
            yield file, 0
        return
    with zipfile.ZipFile(path) as archive, archive.open(info) as member:
        while member.read(1 << 22):
            pass
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = file.read(4)
        start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        yield file, start


def _check_packing(found: list[zipfile.ZipInfo], path: Path) -> None:
    """Hold the members against what a network's file is packed like, beyond what is asked of any zip."""
    for info in found:
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            what = f"{info.filename[:80]!r} in {path.name}"
            raise ModelProblem(f"Compression not supported: {what}.", hint="Use deflate.")
        if info.file_size > SMALL and info.file_size > MOST_RATIO * info.compress_size:
            sizes = f"{info.compress_size} bytes to {info.file_size}"
            raise ModelProblem(f"Zip bomb: {info.filename[:80]!r} in {path.name} unpacks {sizes}.")
    if sum(info.compress_size for info in found) > path.stat().st_size:
        raise ModelProblem(f"Damaged archive: members of {path.name} lie over each other.", hint=AGAIN)


def leaves(name: str) -> bool:
    """Whether a path inside a package points out of it, on any system."""
    plain = name.replace("\\", "/")
    return plain.startswith("/") or ":" in plain or "\0" in plain or ".." in PurePosixPath(plain).parts
