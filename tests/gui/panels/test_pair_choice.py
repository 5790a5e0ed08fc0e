"""Two layers of a kind can be chosen, and stay chosen while others come and go."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components import ViewerModel

from napari_vol3d.gui.panels.pair_choice import PairChoice


def make(qtbot: Any) -> tuple[ViewerModel, PairChoice]:
    viewer = ViewerModel()
    choice = PairChoice(viewer.layers)
    qtbot.addWidget(choice)
    return viewer, choice


def listed(box: Any) -> list[str]:
    return [box.itemText(row) for row in range(box.count())]


def test_the_first_two_are_chosen_and_stay(qtbot: Any) -> None:
    viewer, choice = make(qtbot)
    assert choice.value() is None
    a = viewer.add_image(np.zeros((3, 3, 3)), name="a")
    assert choice.value() is None
    b, c = (viewer.add_image(np.zeros((3, 3, 3)), name=name) for name in "bc")
    assert choice.value() == (a, b)
    choice.setValue((c, a))
    viewer.layers.remove(b)
    b2 = viewer.add_image(np.zeros((3, 3, 3)), name="b")
    viewer.layers.move(2, 0)
    assert choice.value() == (c, a)
    b2.name = "other"
    assert "other" in listed(choice.first)
    viewer.layers.remove(c)
    assert c not in (choice.value() or ())
    choice.let_go()


def test_b_is_of_the_kind_of_a_and_never_a_itself(qtbot: Any) -> None:
    viewer, choice = make(qtbot)
    viewer.add_image(np.zeros((3, 3, 3)), name="image")
    for name in ("one", "two"):
        viewer.add_labels(np.zeros((3, 3, 3), np.uint8), name=name)
    viewer.add_points(np.zeros((1, 3)), name="points")
    assert listed(choice.first) == ["image", "one", "two"]
    assert listed(choice.second) == []
    assert choice.value() is None
    choice.first.setCurrentIndex(1)
    assert listed(choice.second) == ["two"]
    assert [layer.name for layer in choice.value() or ()] == ["one", "two"]
    choice.let_go()


def test_it_tells_only_of_other_pairs(qtbot: Any) -> None:
    viewer, choice = make(qtbot)
    for name in "ab":
        viewer.add_image(np.zeros((3, 3, 3)), name=name)
    heard: list[object] = []
    choice.valueChanged.connect(lambda: heard.append(choice.value()))
    c = viewer.add_image(np.zeros((3, 3, 3)), name="c")
    viewer.layers.remove(c)
    assert heard == []
    viewer.layers.pop(0)
    assert heard == [None]
    choice.let_go()
