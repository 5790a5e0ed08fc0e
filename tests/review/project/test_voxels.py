"""Labels in a row are those that were put in, or it is said that they are not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.review.project.records import Foreseen
from napari_vol3d.review.project.voxels import labels_sha256, packed, unpacked


def labels(dtype: str = "uint16") -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).integers(0, 250, (5, 6, 7)).astype(dtype)


def row(**changed: object) -> dict[str, Any]:
    voxels = packed(labels())
    made = voxels.described(Foreseen(case="c", model="m", model_sha256=""))
    return {**made.row(), "payload": voxels.payload, **changed}


def test_labels_come_back_bit_for_bit() -> None:
    found = unpacked(row(), "study.vol3d")
    assert np.array_equal(found, labels())
    assert found.dtype == np.uint16
    assert found.flags.writeable


def test_the_checksum_knows_ids_and_shape_and_not_the_type() -> None:
    wanted = labels_sha256(labels())
    assert labels_sha256(labels("uint8")) == labels_sha256(labels("uint32")) == wanted
    assert labels_sha256(np.asfortranarray(labels())) == wanted
    assert labels_sha256(labels().reshape(6, 5, 7)) != wanted
    other = labels()
    other[4, 5, 6] += 1
    assert labels_sha256(other) != wanted


@pytest.mark.parametrize(
    "damage", [{"payload": b"no zlib"}, {"sha256": "0" * 64}, {"shape": json.dumps([5, 6, 8])}]
)
def test_damaged_labels_are_never_shown(damage: dict[str, Any]) -> None:
    with pytest.raises(FileProblem, match="damaged in study"):
        unpacked(row(**damage), "study.vol3d")
