"""In a real project: who is compared with whom, on which grid, and that nobody is named."""

from __future__ import annotations

import itertools
from collections.abc import Generator
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from medpy.metric import binary
from scipy import ndimage

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review.project.accepting import accept, undo_accept
from napari_vol3d.review.project.agreement import AgreementTable, agreement_table
from napari_vol3d.review.project.agreement_pairs import pairs_of
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Case, Foreseen, ImageRef, Reading, Version
from napari_vol3d.review.project.store import Project

CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))
SHAPE = (8, 9, 10)
PEOPLE = ("zoe.miller", "ann.smith")


def ran(steps: Generator[Any, None, AgreementTable]) -> AgreementTable:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def save_scan(path: Path, *, unit: str = "mm", zooms: tuple[float, ...] = (0.5, 1.0, 2.0)) -> None:
    """A scan whose held axes (z, y, x) are 2.0, 1.0 and 0.5 apart."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.zeros(SHAPE[::-1], np.uint8), np.diag([*zooms, 1.0]))
    image.header.set_xyzt_units(unit)
    nibabel.save(image, path)


def labels(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.2)
    return np.digitize(smooth, np.quantile(smooth, [0.7, 0.88])).astype(np.uint8)


@pytest.fixture
def study(tmp_path: Path) -> Project:
    cases = []
    for n in (1, 2, 3):
        save_scan(tmp_path / f"Jane_Doe_{n}.nii.gz")
        name = f"Jane_Doe_{n}"
        cases.append(Case(name=name, code=f"case-{n:04d}", images=(ImageRef(path=f"{name}.nii.gz", role="T1"),)))
    return Project.create(tmp_path / "study.vol3d", name="study", cases=cases, classes=CLASSES)


def read(project: Project, case: Case, reader: str, made: np.ndarray, *, repeat: int = 0) -> str:
    """Have a reader accept labels; give the key of the reading."""
    if reader:
        project.assign([Reading(case=case.key, reader=reader, repeat=repeat)], who="boss")
    found = [one for one in project.readings_of(case.key) if (one.reader, one.repeat) == (reader, repeat)]
    accept(project, Version(reading=found[0].key, number=0, who=reader or "boss"), made)
    return found[0].key


def predicted(project: Project, case: Case, made: np.ndarray) -> None:
    keep_prediction(project, Foreseen(case=case.key, model="m 1.0", model_sha256="ab"), made)


def who(project: Project) -> list[tuple[str, str, str]]:
    return [(pair.case, pair.first, pair.second) for pair in pairs_of(project)]


def test_readers_themselves_and_the_model_are_compared(study: Project) -> None:
    first, second, third = study.cases()
    for case in (first, second):
        read(study, case, PEOPLE[0], labels(1))
        read(study, case, PEOPLE[1], labels(2))
    read(study, first, PEOPLE[1], labels(3), repeat=1)
    read(study, second, "", labels(4))
    for case in (first, third):
        predicted(study, case, labels(5))
    assert who(study) == [
        ("case-0001", "reader 1", "reader 1 repeat 1"),
        ("case-0001", "reader 1", "reader 2"),
        ("case-0001", "reader 1", "model"),
        ("case-0001", "reader 1 repeat 1", "model"),
        ("case-0001", "reader 2", "model"),
        ("case-0002", "worklist", "reader 1"),
        ("case-0002", "worklist", "reader 2"),
        ("case-0002", "reader 1", "reader 2"),
    ]


def test_only_what_is_accepted_now_counts_and_the_newest_of_it(study: Project) -> None:
    case = study.cases()[0]
    keys = [read(study, case, person, labels(n)) for n, person in enumerate(PEOPLE)]
    assert who(study) == [("case-0001", "reader 1", "reader 2")]
    accept(study, Version(reading=keys[0], number=0, who=PEOPLE[0]), labels(7))
    predicted(study, case, labels(8))
    predicted(study, case, labels(9))
    pair, *_, last = pairs_of(study)
    np.testing.assert_array_equal(pair.labels(), [labels(1), labels(7)])  # ann.smith is the first
    np.testing.assert_array_equal(last.labels()[1], labels(9))
    for key in keys:
        while study.reading(key).version is not None:
            undo_accept(study, key, who="boss")
    assert who(study) == []


def test_figures_are_those_of_the_labels_on_the_scans_grid(study: Project) -> None:
    for case, (n, person) in itertools.product(study.cases(), enumerate(PEOPLE)):
        read(study, case, person, labels(10 * case.position + n))
    table = ran(agreement_table(pairs_of(study)))
    assert len(table.rows) == 6
    for row in table.rows:
        case = next(case for case in study.cases() if case.code == row.case)
        zoe, ann = (labels(10 * case.position + n) == row.figures.id for n in (0, 1))
        assert row.figures.dice == pytest.approx(binary.dc(ann, zoe), abs=1e-6)
        assert row.figures.hd95_mm == pytest.approx(binary.hd95(ann, zoe, (2.0, 1.0, 0.5)), abs=1e-6)
        assert row.figures.first_ml == pytest.approx(ann.sum() / 1000)
        assert row.figures.name == CLASSES[row.figures.id - 1].name


def test_nobody_is_named(study: Project) -> None:
    for n, person in enumerate(PEOPLE):
        read(study, study.cases()[0], person, labels(n))
    (study.path.parent / "Jane_Doe_1.nii.gz").unlink()
    table = ran(agreement_table(pairs_of(study)))
    assert table.notes == ("case-0001: no distances and volumes, because its scan can't be read.",)
    for text in (table.as_json(), table.as_csv(), table.summary_csv()):
        assert "reader 2" in text
        assert not any(word in text for word in ("zoe", "ann.", "Jane", "nii", str(study.path.parent)))
    called = dict(zip(PEOPLE, ("annotator 4", "annotator 7"), strict=True))
    assert [(p.first, p.second) for p in pairs_of(study, called=called)] == [("annotator 7", "annotator 4")]


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1.0), ("micron", 1e-3)])
def test_distances_are_in_mm_whatever_the_scans_unit(study: Project, unit: str, factor: float) -> None:
    for n, person in enumerate(PEOPLE):
        read(study, study.cases()[0], person, labels(n))
    save_scan(study.path.parent / "Jane_Doe_1.nii.gz", unit=unit)
    assert pairs_of(study)[0].spacing() == pytest.approx((2.0 * factor, 1.0 * factor, 0.5 * factor))


def test_a_scan_without_a_unit_has_no_distances(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.zeros(SHAPE, np.float32))
    case = Case(name="plain", code="plain", images=(ImageRef(path="plain.npy"),))
    project = Project.create(tmp_path / "plain.vol3d", name="plain", cases=[case])
    read(project, case, "", labels(1))
    predicted(project, case, labels(2))
    table = ran(agreement_table(pairs_of(project)))
    assert [(row.figures.hd95_mm, row.figures.first_ml) for row in table.rows] == [(None, None)] * 2
    assert all(row.figures.dice is not None for row in table.rows)
    assert table.notes == ()


def test_of_a_series_each_time_point_is_compared(study: Project) -> None:
    case = study.cases()[0]
    series = [np.stack([labels(n), labels(n + 5), labels(n + 8)]) for n in (0, 1)]
    for person, made in zip(PEOPLE, series, strict=True):
        read(study, case, person, made)
    pairs = pairs_of(study)
    assert [pair.case for pair in pairs] == [f"case-0001 frame {n}" for n in range(3)]
    for n, pair in enumerate(pairs):
        np.testing.assert_array_equal(pair.labels(), [series[1][n], series[0][n]])


def test_labels_of_another_shape_are_left_out(study: Project) -> None:
    case = study.cases()[0]
    for person, shape in zip(PEOPLE, (SHAPE, (2, *SHAPE)), strict=True):
        read(study, case, person, labels(1, shape))
    table = ran(agreement_table(pairs_of(study)))
    assert table.notes == ("case-0001, reader 1 and reader 2: left out, because the labels differ in shape.",)


def test_a_project_without_readings_has_no_pairs(study: Project) -> None:
    assert pairs_of(study) == ()
    read(study, study.cases()[0], PEOPLE[0], labels(1))
    assert pairs_of(study) == ()
