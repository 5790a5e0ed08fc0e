"""Only what was corrected is replayed on, and nothing is left out in silence."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.records import Layer
from napari_vol3d.review.replay import replay
from tests.review.scripts import first_labels, layer_of, random_edit


def test_other_labels_are_refused(tmp_path: Path) -> None:
    first, journal = first_labels(), Journal.open(tmp_path / "a.journal")
    layer = layer_of(first)
    edit = random_edit(first, np.random.default_rng(0), "first stroke")
    journal.append(layer, edit)
    kept = first.copy()
    assert not np.array_equal(replay(journal, layer, first), first)
    np.testing.assert_array_equal(first, kept)  # the base is left alone
    with pytest.raises(ScanMismatch, match="'first stroke', does not fit"):
        replay(journal, layer, first + 1)
    with pytest.raises(ScanMismatch, match="another shape"):
        replay(journal, layer, first[1:])
    with pytest.raises(ScanMismatch, match="not what they were made on"):
        replay(journal, layer)


def test_a_wider_type_is_taken_where_an_id_needs_it(tmp_path: Path) -> None:
    first, journal = np.zeros((2, 3, 4), np.uint8), Journal.open(tmp_path / "a.journal")
    layer = layer_of(first)
    journal.add_layer(layer, base=first)
    wide = first.astype(np.uint16)
    wide[1, 1, 1] = 300
    edit = Edit.between("far id", first, wide)
    assert edit is not None
    journal.append(layer, edit)
    again = replay(journal, layer)
    assert again.dtype == np.uint16
    np.testing.assert_array_equal(again, wide)
    journal.undo(layer)
    assert replay(journal, layer).dtype == np.uint8


def test_real_labels_through_many_steps(tmp_path: Path, shared_data: Path) -> None:
    path = sorted((shared_data / "hippocampus" / "labels").glob("*.nii.gz"))[0]
    labels = np.asarray(nib.load(path).dataobj).astype(np.uint16).T
    layer, journal = Layer.of(labels, scan="ef" * 32, name=path.stem), Journal.open(tmp_path / "a.journal")
    journal.add_layer(layer, base=labels)
    now = labels.copy()
    for step in range(6):
        grown = ndimage.grey_dilation(now, 3) if step % 2 else ndimage.grey_erosion(now, 3)
        edit = Edit.between(f"step {step}", now, grown)
        assert edit is not None
        edit.apply(now)
        journal.append(layer, edit)
    np.testing.assert_array_equal(replay(Journal.open(journal.path), layer), now)
    while journal.undo(layer):
        pass
    np.testing.assert_array_equal(replay(journal, layer), labels)
