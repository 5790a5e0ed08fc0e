"""A training folder is read once, split by scan, and numbered as the network counts."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.pipeline.dataset import PLACES_PER_CLASS, Pair, Survey, find_pairs, number_classes, split, unpack
from napari_vol3d.pipeline.settings import TrainSettings
from tests.builders import phantom, save_nifti, write_training_folder


def pairs(count):
    return [Pair(name=f"s{i}", image=None, labels=None) for i in range(count)]


def names(part):
    return [pair.name for pair in part]


def test_pairs_are_found_whatever_their_extensions(tmp_path):
    data = write_training_folder(tmp_path, scans=2)
    np.save(data / "images" / "other.npy", np.zeros((3, 3, 3), np.float32))
    save_nifti(data / "labels" / "other.nii.gz", np.zeros((3, 3, 3), np.uint8))
    np.save(data / "images" / "lonely.v2.npy", np.zeros((3, 3, 3), np.float32))
    (data / "images" / "notes.txt").write_text("not a scan")
    found, alone = find_pairs(data)
    assert names(found) == ["case_0", "case_1", "other"]
    assert alone == ["lonely.v2: no labels"]


@pytest.mark.parametrize("missing", ["images", "labels"])
def test_a_missing_folder_is_named(tmp_path, missing):
    (tmp_path / ({"images", "labels"} - {missing}).pop()).mkdir()
    with pytest.raises(FileProblem, match=f"No folder {missing}/"):
        find_pairs(tmp_path)


def test_no_pair_at_all(tmp_path):
    for kind in ("images", "labels"):
        (tmp_path / kind).mkdir()
        np.save(tmp_path / kind / f"{kind}.npy", np.zeros((2, 2, 2)))
    with pytest.raises(FileProblem, match="same name"):
        find_pairs(tmp_path)


@given(count=st.integers(3, 40), validation=st.floats(0, 0.5), test=st.floats(0, 0.4), seed=st.integers(0, 99))
def test_a_split_by_shares_uses_every_scan_once(count, validation, test, seed):
    settings = TrainSettings(validation_share=validation, test_share=test, seed=seed)
    dataset = split(pairs(count), settings)
    assert sorted(names(dataset.train) + names(dataset.validation) + names(dataset.test)) == sorted(names(pairs(count)))
    assert dataset.train
    assert dataset.validation
    assert len(dataset.test) == round(test * count)
    assert dataset == split(pairs(count), settings)


def test_a_split_by_names():
    dataset = split(pairs(6), TrainSettings(validation=("s1",), test=("s2", "s5")))
    assert names(dataset.train) == ["s0", "s3", "s4"]
    assert names(dataset.validation) == ["s1"]
    assert names(dataset.test) == ["s2", "s5"]


def test_a_test_scan_is_never_chosen_with():
    dataset = split(pairs(6), TrainSettings(validation=("s1", "s2"), test=("s2",)))
    assert names(dataset.validation) == ["s1"]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_scans(count):
    settings = TrainSettings(test=("s1",)) if count == 2 else TrainSettings()
    with pytest.raises(FileProblem, match="too few"):
        split(pairs(count), settings)


def test_a_name_that_is_not_there():
    with pytest.raises(FileProblem, match="s9"):
        split(pairs(3), TrainSettings(validation=("s9",)))


def read(folder, cache, numbers=(0,)):
    survey, cases = Survey(), []
    for pair in find_pairs(folder)[0]:
        if int(pair.name[-1]) in numbers:
            cases.append(unpack(pair, cache, IntensityScheme(), survey))
    return survey, cases


def test_a_scan_is_unpacked_normalised_and_surveyed(tmp_path, training_folder):
    survey, cases = read(training_folder, tmp_path, (0, 1, 2))
    image = np.load(cases[0].image)
    assert (image.shape, image.dtype) == ((20, 24, 18, 1), np.float32)
    assert abs(float(image.mean())) < 0.02
    assert float(image.std()) == pytest.approx(1, abs=0.05)
    assert (survey.class_ids, survey.channels, survey.unit) == ((3, 7), ("image",), "mm")
    assert survey.spacing == pytest.approx((1.0, 1.0, 1.0))
    assert survey.largest == (21, 24, 18)
    assert survey.anatomical


def test_classes_are_numbered_and_their_places_are_true(tmp_path, training_folder):
    survey, (case,) = read(training_folder, tmp_path)
    original = np.load(case.labels)
    number_classes(case, survey)
    numbered, places = np.load(case.labels), np.load(case.places)
    np.testing.assert_array_equal(numbered, np.select([original == 3, original == 7], [1, 2], 0))
    assert numbered.dtype == np.uint8
    assert (numbered[tuple(places[:, 1:].T)] == places[:, 0]).all()
    for number in (1, 2):
        assert (places[:, 0] == number).sum() == min(PLACES_PER_CLASS, (numbered == number).sum())
    assert len(np.unique(places, axis=0)) == len(places)


def test_a_class_that_a_scan_lacks_keeps_its_number(tmp_path):
    data = write_training_folder(tmp_path / "data", scans=2)
    save_nifti(data / "labels" / "case_0.nii.gz", np.where(phantom()[1] == 7, 7, 0).astype(np.uint8))
    survey, cases = read(data, tmp_path, (0, 1))
    number_classes(cases[0], survey)
    assert set(np.unique(np.load(cases[0].labels))) == {0, 2}
    assert set(np.load(cases[0].places)[:, 0]) == {2}


@pytest.mark.parametrize("change", ["shape", "spacing"])
def test_labels_on_another_grid(tmp_path, change):
    data = write_training_folder(tmp_path / "data", scans=1)
    labels = phantom()[1]
    save_nifti(
        data / "labels" / "case_0.nii.gz", labels[:-1] if change == "shape" else labels,
        spacing=(2.0, 1.0, 1.0) if change == "spacing" else (1.0, 1.0, 1.0),
    )  # fmt: skip
    with pytest.raises(ScanMismatch, match="case_0"):
        read(data, tmp_path)


def test_too_many_classes(tmp_path):
    data = write_training_folder(tmp_path / "data", scans=1)
    save_nifti(data / "labels" / "case_0.nii.gz", (np.arange(20 * 24 * 18) % 300).reshape(20, 24, 18).astype(np.uint16))
    survey, (case,) = read(data, tmp_path)
    with pytest.raises(ScanMismatch, match="classes"):
        number_classes(case, survey)


@pytest.mark.parametrize("odd", ["spacing", "channels"])
def test_a_scan_unlike_the_others_is_refused_by_name(tmp_path: Path, odd: str) -> None:
    shape = (8, 8, 8)
    for name in ("a", "b"):
        different = name == "b"
        spacing = (2.0, 2.0, 2.0) if different and odd == "spacing" else (1.0, 1.0, 1.0)
        affine = np.diag((*spacing, 1.0))
        image = np.zeros((*shape, 2) if different and odd == "channels" else shape, np.float32)
        for kind, voxels in (("images", image), ("labels", np.ones(shape, np.uint8))):
            (tmp_path / kind).mkdir(exist_ok=True)
            nib.save(nib.Nifti1Image(voxels, affine), tmp_path / kind / f"{name}.nii.gz")
    pairs, _ = find_pairs(tmp_path)
    cache, survey = tmp_path / "cache", Survey()
    cache.mkdir()
    unpack(pairs[0], cache, IntensityScheme(), survey)
    with pytest.raises(ScanMismatch, match="b has"):
        unpack(pairs[1], cache, IntensityScheme(), survey)
