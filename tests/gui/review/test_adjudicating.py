"""Two accepted readings in a real window: decided by keys, one step a region, and back by Ctrl+Z."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QShortcut

from napari_vol3d.gui.correct.correctable import why_not
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.region_bar import KEYS, RegionBar
from napari_vol3d.gui.label_looks import true_color
from napari_vol3d.gui.review.adjudicating import NO_CASE, NO_PROJECT, NOT_COMMON, TOO_FEW, Adjudication
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.settling import AGREED, ALL_DECIDED, LOCKED, NO_MODEL, SAME, Settling
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.review.project.accepting import accept
from napari_vol3d.review.project.records import Reading, Version
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import WAIT_MS, key, opened, predicted, written

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
DIGITS = {"first": Qt.Key.Key_1, "second": Qt.Key.Key_2, "third": Qt.Key.Key_3, "hand": Qt.Key.Key_4}
# Where bob says other than ann, as slices and the class there: 60, 24, 8 voxels.
REGIONS = ((slice(1, 3), slice(0, 5), slice(0, 6), 2), (slice(9, 11), slice(12, 15), slice(1, 5), 1),
           (slice(5, 7), slice(6, 8), slice(6, 8), 0))  # fmt: skip


def ann(project: Project) -> np.ndarray:
    """The prediction of the first case, but for a corner where bob says the same."""
    made = predicted(project, 0)
    made[0, -2:, -2:] = 2
    return made


def bob(project: Project) -> np.ndarray:
    made = ann(project)
    for z, y, x, class_id in REGIONS:
        made[z, y, x] = class_id
    return made


def read(project: Project, number: int, reader: str, made: np.ndarray) -> None:
    case = project.cases()[number].key
    project.assign([Reading(case=case, reader=reader, blind=True)], who="boss")
    found = next(one for one in project.readings_of(case) if one.reader == reader)
    accept(project, Version(reading=found.key, number=0, who=reader), made)


@pytest.fixture
def bar(qtbot: Any) -> RegionBar:
    bar = RegionBar()
    qtbot.addWidget(bar)
    bar.resize(320, 200)
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


@pytest.fixture
def adjudication(bench: Workbench, room: ReviewRoom, bar: RegionBar) -> Iterator[Adjudication]:
    assert bench.correcting is not None
    made = Adjudication(bench.correcting.desk, bar)
    yield made
    made.let_go()


@pytest.fixture
def settling(
    qtbot: Any, project: Project, session: Session, adjudication: Adjudication, bar: RegionBar
) -> Settling:
    """The first case, open, its readings compared."""
    read(project, 0, "ann", ann(project))
    read(project, 0, "bob", bob(project))
    adjudication.follow(session)
    opened(qtbot, session, 0)
    return begun(qtbot, adjudication, bar)


def begun(qtbot: Any, adjudication: Adjudication, bar: RegionBar) -> Settling:
    qtbot.waitUntil(bar.begin.isEnabled, timeout=WAIT_MS)
    qtbot.mouseClick(bar.begin, LEFT)
    qtbot.waitUntil(lambda: adjudication.settling is not None, timeout=WAIT_MS)
    assert adjudication.settling is not None
    return adjudication.settling


def press(qtbot: Any, viewer: Viewer, choice: str) -> None:
    window = viewer.window._qt_window
    qtbot.give_the_keyboard(window)
    qtbot.keyClick(window, DIGITS[choice], CTRL)
    QApplication.processEvents()


def names(record: Record) -> list[str]:
    return [step.name for step in record.history.steps[: record.history.at]]


def test_each_key_takes_a_region_and_goes_on_to_the_next(
    qtbot: Any, viewer: Viewer, project: Project, settling: Settling, bar: RegionBar
) -> None:
    record = settling.record
    assert bar.progress.text() == "Region 1 of 3, 0 decided"
    assert bar.words.text() == "360 mm³. ann: background; bob: posterior."
    assert names(record) == ["Take what both readers say"]
    press(qtbot, viewer, "second")
    press(qtbot, viewer, "first")
    assert bar.progress.text() == "Region 3 of 3, 2 decided"
    assert bar.words.text() == "48 mm³. ann: anterior; bob: background."
    press(qtbot, viewer, "third")
    assert names(record) == ["Take what both readers say", "Take reader 2, region 1"]  # the others need no step
    wanted = ann(project)
    wanted[REGIONS[0][:3]] = 2
    np.testing.assert_array_equal(record.layer.data, wanted)
    assert bar.words.text() == ALL_DECIDED


def test_ctrl_z_takes_a_decision_back_and_shows_its_region(
    qtbot: Any, viewer: Viewer, project: Project, settling: Settling, bar: RegionBar
) -> None:
    record = settling.record
    viewer.layers.selection.active = record.layer
    press(qtbot, viewer, "second")
    press(qtbot, viewer, "second")
    press(qtbot, viewer, "second")
    np.testing.assert_array_equal(record.layer.data, bob(project))
    assert not settling.layer.layer.data.any()
    record.undo()
    assert (settling.at, bar.progress.text()) == (2, "Region 3 of 3, 2 decided")
    np.testing.assert_array_equal(settling.layer.layer.data != 0, settling.found.numbers == 3)
    record.undo()
    record.undo()
    assert (settling.at, bar.progress.text()) == (0, "Region 1 of 3, 0 decided")
    np.testing.assert_array_equal(settling.layer.layer.data, settling.found.kinds)
    np.testing.assert_array_equal(record.layer.data, ann(project))
    record.redo()
    assert bar.progress.text() == "Region 1 of 3, 1 decided"
    press(qtbot, viewer, "first")
    np.testing.assert_array_equal(record.layer.data, ann(project))
    assert names(record)[-2:] == ["Take reader 2, region 1", "Take reader 1, region 1"]


def test_the_crosshair_goes_to_the_region(viewer: Viewer, bench: Workbench, settling: Settling) -> None:
    assert bench.reading is not None
    for at, (z, y, x, _) in enumerate(REGIONS):
        settling.step(at - settling.at)
        place = np.round(settling.record.layer.world_to_data(bench.reading.bench.point)).astype(int)
        assert all(part.start <= value < part.stop for part, value in zip((z, y, x), place, strict=True))
    settling.step(5)
    assert settling.at == 2
    settling.step(-9)
    assert settling.at == 0


def test_a_region_can_be_left_for_work_by_hand(
    qtbot: Any, viewer: Viewer, settling: Settling, bar: RegionBar
) -> None:
    before = settling.record.layer.data.copy()
    press(qtbot, viewer, "hand")
    assert bar.progress.text() == "Region 2 of 3, 1 decided, 1 left for work by hand"
    np.testing.assert_array_equal(settling.record.layer.data, before)
    press(qtbot, viewer, "second")
    np.testing.assert_array_equal(settling.layer.layer.data != 0, np.isin(settling.found.numbers, (1, 3)))


def test_the_layer_of_differences_is_only_looked_at(viewer: Viewer, settling: Settling, session: Session) -> None:
    layer = settling.layer.layer
    assert session.shown is not None
    assert layer in session.shown.extra
    assert why_not(layer)
    assert not layer.editable
    assert viewer.layers.selection.active is settling.record.layer
    np.testing.assert_array_equal(np.unique(layer.data), [0, 1, 2])
    np.testing.assert_allclose(layer.scale, settling.record.layer.scale)
    np.testing.assert_allclose(layer.translate, settling.record.layer.translate)
    colors = {true_color(layer, i) for i in (1, 2, 3)} | {item.color for item in session.shown.loaded.classes}
    assert len(colors) == 5
    assert list(layer.features["name"]) == ["background", "only ann", "only bob", "another class"]


def test_what_a_person_did_before_stays_unless_they_say_so(
    qtbot: Any, project: Project, session: Session, adjudication: Adjudication, bar: RegionBar
) -> None:
    read(project, 0, "ann", ann(project))
    read(project, 0, "bob", bob(project))
    adjudication.follow(session)
    opened(qtbot, session, 0)
    assert session.shown is not None
    record = session.shown.record
    assert record is not None
    record.layer.data[8, 8, 8:10] = 2
    record.capture()
    settling = begun(qtbot, adjudication, bar)
    assert len(names(record)) == 1
    qtbot.mouseClick(bar.both, LEFT)
    assert names(record)[-1] == "Take what both readers say"
    assert not record.layer.data[8, 8, 8:10].any()
    assert (bar.both.isEnabled(), bar.both.toolTip()) == (False, AGREED)
    record.undo()
    assert bar.both.isEnabled()
    assert record.layer.data[8, 8, 8:10].all()
    assert settling.decisions.decided == set()


def test_locked_classes_stay(qtbot: Any, viewer: Viewer, settling: Settling, adjudication: Adjudication) -> None:
    settling.record.locked = frozenset({2})
    before = settling.record.layer.data.copy()
    with qtbot.waitSignal(adjudication.said) as said:
        press(qtbot, viewer, "second")
    assert said.args == [LOCKED]
    np.testing.assert_array_equal(settling.record.layer.data, before)
    assert settling.decisions.decided == set()


def test_keys_and_layer_are_there_only_meanwhile(
    qtbot: Any, viewer: Viewer, settling: Settling, adjudication: Adjudication, bar: RegionBar, session: Session
) -> None:
    def keys() -> list[str]:
        found = viewer.window._qt_window.findChildren(QShortcut)
        return [one.key().toString() for one in found if one.key().toString() in KEYS.values()]

    assert sorted(keys()) == sorted(KEYS.values())
    layer = settling.layer.layer
    qtbot.mouseClick(bar.end, LEFT)
    assert keys() == []
    assert layer not in viewer.layers
    assert session.shown is not None
    assert session.shown.extra == []
    qtbot.waitUntil(bar.begin.isEnabled, timeout=WAIT_MS)
    begun(qtbot, adjudication, bar)
    opened(qtbot, session, 1)
    assert adjudication.settling is None
    assert keys() == []
    assert [one.name for one in viewer.layers] == ["scan_1", "scan_1 labels"]
    qtbot.waitUntil(lambda: bar.words.text() == TOO_FEW, timeout=WAIT_MS)


def test_labels_that_are_taken_away_end_it(
    qtbot: Any, viewer: Viewer, settling: Settling, adjudication: Adjudication
) -> None:
    viewer.layers.remove(settling.record.layer)
    QApplication.processEvents()
    assert adjudication.settling is None
    assert not any(isinstance(layer, Labels) for layer in viewer.layers)


def test_a_layer_that_is_taken_away_is_no_obstacle(qtbot: Any, viewer: Viewer, settling: Settling) -> None:
    viewer.layers.remove(settling.layer.layer)
    press(qtbot, viewer, "second")
    assert settling.at == 1
    assert names(settling.record)[-1] == "Take reader 2, region 1"


def test_where_it_does_not_work_it_says_why(
    qtbot: Any, project: Project, room: ReviewRoom, session: Session, adjudication: Adjudication, bar: RegionBar
) -> None:
    assert (bar.begin.isEnabled(), bar.begin.toolTip()) == (False, NO_PROJECT)
    adjudication.follow(session)
    assert bar.words.text() == NO_CASE
    read(project, 3, "ann", ann(project))
    opened(qtbot, session, 3)
    written(qtbot, session)
    assert (bar.begin.isEnabled(), bar.words.text()) == (False, TOO_FEW)
    read(project, 3, "bob", ann(project))
    opened(qtbot, session, 0)
    opened(qtbot, session, 3)
    settling = begun(qtbot, adjudication, bar)
    assert bar.words.text() == SAME
    assert (bar.choices["third"].isEnabled(), bar.choices["third"].toolTip()) == (False, NO_MODEL)
    before = settling.record.layer.data.copy()
    for choice in ("first", "third", "hand"):
        adjudication.choose(choice)
    settling.step(1)
    np.testing.assert_array_equal(settling.record.layer.data, before)
    adjudication.follow(None)
    other = room.have(project, reader="ann")
    adjudication.follow(other)
    assert bar.words.text() == NOT_COMMON


def test_an_adjudicated_case_is_accepted_and_opened_again_as_it_was(
    qtbot: Any, viewer: Viewer, project: Project, session: Session, settling: Settling, room: ReviewRoom
) -> None:
    for _ in REGIONS:
        press(qtbot, viewer, "second")
    assert room.panel.judging is not None
    assert room.panel.judging.accept()
    written(qtbot, session)
    assert project.reading(key(session, 0)).status == "accepted"
    opened(qtbot, session, 1)
    opened(qtbot, session, 0)
    assert session.shown is not None
    np.testing.assert_array_equal(session.shown.labels.data, bob(project))
