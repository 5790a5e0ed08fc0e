"""Four panes: shared evenly, dragged apart, remembered, one of them large."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from napari_vol3d.gui.bench.panes import Pane, Panes
from napari_vol3d.gui.bench.planes import Plane
from tests.gui.bench.conftest import settle

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def area(qtbot: Any) -> Iterator[Panes]:
    """Panes on the screen."""
    parent = QWidget()
    qtbot.addWidget(parent)
    area = Panes(parent, QLabel("foot"))
    area.place(Pane(plane, f"Alt+{place}") for place, plane in enumerate(Plane, start=1))
    area.even()
    area.resize(800, 600)
    parent.resize(800, 600)
    parent.show()
    qtbot.waitExposed(parent)
    yield area
    parent.close()


def panes(area: Panes) -> dict[Plane, Pane]:
    return {pane.plane: pane for pane in area.findChildren(Pane)}


def numbers(area: Panes) -> list[list[int]]:
    return [[int(number) for number in part.split(",")] for part in area.sizes().split()]


def test_all_have_the_same_room(area: Panes) -> None:
    """To a few pixels."""
    for one, other in numbers(area):
        assert one == pytest.approx(other, abs=3)
    assert all(pane.isVisible() for pane in panes(area).values())


def test_sizes_that_were_said_come_back(area: Panes) -> None:
    """Also after one pane was large; what is no sizes changes nothing."""
    area.setSizes("200,600 500,300 150,450")
    said = numbers(area)
    for (one, other), share in zip(said, (0.25, 0.625, 0.25), strict=True):
        assert one / (one + other) == pytest.approx(share, abs=0.01)
    for rubbish in ("", "1,2", "a,b c,d e,f", "1,1 1,1 0,5", "-3,4 1,1 1,1", "1;1 1;1 1;1"):
        area.setSizes(rubbish)
        assert numbers(area) == said
    area.show_only(Plane.SAGITTAL)
    settle()
    area.show_only(None)
    settle()
    assert numbers(area) == said


@pytest.mark.parametrize("plane", Plane)
def test_a_large_pane_has_all_the_room(area: Panes, plane: Plane) -> None:
    """The others, and the empty row, are hidden."""
    area.show_only(plane)
    settle()
    found = panes(area)
    assert [pane.plane for pane in found.values() if pane.isVisible()] == [plane]
    assert found[plane].width() > 0.95 * area.width()
    assert found[plane].height() > 0.9 * area.height()


def test_a_pane_says_what_it_is_and_what_its_buttons_do(qtbot: Any, area: Panes) -> None:
    """Each button asks for its own."""
    pane = panes(area)[Plane.CORONAL]
    pane.name("Coronal", alone=False)
    assert "Coronal" in [label.text() for label in pane.findChildren(QLabel)]
    assert pane.large.toolTip() == "Only this view (Alt+2)"
    single = pane.large.icon().pixmap(32, 32).toImage()
    with qtbot.waitSignal(pane.largeRequested), qtbot.assertNotEmitted(pane.windowRequested):
        qtbot.mouseClick(pane.large, LEFT)
    with qtbot.waitSignal(pane.windowRequested), qtbot.assertNotEmitted(pane.largeRequested):
        qtbot.mouseClick(pane.window_button, LEFT)
    pane.name("Coronal", alone=True)
    assert pane.large.toolTip() == "All four views (Alt+0)"
    assert pane.large.icon().pixmap(32, 32).toImage() != single


def test_a_pane_shows_what_it_holds(area: Panes) -> None:
    """Qt hides what moves to another parent."""
    pane, canvas = panes(area)[Plane.AXIAL], QWidget()
    pane.hold(canvas)
    assert canvas.isVisible()
    assert canvas.parent() is pane
