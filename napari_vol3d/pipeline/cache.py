"""Finished patches, kept by what they were computed from: a repeated or extended run is free."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

MOST_BYTES = 1_000_000_000
MOST_CONSTANT = 256  # results of patches without any contrast: one for each value and place of the core


class ResultCache:
    """Labels by a digest of everything they depend on.

    Patches without contrast, the air around a specimen, are always kept in memory; all on disk, where `on_disk` says
    so, the longest unused first to go. A damaged or lost file is a patch computed again, never an error.

    Parameters
    ----------
    fingerprint : str
        What all patches of the run have in common: weights, intensities, versions.
    """

    def __init__(self, fingerprint: str, *, on_disk: bool) -> None:
        self._fingerprint = fingerprint.encode()
        self._folder = user_cache_path("napari-vol3d") / "patches" if on_disk else None
        self._constant: dict[str, NDArray[Any]] = {}
        self._flat: set[str] = set()  # keys of patches without contrast

    def key(self, voxels: NDArray[Any], place: str) -> str:
        """Give the digest of a patch; `place` says which part of it is wanted, and how it is resampled.

        It is empty where nothing is kept of such a patch: on a GPU computing is quicker than going through its voxels.
        """
        first = voxels[0, 0, 0]
        flat = bool((voxels[0] == first).all()) and bool((voxels == first).all())
        if not flat and self._folder is None:
            return ""
        digest = hashlib.blake2b(self._fingerprint, digest_size=20)
        digest.update(f"{place} {voxels.dtype} {voxels.shape}".encode())
        if flat:
            digest.update(b"constant" + first.tobytes())
            self._flat.add(digest.hexdigest())
        else:
            digest.update(np.ascontiguousarray(voxels).data)
        return digest.hexdigest()

    def get(self, key: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any] | None:
        """Give the labels of a patch, None where they are not known."""
        if key in self._constant:
            return self._constant[key]
        if self._folder is None or not key:
            return None
        path = self._path(key)
        try:
            labels = np.frombuffer(zlib.decompress(path.read_bytes()), dtype).reshape(shape)
        except (OSError, zlib.error, ValueError):
            return None
        with contextlib.suppress(OSError):  # a disk that can only be read still serves
            os.utime(path)  # used: it may stay
        return labels

    def put(self, key: str, labels: NDArray[Any]) -> None:
        """Keep the labels of a patch."""
        if key in self._flat and len(self._constant) < MOST_CONSTANT:
            self._constant[key] = labels
        if self._folder is None or not key:
            return
        path = self._path(key)
        beside = path.with_suffix(f".{os.getpid()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(zlib.compress(np.ascontiguousarray(labels).data, 1))
            beside.replace(path)
        except OSError:  # a full or read-only disk: the run goes on without a cache
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Remove what was unused longest, down to `MOST_BYTES`."""
        if self._folder is None or not self._folder.is_dir():
            return
        found: list[tuple[float, int, Path]] = []
        for path in self._folder.rglob("*"):
            with contextlib.suppress(OSError):
                state = path.stat()
                if path.is_file():
                    found.append((state.st_mtime, state.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= MOST_BYTES:
                break
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size

    def _path(self, key: str) -> Path:
        folder = self._folder or Path()
        return folder / key[:2] / key
