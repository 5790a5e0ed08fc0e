"""A training folder: pairs that train takes, splits that keep a subject together, voxels bit for bit."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.io.label_files import read_sidecar
from napari_vol3d.io.registry import read_volume
from napari_vol3d.pipeline.dataset import Survey, find_pairs, split, unpack
from napari_vol3d.pipeline.settings import TrainSettings
from napari_vol3d.review.project.outgoing import Accepted
from napari_vol3d.review.project.records import Case, ImageRef, Reading, Version
from napari_vol3d.review.project.store import Project
from napari_vol3d.review.project.training_export import export_training, split_by_subject
from tests.builders import finish, phantom, save_nifti
from tests.review.project.studies import CLASSES, IDS, accept_labels, hippocampi

SHARES = {"seed": 3, "validation_share": 0.25, "test_share": 0.25}


@pytest.fixture
def exported(shared_data, tmp_path):
    project = hippocampi(
        shared_data, tmp_path / "study", count=6, accepted=5, subjects=("p1", "p1", "p2", "p3", "p4", "p5")
    )  # fmt: skip
    return project, finish(export_training(project, tmp_path / "out", **SHARES))[1]


def test_train_takes_it(shared_data, exported):
    _, made = exported
    pairs, alone = find_pairs(made.folder)
    assert ([pair.name for pair in pairs], alone) == ([f"case-000{n}" for n in range(1, 6)], [])
    for pair, number in zip(pairs, IDS, strict=False):
        for path, kind in ((pair.image, "images"), (pair.labels, "labels")):
            given = shared_data / f"hippocampus/{kind}/hippocampus_{number:03d}.nii.gz"
            own, source = nib.load(path), nib.load(given)
            np.testing.assert_array_equal(np.asarray(own.dataobj), np.asarray(source.dataobj))
            np.testing.assert_array_equal(own.affine, source.affine)
    assert read_sidecar(made.folder / "classes.json") == CLASSES
    recipe = TrainSettings.of(json.loads((made.folder / "recipe.json").read_text()))
    parts = split(pairs, recipe)
    for part in ("train", "validation", "test"):
        assert [pair.name for pair in getattr(parts, part)] == made.splits[part]
    assert recipe.class_names == {1: "anterior", 2: "posterior"}


def test_train_reads_each_pair(exported, tmp_path):
    survey = Survey()
    for pair in find_pairs(exported[1].folder)[0]:
        unpack(pair, tmp_path, IntensityScheme(), survey)
    assert (survey.scans, survey.class_ids, survey.spacing, survey.anatomical) == (5, (1, 2), (1.0, 1.0, 1.0), True)


def test_an_older_export_is_not_mixed_in(exported):
    project, made = exported
    with pytest.raises(FileProblem, match="there already"):
        next(export_training(project, made.folder, **SHARES))


@pytest.mark.parametrize("seed", range(5))
def test_no_subject_is_in_two_parts(seed):
    cases = [accepted(f"c{n}", subject=f"p{n // 3}" if n < 30 else "") for n in range(36)]
    parts = split_by_subject(cases, seed=seed, validation_share=0.2, test_share=0.2)
    assert sorted(name for names in parts.values() for name in names) == sorted(one.name for one in cases)
    assert all(parts.values())
    subjects = [{one.case.subject or one.name for one in cases if one.name in names} for names in parts.values()]
    assert sum(map(len, subjects)) == len(set.union(*subjects))
    assert parts == split_by_subject(cases[::-1], seed=seed, validation_share=0.2, test_share=0.2)


def test_few_subjects_leave_one_to_train_on():
    two = split_by_subject([accepted("a"), accepted("b")], seed=1, validation_share=0.9, test_share=0.9)
    assert [len(names) for names in two.values()] == [1, 1, 0]
    one = split_by_subject([accepted("a", subject="p"), accepted("b", subject="p")], seed=1, **{
        "validation_share": 0.5, "test_share": 0.5})  # fmt: skip
    assert one == {"train": ["a", "b"], "validation": [], "test": []}


def test_contrasts_on_one_grid_are_channels_in_one_order(tmp_path):
    for name, seed in (("a_T1", 0), ("a_FLAIR", 1), ("b_T1", 2), ("b_FLAIR", 3)):
        save_nifti(tmp_path / f"{name}.nii.gz", phantom(seed=seed)[0])
    project = contrasts(tmp_path, [("a", "T1", "FLAIR"), ("b", "FLAIR", "T1")])
    _, made = finish(export_training(project, tmp_path / "out", **SHARES))
    for name in "ab":
        found = read_volume(tmp_path / f"out/images/{name}.nii.gz")
        sources = [read_volume(tmp_path / f"{name}_{role}.nii.gz").data for role in ("T1", "FLAIR")]
        np.testing.assert_array_equal(found.data, np.stack(sources, axis=-1))
        assert not found.timed
    assert made.notes == ()


def test_contrasts_on_two_grids_are_files_of_their_own_and_that_is_said(tmp_path):
    save_nifti(tmp_path / "a_T1.nii.gz", phantom(seed=0)[0])
    save_nifti(tmp_path / "a_FLAIR.nii.gz", phantom(seed=1)[0], spacing=(3.0, 1.0, 1.0))
    _, made = finish(export_training(contrasts(tmp_path, [("a", "T1", "FLAIR")]), tmp_path / "out", **SHARES))
    assert find_pairs(made.folder)[1] == []
    for written, source in (("images/a", "a_T1"), ("other_images/a_FLAIR", "a_FLAIR")):
        found, meant = (read_volume(p) for p in (made.folder / f"{written}.nii.gz", tmp_path / f"{source}.nii.gz"))
        np.testing.assert_array_equal(found.data, meant.data)
        assert found.geometry.matches(meant.geometry)
    assert "different grids" in made.notes[0]


def contrasts(folder, cases):
    made = [
        Case(name=name, code=name, images=tuple(ImageRef(path=f"{name}_{r}.nii.gz", role=r) for r in roles))
        for name, *roles in cases
    ]
    project = Project.create(folder / "p.vol3d", name="p", cases=made, classes=CLASSES)
    for row in project.rows():
        accept_labels(project, row.reading, phantom()[1], None, who="ann")
    return project


def accepted(name, *, subject=""):
    case = Case(name=name, code=name, images=(), subject=subject)
    return Accepted(case=case, reading=Reading(case=case.key), version=Version(reading="", number=1, who=""), name=name)


@pytest.mark.parametrize("name", ["recipe.json", "splits.json", "classes.json", "other_images/x.nii"])
def test_files_of_ones_own_are_not_replaced(shared_data, tmp_path, name):
    project = hippocampi(shared_data, tmp_path / "study", count=2, accepted=2)
    (tmp_path / "out" / name).parent.mkdir(parents=True)
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(FileProblem, match="there already"):
        finish(export_training(project, tmp_path / "out", **SHARES))
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name.partition("/")[0]]
