"""What is measured is what scikit-image measures, whatever the labels; tables by class agree with those of objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import label, regionprops

from napari_vol3d.core import object_table
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.object_table import ObjectTable, measure_objects
from napari_vol3d.core.objects import find_objects
from napari_vol3d.io.registry import read_volume

SPACING = (2.5, 0.8, 1.1)


def measured(labels: Any, **more: Any) -> ObjectTable:
    verb = measure_objects(labels, SPACING, **more)
    while True:
        try:
            next(verb)
        except StopIteration as end:
            return end.value


def some_labels(seed: int, density: float = 0.3, *, classes: int = 3, dtype: Any = np.uint16) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 9, 3))
    return (rng.integers(1, classes + 1, shape) * (rng.random(shape) < density)).astype(dtype)


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0, 1), classes=st.integers(1, 5))
def test_figures_are_those_of_scikit_image(seed: int, density: float, classes: int) -> None:
    labels = some_labels(seed, density, classes=classes)
    grey = np.random.default_rng(seed + 1).normal(size=labels.shape)
    table = measured(labels, image=grey)
    theirs = {part.coords.tobytes(): part for part in regionprops(label(labels, connectivity=3), grey)}
    assert len(table) == len(theirs)
    for k in range(len(table)):
        begin, length = table.stretches(np.array([k]))
        flat = np.concatenate([np.arange(a, a + n) for a, n in zip(begin, length, strict=True)])
        part = theirs.pop(np.stack(np.unravel_index(flat, labels.shape), axis=1).astype(part_type(theirs)).tobytes())
        assert set(labels.ravel()[flat]) == {table.class_id[k]}
        assert table.voxels[k] == part.num_pixels
        assert table.volume[k] == pytest.approx(part.num_pixels * np.prod(SPACING))
        assert table.centre[k] == pytest.approx(np.array(part.centroid))
        assert (*table.start[k], *table.stop[k]) == part.bbox
        assert table.mean[k] == pytest.approx(part.intensity_mean)
        far = (((part.coords - table.centre[k]) * SPACING) ** 2).sum(axis=1)
        inner = np.flatnonzero((part.coords == table.inner[k]).all(axis=1))
        assert len(inner) == 1
        assert far[inner[0]] == pytest.approx(far.min())


def part_type(parts: dict[bytes, Any]) -> Any:
    return next(iter(parts.values())).coords.dtype


@given(seed=st.integers(0, 2**32 - 1))
def test_numbers_are_those_that_the_mouse_is_told(seed: int) -> None:
    labels = some_labels(seed)
    table = measured(labels)
    assert table.class_id.tolist() == sorted(table.class_id)
    for class_id in {*table.class_id.tolist()}:
        objects = list(find_objects(labels, class_id))[-1]
        rows = np.flatnonzero(table.class_id == class_id)
        assert table.number[rows].tolist() == list(range(1, len(rows) + 1))
        assert [objects.at(tuple(voxel)) for voxel in table.inner[rows].tolist()] == table.number[rows].tolist()
        assert table.voxels[rows].tolist() == list(objects.voxels[1:])


@given(seed=st.integers(0, 2**32 - 1))
def test_classes_are_the_sums_of_their_objects(seed: int) -> None:
    labels = some_labels(seed)
    grey = np.random.default_rng(seed).normal(size=labels.shape)
    table = measured(labels, image=grey)
    classes = table.by_class()
    assert classes.class_id.tolist() == [i for i in np.unique(labels) if i]
    for k, class_id in enumerate(classes.class_id):
        here = np.argwhere(labels == class_id)
        assert classes.number[k] == np.count_nonzero(table.class_id == class_id)
        assert classes.voxels[k] == len(here)
        assert classes.centre[k] == pytest.approx(here.mean(axis=0))
        assert (classes.start[k] == here.min(axis=0)).all()
        assert (classes.stop[k] == here.max(axis=0) + 1).all()
        assert classes.mean[k] == pytest.approx(grey[labels == class_id].mean())
        assert classes.stretches(np.array([k]))[1].sum() == len(here)
        assert (classes.inner[k] == table.inner[table.class_id == class_id][0]).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_what_is_left_is_what_would_be_found(seed: int) -> None:
    labels = some_labels(seed)
    table = measured(labels)
    gone = np.flatnonzero(np.random.default_rng(seed).random(len(table)) < 0.4)
    for begin, length in zip(*table.stretches(gone), strict=True):
        labels.ravel()[begin : begin + length] = 0
    left, anew = table.without(gone), measured(labels)
    for name in ("class_id", "number", "voxels", "centre", "inner", "start", "stop", "first", "begin", "length"):
        assert np.array_equal(getattr(left, name), getattr(anew, name)), name


def test_real_labels_are_measured_as_scikit_image_does(shared_data: Path) -> None:
    for path in sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[:3]:
        labels = np.asarray(read_volume(path).data).astype(np.uint8)
        parts = regionprops(label(labels, connectivity=3))
        assert sorted(measured(labels).voxels.tolist()) == sorted(int(part.num_pixels) for part in parts)


def test_without_an_image_no_mean_is_known() -> None:
    assert np.isnan(measured(some_labels(1)).mean).all()
    grey = np.full((1, 1, 2), np.nan)
    assert np.isnan(measured(np.ones((1, 1, 2), np.uint8), image=grey).mean).all()


def test_it_can_be_stopped_at_each_step_and_counts_its_planes() -> None:
    reports = list(measure_objects(np.zeros((40, 3, 3), np.uint8), SPACING))
    assert [report.done for report in reports] == [*range(0, 40, object_table.AT_A_TIME), 40]
    assert {report.total for report in reports} == {40}


def test_planes_are_read_one_at_a_time() -> None:
    class Lazy:
        shape, read = (6, 5, 4), []

        def __getitem__(self, index: slice) -> np.ndarray:
            self.read.append((index.start, index.stop))
            return np.ones((1, 5, 4), np.uint8)

    lazy = Lazy()
    assert measured(lazy).voxels.tolist() == [120]
    assert lazy.read == [(z, z + 1) for z in range(6)]


def test_nothing_is_a_table_too() -> None:
    for shape in ((3, 4, 5), (0, 4, 5)):
        table = measured(np.zeros(shape, np.uint8))
        for one in (table, table.by_class(), table.without(np.zeros(0, np.int64))):
            assert len(one) == len(one.mean) == len(one.inner) == len(one.stop) == 0


def test_ids_may_be_as_large_as_labels_hold() -> None:
    labels = np.zeros((1, 1, 3), np.uint32)
    labels[0, 0, 1] = np.iinfo(np.uint32).max
    assert measured(labels).class_id.tolist() == [2**32 - 1]


def test_a_tilted_grid_has_smaller_voxels() -> None:
    assert measured(np.ones((1, 1, 2), np.uint8), voxel_volume=1.5).volume.tolist() == [3.0]


def test_bad_input_has_a_way_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Vol3dError, match="another grid"):
        measured(np.ones((2, 2, 2), np.uint8), image=np.ones((2, 2, 3)))
    monkeypatch.setattr(object_table, "MOST_RUNS", 7)
    assert len(measured(np.ones((1, 7, 1), np.uint8))) == 1
    with pytest.raises(Vol3dError, match="too finely grained"):
        measured(np.ones((1, 8, 1), np.uint8))
