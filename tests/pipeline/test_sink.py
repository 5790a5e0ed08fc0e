"""Labels go where they are told to, and a run in memory begins with nothing."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import label_dtype
from napari_vol3d.core.volume import Geometry
from napari_vol3d.io.label_store import LabelSpec, LabelStore
from napari_vol3d.pipeline.sink import LabelSink, MemoryLabels


def test_memory_keeps_what_is_written_and_outlives_no_run():
    memory = MemoryLabels((4, 5, 6), label_dtype(300))
    assert (memory.array.shape, memory.array.dtype) == ((4, 5, 6), np.uint16)
    assert not memory.array.any()
    box = Box(start=(1, 0, 2), stop=(3, 5, 4))
    memory.write(box, np.full(box.shape, 300, np.uint16))
    assert (memory.array[box.slices] == 300).all()
    assert np.count_nonzero(memory.array) == box.size
    assert list(memory.finished) == []


def test_memory_and_the_store_on_disk_take_the_same_and_only_one_remembers(tmp_path):
    spec = LabelSpec(
        geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), shape=(4, 5, 6), dtype=np.dtype(np.uint8), classes=(), run=""
    )
    halves = [Box(start=(0, 0, 0), stop=(4, 2, 6)), Box(start=(0, 2, 0), stop=(4, 5, 6))]
    memory, store = MemoryLabels((4, 5, 6), np.dtype(np.uint8)), LabelStore.create(tmp_path / "a.zarr", spec)
    sinks: list[LabelSink] = [memory, store]
    for number, box in enumerate(halves, start=1):
        for sink in sinks:
            sink.write(box, np.full(box.shape, number, np.uint8))
    assert [list(sink.finished) for sink in sinks] == [[], halves]


def test_labels_for_which_there_is_no_memory_are_a_sentence_with_a_way_on():
    with pytest.raises(Vol3dError, match=r"^Too large for memory: the labels .* 281475 GB\. .*ome\.zarr"):
        MemoryLabels((1 << 16,) * 3, np.dtype(np.uint8))
