"""What is said of classes: their figures in words, of many the ones that differ most, and nothing that is not known."""

from __future__ import annotations

import re

import numpy as np

from napari_vol3d.review.project.class_sections import (
    MOST_CLASSES,
    dice_section,
    number,
    readers_section,
    volumes_section,
)
from napari_vol3d.review.project.measured import Measured, measure
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project
from tests.builders import finish
from tests.review.project.studies import accept_labels, hippocampi, predict


def test_the_table_says_median_and_lowest(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path, count=4, accepted=3)
    _, measured = finish(measure(project))
    text = dice_section(project, measured)
    for i, name in ((0, "anterior"), (1, "posterior")):
        dices = [one.classes[i].dice for one in measured.accepted]
        cells = re.search(rf"{name}</td>(.*?)</tr>", text)[1]
        assert re.findall(r">([\d.,]+)<", cells)[:3] == ["3", f"{np.median(dices):.3f}", f"{min(dices):.3f}"]
    volumes = [one.classes[0].accepted_ml for one in measured.accepted]
    assert f">{np.mean(volumes):.3g}<" in volumes_section(project, measured)


def test_of_many_classes_those_that_differ_most_are_drawn(tmp_path):
    case = Case(name="a", code="a", images=(ImageRef(path="a.tif"),))
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=[case])
    before = np.repeat(np.arange(1, 21, dtype=np.uint8), 10).reshape(20, 10, 1)
    after = before.copy()
    after[19, :5] = 0
    accept_labels(project, project.rows()[0].reading, after, predict(project, case, before), who="ann")
    drawn = dice_section(project, finish(measure(project))[1]).split("<table>")[0]
    names = set(re.findall(r"class \d+", drawn))
    assert len(names) == MOST_CLASSES
    assert "class 20" in names
    assert "more classes" in drawn


def test_nothing_is_said_of_what_is_not_known(shared_data, tmp_path):
    project = hippocampi(shared_data, tmp_path, count=1, accepted=0)
    nothing = Measured(cases=())
    assert "No accepted scan has a prediction" in dice_section(project, nothing)
    assert (volumes_section(project, nothing), readers_section(nothing)) == ("", "")
    assert (number(None, 2), number(0.126, 2)) == ("–", "0.13")
