"""Voxels as bytes and back."""

from __future__ import annotations

import zlib
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.edits import Edit
from napari_vol3d.review.coding import edit_dtype, pack, pack_array, unpack, unpack_array
from tests.review.scripts import random_edit

TYPES = (np.uint8, np.uint16, np.uint32, np.uint64)


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 2**31), dtype=st.sampled_from(TYPES), timed=st.booleans())
def test_an_edit_comes_back_with_every_changed_voxel(seed: int, dtype: type, timed: bool) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 200, ((2,) if timed else ()) + (4, 9, 9)).astype(dtype)
    edit = random_edit(labels, rng)
    again = unpack(pack(edit), edit.box, dtype=edit_dtype(edit), name=edit.name, frame=edit.frame)
    changed = edit.changed
    np.testing.assert_array_equal(again.changed, changed)
    np.testing.assert_array_equal(again.before[changed], edit.before[changed])
    np.testing.assert_array_equal(again.after[changed], edit.after[changed])
    assert (again.box, again.frame, again.after.dtype) == (edit.box, edit.frame, edit.after.dtype)
    one, other = labels.copy(), labels.copy()
    edit.apply(one)
    again.apply(other)
    np.testing.assert_array_equal(one, other)
    again.undo(other)
    np.testing.assert_array_equal(other, labels)


def test_a_wider_type_after_than_before_is_kept() -> None:
    before, after = np.zeros((1, 1, 2), np.uint8), np.array([[[0, 70_000]]], np.uint32)
    edit = Edit.between("far id", before, after)
    assert edit is not None
    assert edit_dtype(edit) == np.uint32
    assert unpack(pack(edit), edit.box, dtype=edit_dtype(edit), name="").after.max() == 70_000


def test_a_stroke_on_real_labels_needs_few_bytes(shared_data: Path) -> None:
    path = sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[0]
    labels = np.asarray(nib.load(path).dataobj).astype(np.uint16).T
    wider = np.where(ndimage.binary_dilation(labels == 1) & (labels == 0), 1, labels).astype(np.uint16)
    edit = Edit.between("grow", labels, wider)
    assert edit is not None
    assert len(pack(edit)) < edit.box.size / 8 < edit.before.nbytes / 10


@pytest.mark.parametrize("data", [b"", b"no zlib", zlib.compress(b"\1"), zlib.compress(b"\7" * 40)])
def test_bytes_of_something_else_are_refused(data: bytes) -> None:
    edit = random_edit(np.zeros((4, 4, 4), np.uint16), np.random.default_rng(0))
    with pytest.raises(ValueError, match="expected"):
        unpack(data, edit.box, dtype=np.dtype(np.uint16), name="")


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 4, 5), (0, 4, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.dtype(">u2"), np.uint32])
def test_whole_arrays_come_back(shape: tuple[int, ...], dtype: np.dtype) -> None:
    array = np.random.default_rng(1).integers(0, 250, shape).astype(dtype)
    for held in (array, np.asfortranarray(array), array[..., ::-1]):
        again = unpack_array(pack_array(held), shape, held.dtype)
        np.testing.assert_array_equal(again, held)
        again[...] = 1  # its own
