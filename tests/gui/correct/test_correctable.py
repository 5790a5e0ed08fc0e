"""Which labels can be corrected, and a sentence for the others."""

from __future__ import annotations

from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.gui.correct.correctable import can_correct, made_unsigned, why_not
from napari_vol3d.gui.correct.desk import Desk
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.test_desk import box, paint


def read_only() -> Any:
    data = np.zeros((3, 4, 5), np.uint8)
    data.flags.writeable = False
    return data


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (np.zeros((4, 5), np.uint8), "2 axes"), (np.zeros((2, 2, 3, 4, 5), np.uint8), "5 axes"),
        (read_only(), "read-only"), (da.zeros((3, 4, 5), dtype=np.uint8), "disk"),
    ],
)  # fmt: skip
def test_it_is_said_why_not(data: Any, word: str) -> None:
    with dask.config.set(scheduler="synchronous"):
        layer = Labels(data, name="mine")
    assert word in why_not(layer)
    assert not can_correct(layer)


def test_volumes_and_series_of_whole_numbers_can() -> None:
    assert can_correct(Labels(np.zeros((3, 4, 5), np.uint16)))
    assert can_correct(Labels(np.zeros((2, 3, 4, 5), np.int32)))
    assert not can_correct(Image(np.zeros((3, 4, 5), np.uint16)))


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64])
def test_signed_ids_are_seen_as_unsigned_in_the_same_memory(dtype: Any) -> None:
    data = np.arange(60, dtype=dtype).reshape(3, 4, 5)
    layer = Labels(data)
    assert made_unsigned(layer)
    assert layer.data.dtype.kind == "u"
    assert layer.data.dtype.itemsize == data.dtype.itemsize
    assert np.array_equal(layer.data, data)
    layer.data[0, 0, 0] = 77
    assert data[0, 0, 0] == 77


def test_negative_ids_are_left_alone() -> None:
    data = np.full((3, 4, 5), -1, np.int16)
    layer = Labels(data)
    assert not made_unsigned(layer)
    assert layer.data is data


def test_labels_of_a_signed_type_are_corrected_in_their_own_memory(
    qtbot: Any, viewer: Viewer, desk: Desk
) -> None:
    theirs = np.zeros((6, 6, 6), np.int32)
    theirs[0] = 70_000
    layer = viewer.add_labels(theirs)
    record = desk.record
    assert record is not None
    assert layer.data.dtype == np.uint32
    record.do(paint(record, box(2, 4), 5))
    assert theirs[2, 2, 2] == 5
    theirs[5, 5, 5] = 7
    layer.refresh()
    qtbot.waitUntil(lambda: len(record.history.steps) == 2, timeout=WAIT_MS)
