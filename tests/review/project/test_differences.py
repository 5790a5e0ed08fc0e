"""Whose readings are decided between, what each choice puts into the labels, and that no step names a person."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.errors import FileProblem, ScanMismatch
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.differences import AGREED, Choice, Differences, differences, opinions_on
from napari_vol3d.review.project.foreseen import keep_prediction
from napari_vol3d.review.project.records import Foreseen, Reading, Version
from napari_vol3d.review.project.store import Project

SHAPE = (10, 12, 14)
SPACING = (2.0, 1.0, 0.5)
Labels = NDArray[Any]


def ran(steps: Generator[Any, None, Differences]) -> Differences:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def labels(seed: int) -> Labels:
    smooth = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 1.5)
    return np.digitize(smooth, np.quantile(smooth, [0.7, 0.88])).astype(np.uint8)


def read(project: Project, reader: str, made: Labels, *, repeat: int = 0) -> None:
    """Have a reader accept labels of the first case."""
    case = project.cases()[0].key
    if reader:
        project.assign([Reading(case=case, reader=reader, repeat=repeat)], who="boss")
    found = next(one for one in project.readings_of(case) if (one.reader, one.repeat) == (reader, repeat))
    accept(project, Version(reading=found.key, number=0, who=reader or "boss"), made)


def predict(project: Project, made: Labels) -> None:
    keep_prediction(project, Foreseen(case=project.cases()[0].key, model="m 1.0", model_sha256="ab"), made)


def found_in(project: Project, final: Labels, **options: Any) -> Differences:
    return ran(differences(project, project.cases()[0].key, final=final, spacing=SPACING, **options))


def settled(found: Differences, choice: Choice, final: Labels) -> Labels:
    """Settle every region in the same way."""
    done = final.copy()
    if found.agreed is not None:
        found.agreed.apply(done)
    for region in found.regions:
        edit = found.settle(region, choice, done)
        if edit is not None:
            edit.apply(done)
    return done


def test_who_is_decided_between(project: Project) -> None:
    case = project.cases()[0].key
    read(project, "", labels(1))
    assert opinions_on(project, case) == ()
    read(project, "zoe.miller", labels(2))
    assert [(one.who, one.called) for one in opinions_on(project, case)] == [
        ("zoe.miller", "reader 1"), ("everybody's list", "worklist"),
    ]  # fmt: skip
    read(project, "zoe.miller", labels(3), repeat=1)
    read(project, "ann.smith", labels(4))
    assert [(one.who, one.called) for one in opinions_on(project, case)] == [
        ("ann.smith", "reader 1"), ("zoe.miller", "reader 2"),
    ]  # fmt: skip


@pytest.mark.parametrize("how", ["first", "second", "third"])
def test_all_regions_of_one_make_the_labels_of_that_one(project: Project, how: Choice) -> None:
    """With what both say: whatever was there before."""
    ann, bob, model, final = (labels(n) for n in (1, 2, 3, 4))
    read(project, "ann", ann)
    read(project, "bob", bob)
    predict(project, model)
    found = found_in(project, final)
    assert found.third == "model"
    wanted = {"first": ann, "second": bob, "third": np.where(ann == bob, ann, model)}[how]
    np.testing.assert_array_equal(settled(found, how, final), wanted)


def test_three_readings_outvote_one(project: Project) -> None:
    ann, bob, cid = (labels(n) for n in (1, 2, 3))
    for who, made in (("ann", ann), ("bob", bob), ("cid", cid)):
        read(project, who, made)
    predict(project, labels(9))
    found = found_in(project, ann)
    assert found.third == "majority"
    wanted = np.where((cid == bob) & (ann != bob), bob, ann)  # else ann stays
    np.testing.assert_array_equal(settled(found, "third", ann), wanted)


def test_steps_say_what_was_done_and_name_nobody(project: Project) -> None:
    ann = labels(1)
    zoe = ann.copy()
    for place in (0, 6, 10):
        zoe[place % 9, place, : place + 2] = 3
    for who, made in (("ann.smith", ann), ("zoe.miller", zoe)):
        read(project, who, made)
    predict(project, ann)
    final = np.full(SHAPE, 7, np.uint16)
    found = found_in(project, final)
    ways: tuple[Choice, ...] = ("first", "second", "third")
    edits = [found.settle(found.regions[2], way, final) for way in ways]
    names = [edit.name for edit in edits if edit is not None]
    assert names == ["Take reader 1, region 3", "Take reader 2, region 3", "Take the model, region 3"]
    assert found.agreed is not None
    assert found.agreed.name == AGREED


def test_nothing_changes_where_the_labels_say_it_already(project: Project) -> None:
    ann, bob = labels(1), labels(2)
    read(project, "ann", ann)
    read(project, "bob", bob)
    found = found_in(project, ann)
    assert found.agreed is None
    assert all(found.settle(region, "first", ann) is None for region in found.regions)
    assert all(found.settle(region, "second", ann) is not None for region in found.regions)
    assert [region.voxels for region in found.regions] == sorted((r.voxels for r in found.regions), reverse=True)
    assert sum(region.voxels for region in found.regions) == np.count_nonzero(ann != bob)
    np.testing.assert_array_equal(found.kinds != 0, ann != bob)
    assert found.regions[0].mm3 == found.regions[0].voxels


def test_of_a_series_one_time_point_is_decided_on(project: Project) -> None:
    series = [np.stack([labels(n), labels(n + 4)]) for n in (1, 2)]
    read(project, "ann", series[0])
    read(project, "bob", series[1])
    final = np.zeros(SHAPE, np.uint16)
    found = found_in(project, final, frame=1)
    np.testing.assert_array_equal(settled(found, "second", final), series[1][1])


def test_what_does_not_work_is_said(project: Project) -> None:
    read(project, "ann", labels(1))
    with pytest.raises(FileProblem, match="No two readings of this case are accepted"):
        found_in(project, labels(1))
    read(project, "bob", labels(2)[:5])
    with pytest.raises(ScanMismatch, match="A reading has another grid"):
        found_in(project, labels(1))
    read(project, "bob", labels(2))
    found = found_in(project, labels(1))
    assert found.third == ""
    with pytest.raises(ScanMismatch, match="There is no prediction of this case"):
        found.settle(found.regions[0], "third", labels(1))
