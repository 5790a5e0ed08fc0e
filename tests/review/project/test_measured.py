"""Figures of accepted cases: as MedPy and NumPy have them; nothing is made up where a scan or a unit is missing."""

from __future__ import annotations

import medpy.metric.binary as medpy
import numpy as np
import pytest

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import write_labels
from napari_vol3d.review.project.measured import measure
from napari_vol3d.review.project.records import Case, ImageRef, Reading
from napari_vol3d.review.project.store import Project
from tests.builders import finish
from tests.review.project.studies import IDS, accept_labels, hippocampi, predict, reference, spoiled


def test_figures_are_those_of_another_library(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=4, accepted=3)
    reports, measured = finish(measure(project))
    assert [one.code for one in measured.accepted] == ["case-0001", "case-0002", "case-0003"]
    for place, one in enumerate(measured.accepted):
        truth = reference(shared_data, IDS[place])
        before = spoiled(truth, place)
        assert [item.id for item in one.classes] == [1, 2]
        for item in one.classes:
            masks = before == item.id, truth == item.id
            assert item.dice == pytest.approx(medpy.dc(*masks))
            assert item.hd95_mm == pytest.approx(medpy.hd95(*masks))
            assert (item.predicted_ml, item.accepted_ml) == pytest.approx([mask.sum() / 1000 for mask in masks])
            assert (item.added, item.removed) == ((masks[1] & ~masks[0]).sum(), (masks[0] & ~masks[1]).sum())
    assert measured.accepted[0].mean_dice == 1.0
    assert measured.cases[3].classes == ()
    assert [one.minutes for one in measured.cases] == [1.0, 2.0, 3.0, 4.0]
    assert [report.done for report in reports] == [0, 1, 2, 3, 4]


def test_a_scan_that_is_gone_costs_the_millimetres_only(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=3, accepted=2)
    (tmp_path / "study" / "hippocampus_006.nii.gz").unlink()
    _, measured = finish(measure(project))
    item = measured.accepted[1].classes[0]
    assert item.dice is not None
    assert (item.hd95_mm, item.predicted_ml, item.accepted_ml) == (None, None, None)
    assert len(measured.notes) == 1
    assert "case-0002" in measured.notes[0]


@pytest.mark.parametrize(("unit", "millilitres"), [("mm", 8 * 6e-3), ("um", 8 * 6e-12), ("pixel", None)])
def test_volumes_are_in_the_unit_of_the_scan(tmp_path, unit, millilitres):
    geometry = Geometry.from_spacing((3.0, 2.0, 1.0), unit=unit)
    write_labels(tmp_path / "a.tif", Volume(data=np.arange(64, dtype=np.uint8).reshape(4, 4, 4), geometry=geometry))
    project = one_case(tmp_path)
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[:2, :2, :2] = 1
    accept_labels(project, project.rows()[0].reading, labels, None, who="ann")
    (item,) = finish(measure(project))[1].cases[0].classes
    assert item.accepted_ml == (None if millilitres is None else pytest.approx(millilitres))
    assert (item.dice, item.predicted_ml, item.voxels, item.added) == (None, None, 8, 8)


def test_of_a_series_the_mean_over_time_is_given(tmp_path):
    project = one_case(tmp_path)
    before, after = np.zeros((2, 2, 4, 4, 4), np.uint8)
    before[:, :2], after[0, :2], after[1, 1:3] = 1, 1, 1  # the same, then half
    made = predict(project, project.cases()[0], before)
    accept_labels(project, project.rows()[0].reading, after, made, who="ann")
    (item,) = finish(measure(project))[1].cases[0].classes
    assert item.dice == pytest.approx(0.75)


def test_readings_are_compared_where_somebody_was_asked(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path / "study", count=3, accepted=2)
    assert finish(measure(project))[1].agreement is None
    case = project.cases()[0]
    project.assign([Reading(case=case.key, reader="Cleo")], who="Bob")
    truth = reference(shared_data, IDS[0])
    accept_labels(project, project.rows("Cleo")[0].reading, spoiled(truth, 1), None, who="Cleo")
    table = finish(measure(project))[1].agreement
    own = [row for row in table.rows if (row.first, row.second) == ("worklist", "annotator 3")]
    assert own[0].figures.dice == pytest.approx(medpy.dc(spoiled(truth, 1) == 1, truth == 1))


def one_case(folder):
    case = Case(name="a", code="a", images=(ImageRef(path="a.tif"),))
    return Project.create(folder / "p.vol3d", name="p", cases=[case])
