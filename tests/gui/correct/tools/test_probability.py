"""Sliders over stored probabilities change what they say, in the slice and in the volume; corrected voxels stay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels

from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.correct.thresholds import winners
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.probability import HOW_TO_GET, Probabilities
from napari_vol3d.gui.label_looks import give_name
from napari_vol3d.gui.layers import labels_layer, probability_layers, to_volume
from napari_vol3d.models.store import find_model

CLASSES = find_model("hippocampus-t1").card.output.classes  # anterior 1, posterior 2
IDS = [item.id for item in CLASSES]


@pytest.fixture
def stored(scan: Image) -> np.ndarray:
    scores = np.random.default_rng(0).normal(0, 2, (3, *scan.data.shape))
    shares = np.exp(scores) / np.exp(scores).sum(axis=0)
    return np.round(shares[1:] * 255).astype(np.uint8)


@pytest.fixture
def predicted(viewer: Viewer, scan: Image, stored: np.ndarray) -> Labels:
    """Labels and probabilities, as a run leaves them."""
    volume = to_volume(scan)
    layer = labels_layer(
        winners(stored, classes=IDS).astype(np.uint16), volume, CLASSES, name="scan labels", model="hippocampus-t1 1.0",
        like=scan,
    )  # fmt: skip
    viewer.add_layer(layer)
    for image in probability_layers(stored, volume, CLASSES, like=scan):
        viewer.add_layer(image)
    viewer.layers.selection.active = layer
    return layer


@pytest.fixture
def held(desk: Desk, predicted: Labels) -> Record:
    assert desk.record is not None
    assert desk.record.layer is predicted
    return desk.record


@pytest.fixture
def tool(qtbot: Any, desk: Desk) -> Probabilities:
    made = Probabilities()
    qtbot.addWidget(made)
    desk.choose(made)
    made.show()
    return made


def planned(desk: Desk, tool: Probabilities) -> Edit | None:
    task = desk.task()
    assert task is not None
    return tool.plan(task)()


def apply(desk: Desk, tool: Probabilities) -> Edit:
    edit = planned(desk, tool)
    assert edit is not None
    desk.do(edit, by_model=tool.by_model)
    return edit


def test_there_is_a_slider_for_each_class_and_untouched_they_change_nothing(
    desk: Desk, held: Record, tool: Probabilities
) -> None:
    assert tool.value() == {1: 50, 2: 50}
    assert tool.words.isHidden()
    held.labels[3] = 1  # whatever the labels are
    assert planned(desk, tool) is None


def test_a_moved_slider_derives_the_labels_of_the_volume_anew(
    qtbot: Any, desk: Desk, held: Record, stored: np.ndarray, tool: Probabilities
) -> None:
    with qtbot.waitSignal(tool.optionsChanged):
        tool.sliders[1].slider.setValue(70)
    edit = apply(desk, tool)
    assert edit.name == "Thresholds anterior 70 %"
    np.testing.assert_array_equal(held.labels, winners(stored, classes=IDS, thresholds={1: 0.7}))
    assert not held.corrected.any()
    assert held.history.steps[-1].by_model


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_the_preview_is_of_the_slice_alone(desk: Desk, held: Record, tool: Probabilities, axis: int) -> None:
    tool.sliders[2].setValue(20)
    whole = planned(desk, tool)
    tool.only_slice = True
    task = desk.task()
    assert task is not None
    edit = tool.plan(replace(task, axis=axis, index=7))()
    assert edit is not None
    assert whole is not None
    assert (edit.box.start[axis], edit.box.stop[axis]) == (7, 8)
    here, volume = held.labels.copy(), held.labels.copy()
    edit.apply(here)
    whole.apply(volume)
    np.testing.assert_array_equal(here.take(7, axis), volume.take(7, axis))


def test_corrected_voxels_and_locked_classes_stay(
    desk: Desk, held: Record, stored: np.ndarray, tool: Probabilities
) -> None:
    before = held.labels.copy()
    painted = held.labels[:5].copy()
    painted[:, 10:20] = 2
    edit = Edit.between("Paint", held.labels[:5], painted)
    assert edit is not None
    held.do(edit)
    held.locked = frozenset({2})
    touched, mine = held.corrected.copy(), held.labels.copy()
    tool.sliders[1].setValue(15)
    apply(desk, tool)
    wanted = winners(stored, classes=IDS, thresholds={1: 0.15})
    free = ~touched & (before != 2) & (wanted != 2)
    assert (held.labels != mine).any()
    np.testing.assert_array_equal(held.labels, np.where(free, wanted, mine))


def test_sliders_stand_where_the_history_stands(
    qtbot: Any, desk: Desk, held: Record, stored: np.ndarray, tool: Probabilities
) -> None:
    start = held.labels.copy()
    for percents in (80, 30):
        tool.sliders[1].setValue(percents)
        apply(desk, tool)
    assert planned(desk, tool) is None
    held.undo()
    assert tool.value() == {1: 80, 2: 50}
    held.undo()
    assert tool.value() == {1: 50, 2: 50}
    np.testing.assert_array_equal(held.labels, start)
    held.redo()
    assert tool.value() == {1: 80, 2: 50}
    desk.choose(None)
    again = Probabilities()  # as after a new start of the program
    qtbot.addWidget(again)
    desk.choose(again)
    assert again.value() == {1: 80, 2: 50}
    again.sliders[1].setValue(50)
    again.sliders[2].setValue(66)
    after = held.labels.copy()
    after[0, 0, 0] = 9
    edit = Edit.between("Paint", held.labels, after)
    assert edit is not None
    held.do(edit)
    assert again.value() == {1: 50, 2: 66}  # what is not applied yet stays
    held.undo()
    again.sliders[2].setValue(50)
    assert apply(desk, again).name == "Thresholds 50 %"
    np.testing.assert_array_equal(held.labels, start)
    assert planned(desk, again) is None


def test_without_probabilities_it_says_how_to_get_them(desk: Desk, record: Record, tool: Probabilities) -> None:
    assert not tool.sliders
    assert tool.words.text() == HOW_TO_GET
    assert tool.words.isVisible()
    with pytest.raises(Vol3dError, match="no probabilities"):
        planned(desk, tool)


def test_the_newest_probabilities_are_used_whatever_a_class_is_called_and_never_some_of_them(
    viewer: Viewer, scan: Image, desk: Desk, held: Record, stored: np.ndarray, tool: Probabilities
) -> None:
    for image in probability_layers(255 - stored, to_volume(scan), CLASSES, like=scan):
        viewer.add_layer(image)
    assert [layer.name for layer in viewer.layers][-1] == "scan p(posterior) [1]"
    tool.sliders[2].setValue(10)
    edit = planned(desk, tool)
    assert edit is not None
    fresh = winners(255 - stored, classes=IDS, thresholds={2: 0.1})[edit.box.slices]
    assert (edit.after[edit.changed] == fresh[edit.changed]).all()
    give_name(held.layer, 1, "head")
    viewer.layers.remove("scan p(posterior) [1]")
    assert list(tool.sliders) == [1, 2]
    tool.sliders[1].setValue(40)
    assert apply(desk, tool).name == "Thresholds head 40 %"
    viewer.layers.remove("scan p(posterior)")
    assert not tool.sliders
    assert "posterior are missing" in tool.words.text()


def test_probabilities_of_another_grid_are_none_of_these_labels(
    viewer: Viewer, scan: Image, desk: Desk, stored: np.ndarray, tool: Probabilities
) -> None:
    volume = to_volume(scan)
    layer = labels_layer(np.zeros(scan.data.shape, np.uint16), volume, CLASSES, name="x", model="", like=scan)
    viewer.add_layer(layer)
    for image in probability_layers(stored, volume, CLASSES, like=scan):
        image.translate = np.add(image.translate, 3)
        viewer.add_layer(image)
    viewer.layers.selection.active = layer
    assert desk.record is not None
    assert desk.record.layer is layer
    assert not tool.sliders


def test_many_classes_are_scrolled_and_the_form_is_narrow(
    viewer: Viewer, scan: Image, desk: Desk, tool: Probabilities
) -> None:
    classes = tuple(LabelClass(id=i, name=f"rather long name of structure {i}", color="#aa3377") for i in range(1, 21))
    volume = to_volume(scan)
    layer = labels_layer(np.zeros(scan.data.shape, np.uint16), volume, classes, name="x", model="", like=scan)
    viewer.add_layer(layer)
    values = np.zeros((20, *scan.data.shape), np.uint8)
    for image in probability_layers(values, volume, classes, like=scan):
        viewer.add_layer(image)
    viewer.layers.selection.active = layer
    assert len(tool.sliders) == 20
    assert tool.sizeHint().height() < 400
    assert tool.minimumSizeHint().width() <= 320
