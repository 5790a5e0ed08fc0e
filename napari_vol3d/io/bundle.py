"""Files that belong together, in a folder or in a zip: each is named, and never leaves what it belongs to."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io import gate, zip_files
from napari_vol3d.io.zip_files import safe_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A folder, or a zip, of files that are read one by one; nothing is unpacked.

    Attributes
    ----------
    path : Path
        The folder or the zip.
    inside : str
        Folder of the zip that all of it lies in: "" or "name/".
    members : mapping of str to ZipInfo, or None
        The files of a zip by their whole names; None: a folder, which may hold much else and is not listed.
    """

    path: Path
    inside: str = ""
    members: Mapping[str, zipfile.ZipInfo] | None = field(default=None, repr=False)

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        if self.members is not None:
            return self.inside + safe_name(name) in self.members
        return (self.path / safe_name(name)).is_file()

    def size(self, name: str) -> int:
        """Give the bytes of a file, unpacked."""
        return self._file(name).stat().st_size if self.members is None else self._member(name).file_size

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file for reading.

        Raises
        ------
        FileProblem
            If there is none of this name, it is a link, or the zip is damaged.
        """
        if self.members is not None:
            with zip_files.opened_member(self.path, self._member(name)) as packed:
                yield packed
            return
        path = self._file(name)
        with gate.reading(path), path.open("rb") as file:
            yield file

    def read(self, name: str, *, most: int) -> bytes:
        """Read a file of at most so many bytes.

        Raises
        ------
        FileProblem
            As `opened`, or if it is larger.
        """
        if self.size(name) > most:
            raise FileProblem(f"Too large: {name} has {self.size(name):,} bytes, {most:,} are the most.")
        with self.opened(name) as file:
            return file.read(most)

    def sha256(self, name: str) -> str:
        """Give the SHA-256 of a file, in hexadecimal."""
        digest = hashlib.sha256()
        with self.opened(name) as file:
            while chunk := file.read(gate.CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def copy(self, name: str, target: Path) -> None:
        """Copy a file to `target`, which must not be there; a zip may not have packed it beyond all reason."""
        if self.members is not None:
            zip_files.copy_member(self.path, self._member(name), target)
            return
        path = self._file(name)
        if path.stat().st_size > zip_files.MOST_BYTES:
            raise FileProblem(f"Too large: {name} has {path.stat().st_size:,} bytes.")
        with gate.reading(path), path.open("rb") as source:
            zip_files.fill_new(target, source)

    def _member(self, name: str) -> zipfile.ZipInfo:
        whole = self.inside + safe_name(name)
        if self.members is None or whole not in self.members:
            raise _missing(self.path, name)
        return self.members[whole]

    def _file(self, name: str) -> Path:
        path = self.path
        for part in safe_name(name).split("/"):
            path = path / part
            if path.is_symlink():
                raise FileProblem(f"A link in {self.path.name}: {name[:80]}.", hint="Put the file itself there.")
        if not path.is_file():
            raise _missing(self.path, name)
        return path


def open_bundle(path: Path) -> Bundle:
    """Look into a folder or a zip; where all of a zip lies in one folder, names count from there.

    Raises
    ------
    FileProblem
        If it is neither, or the zip is damaged or hostile.
    """
    if path.is_dir():
        return Bundle(path=path)
    gate.regular_file(path)
    if not zip_files.looks_like_zip(path):
        raise FileProblem(f"Neither folder nor zip: {path.name}.")
    found = zip_files.members(path)
    tops = {name.partition("/")[0] for name in found if not name.startswith("__MACOSX/")}
    nested = len(tops) == 1 and all("/" in name for name in found)
    return Bundle(path=path, inside=f"{tops.pop()}/" if nested else "", members=found)


def _missing(path: Path, name: str) -> FileProblem:
    return FileProblem(f"A file is missing in {path.name}: {name[:80]}.", hint="Download the whole package.")
