"""A click takes the class, and the tool before comes back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.correct.tools.brush import BallBrush
from napari_vol3d.gui.correct.tools.pick import PickClass
from tests.gui.bench.conftest import opened, view_of
from tests.gui.correct.mousing import drag, go_to, pixel_of, with_hands

MIDDLE = (12, 20, 16)


@pytest.fixture
def tools(desk: Desk, record: Record) -> Iterator[tuple[BallBrush, PickClass]]:
    """A brush, and what picks a class for it."""
    made = BallBrush(), PickClass()
    yield made
    desk.choose(None)
    for tool in made:
        tool.deleteLater()


def test_it_picks_in_any_view_and_gives_the_hand_back(
    views: Bench, desk: Desk, record: Record, tools: tuple[BallBrush, PickClass]
) -> None:
    with_hands(opened(views), desk)
    go_to(views, record, MIDDLE)
    brush, pick = tools
    said: list[str] = []
    desk.said.connect(said.append)
    record.labels[10:15, 18:23, 14:19] = 6
    record.layer.refresh()
    for plane in (Plane.AXIAL, Plane.SAGITTAL):
        view = view_of(views, plane)
        record.layer.selected_label = 1
        desk.choose(brush)
        desk.choose(pick)
        drag(view, [pixel_of(view, record, (2, 3, 4))])
        assert (record.layer.selected_label, desk.tool) == (1, pick)
        assert said[-1].startswith("There is no class here")
        drag(view, [pixel_of(view, record, MIDDLE)])
        assert (record.layer.selected_label, desk.tool) == (6, brush)
        assert said[-1] == "class 6 is chosen."


def test_without_a_tool_before_it_is_put_down(
    views: Bench, desk: Desk, record: Record, tools: tuple[BallBrush, PickClass]
) -> None:
    (view,) = with_hands(views, desk)
    go_to(views, record, MIDDLE)
    record.labels[10:15, 18:23, 14:19] = 6
    desk.choose(tools[1])
    drag(view, [pixel_of(view, record, MIDDLE)])
    assert (record.layer.selected_label, desk.tool) == (6, None)
