"""Whole label volumes as bytes in a project's file, with the checksum that says that they are the same."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.coding import pack_array, unpack_array
from napari_vol3d.review.project.records import Foreseen, Version

Described = TypeVar("Described", Foreseen, Version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voxels:
    """Labels as they are kept."""

    shape: tuple[int, ...]
    dtype: str
    sha256: str
    payload: bytes

    def described(self, record: Described) -> Described:
        """Give a record that says what these voxels are."""
        return replace(record, shape=self.shape, dtype=self.dtype, sha256=self.sha256)


def packed(labels: NDArray[Any]) -> Voxels:
    """Pack labels of an unsigned integer type, shape (Z, Y, X) or (T, Z, Y, X)."""
    shape = tuple(int(length) for length in labels.shape)
    return Voxels(shape=shape, dtype=labels.dtype.name, sha256=labels_sha256(labels), payload=pack_array(labels))


def unpacked(row: Mapping[str, Any], where: str) -> NDArray[Any]:
    """Give the labels of a row, an array of its own.

    Raises
    ------
    FileProblem
        If they are not what was kept.
    """
    try:
        labels = unpack_array(row["payload"], tuple(json.loads(row["shape"])), np.dtype(row["dtype"]))
    except (zlib.error, ValueError, TypeError) as error:
        raise _damaged(where) from error
    if labels_sha256(labels) != row["sha256"]:
        raise _damaged(where)
    return labels


def labels_sha256(labels: NDArray[Any]) -> str:
    """Give the sha256 of labels: their shape, and their ids as 64 bit numbers, so that the type does not matter."""
    digest = hashlib.sha256(json.dumps([int(length) for length in labels.shape]).encode())
    for plane in labels:
        digest.update(np.ascontiguousarray(plane, "<u8").data)
    return digest.hexdigest()


def _damaged(where: str) -> FileProblem:
    return FileProblem(f"These labels are damaged in {where}.", hint="Take them from a backup of the project.")
