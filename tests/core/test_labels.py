from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import classes_for, default_color, label_dtype, looks_like_labels, to_label_dtype
from napari_vol3d.core.phantom import nuclei

UNSIGNED = [np.uint8, np.uint16, np.uint32]
INTEGERS = [*UNSIGNED, np.uint64, np.int8, np.int16, np.int32, np.int64]


@given(
    labels=st.sampled_from(INTEGERS).flatmap(
        lambda t: hnp.arrays(t, (2, 3, 4), elements=st.integers(0, min(np.iinfo(t).max, 2**32 - 1)))
    )
)
@settings(deadline=None, max_examples=80)
def test_no_id_changes_and_the_type_is_the_smallest(labels: np.ndarray) -> None:
    found = to_label_dtype(labels)
    assert np.array_equal(found.astype(np.int64), labels.astype(np.int64))
    smaller = [t for t in UNSIGNED if np.iinfo(t).max < labels.max()]
    assert found.dtype == UNSIGNED[len(smaller)]


@given(labels=hnp.arrays(np.float64, (2, 3, 4), elements=st.integers(0, 2**32 - 1).map(float)))
@settings(deadline=None, max_examples=40)
def test_whole_floats_are_ids(labels: np.ndarray) -> None:
    assert np.array_equal(to_label_dtype(labels).astype(float), labels)


@given(labels=hnp.arrays(np.int64, (2, 2, 2), elements=st.integers(0, 2**34)), wanted=st.sampled_from(UNSIGNED))
@settings(deadline=None, max_examples=80)
def test_a_type_that_is_too_narrow_is_refused_not_wrapped(labels: np.ndarray, wanted: type) -> None:
    if labels.max() > np.iinfo(wanted).max:
        with pytest.raises(Vol3dError, match="does not fit"):
            to_label_dtype(labels, np.dtype(wanted))
    else:
        assert np.array_equal(to_label_dtype(labels, np.dtype(wanted)), labels)


@pytest.mark.parametrize(
    ("value", "message"),
    [(-1, "negative"), (-1.0, "negative"), (0.5, "not whole"), (np.nan, "not whole"), (np.inf, "not whole"),
     (2**32, "too large"), (2.0**40, "too large")],
)  # fmt: skip
def test_what_is_no_id_is_refused(value: float, message: str) -> None:
    labels = np.zeros((2, 2, 2), type(value) if isinstance(value, float) else np.int64)
    labels[1, 1, 1] = value
    with pytest.raises(Vol3dError, match=message):
        to_label_dtype(labels)


def test_masks_and_empty_arrays_become_labels() -> None:
    assert to_label_dtype(np.array([[[True, False]]])).tolist() == [[[1, 0]]]
    assert to_label_dtype(np.zeros((0, 3, 3), np.int64)).dtype == np.uint8
    assert label_dtype(255) == np.uint8
    assert label_dtype(256) == np.uint16


def test_classes_have_names_and_colours_that_differ() -> None:
    classes = classes_for(np.array([0, 2, 5, 2, 530]), {2: "kidney"})
    assert [(item.id, item.name) for item in classes] == [(2, "kidney"), (5, "class 5"), (530, "class 530")]
    colours = [default_color(i) for i in range(1, 60)]
    assert len(set(colours)) == len(colours)
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in colours)


def test_synthetic_labels_and_their_image_are_told_apart() -> None:
    image, labels = nuclei(seed=2)
    assert looks_like_labels(labels) is True
    assert looks_like_labels(image) is False
    assert looks_like_labels(labels.astype(np.float32)) is True
    assert looks_like_labels(labels > 0) is True
    assert looks_like_labels((labels > 0).astype(np.uint8) * 255) is None  # a camera's mask: who knows
    assert looks_like_labels(image.astype(np.int32) - 5000) is False
    assert looks_like_labels(labels[0]) is False  # no volume


def test_an_unsure_case_asks() -> None:
    assert looks_like_labels(np.zeros((5, 5, 5), np.uint8)) is False
    many = np.repeat(np.repeat(np.arange(1200, dtype=np.uint16).reshape(12, 10, 10), 6, 1), 6, 2)
    assert looks_like_labels(many) is None  # more ids than classes ever have: instances, or a coarse scan
    lonely = np.zeros((9, 600, 600), np.uint8)  # the one labelled plane is not among those that are looked at
    lonely[3, 5, 5] = 1
    assert looks_like_labels(lonely) in (None, True)


LABEL_MAPS = [
    "hippocampus/labels/hippocampus_001.nii.gz", "hippocampus/labels/hippocampus_325.nii.gz",
    "scans/3DCT_lung_baseline_mask.mha", "scans/brain1_label.nrrd", "scans/breast1_label.nrrd",
    "scans/spine_t1/t1w_seg-manual.nii.gz", "scans/spine_t2/t2_seg-manual.nii.gz", "scans/example_seg.nii.gz",
    "scans/ms_patient19/GOLD_STANDARD_N4_noneck_reduced_winsor_regtoFLAIR_regtoMNI.nii.gz",
    "scans/aparc_labels/training_seg_01.nii.gz", "scans/aparc_labels/training_seg_02.nii.gz",
    "microscopy/axons/label-0.tiff", "microscopy/axons/label-5.tiff",
    "models/expected/t1_crop__meshnet_t1_gwm.nii.gz", "models/expected/t1_crop__deepbrain_mask.nii.gz",
]  # fmt: skip
DOUBTFUL = ["microscopy/nuclei_8cell/nsn.tif", "microscopy/nuclei_8cell/ndn.tif"]  # 0 and 255
SCANS = [
    "hippocampus/images/hippocampus_001.nii.gz", "hippocampus/images/hippocampus_014.nii.gz",
    "scans/3DCT_lung_baseline.mha", "scans/brain1_image.nrrd", "scans/breast1_image.nrrd", "scans/t1_crop.nii.gz",
    "scans/chris_t1.nii.gz", "scans/chris_PD.nii.gz", "scans/CT_AVM.nii.gz", "scans/MR_Gd.nii.gz",
    "scans/spmMotor.nii.gz", "scans/example_ct_sm.nii.gz", "scans/spine_t1/t1w.nii.gz", "scans/spine_t2/t2.nii.gz",
    "microscopy/c5image.tif", "microscopy/test_very_small.tif", "microscopy/nuclei_8cell/raw.tif",
    "microscopy/axons/volume-0.tiff", "dicom/compressed/compressed_truth.nii.gz", "scans/nibabel/standard.nii.gz",
]  # fmt: skip


def voxels(path: Path) -> np.ndarray:
    """Read by the format's own library: formats are not what is tested here."""
    if path.suffix in (".mha", ".nrrd"):
        sitk = pytest.importorskip("SimpleITK")
        return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    if path.suffix in (".tif", ".tiff"):
        import tifffile

        return tifffile.imread(path)
    import nibabel

    return np.asanyarray(nibabel.load(path).dataobj)


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_real_label_maps_are_known(shared_data: Path, name: str) -> None:
    assert looks_like_labels(voxels(shared_data / name)) is True


@pytest.mark.parametrize("name", DOUBTFUL)
def test_camera_masks_are_asked_about(shared_data: Path, name: str) -> None:
    assert looks_like_labels(voxels(shared_data / name)) is None


@pytest.mark.parametrize("name", SCANS)
def test_real_scans_are_never_labels(shared_data: Path, name: str) -> None:
    assert looks_like_labels(voxels(shared_data / name)) is False
