"""Places are gone to one after the other, ticked, and asked for as they were given."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor

from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.forms.place_list import NUMBER, SCORE, SOUND, UNKNOWN, WORDS, PlaceList

LEFT = Qt.MouseButton.LeftButton
PLACES = (
    {"words": "posterior tip", "score": 0.912, "centre": [22.4, 31, 14], "class_id": 2, "voxels": 1200},
    {"words": "island <14 mm³", "score": 0.8, "centre": [3, 4, 5], "class_id": 1, "voxels": 14},
    {"words": "volume", "score": 0.66},
)


@pytest.fixture
def form(qtbot: Any, qtmodeltester: Any) -> Any:
    form = PlaceList()
    qtbot.addWidget(form)
    form.setValue(PLACES)
    form.resize(320, 180)
    with qtbot.waitExposed(form):
        form.show()
    yield form
    qtmodeltester.check(form.model)


@pytest.fixture
def asked(form: PlaceList) -> list[Any]:
    asked: list[Any] = []
    form.goRequested.connect(asked.append)
    return asked


def texts(form: PlaceList, column: int) -> list[str]:
    return [form.model.index(row, column).data() for row in range(form.model.rowCount())]


def press(qtbot: Any, form: PlaceList, row: int) -> None:
    qtbot.mouseClick(form.view.viewport(), LEFT, pos=form.view.visualRect(form.model.index(row, WORDS)).center())


def test_places_are_numbered(form: PlaceList, asked: list[Any]) -> None:
    assert texts(form, NUMBER) == ["1", "2", "3"]
    assert texts(form, WORDS) == [place["words"] for place in PLACES]
    assert texts(form, SCORE) == ["0.91", "0.80", "0.66"]
    assert (form.value(), form.visited(), form.current(), asked) == (PLACES, (), None, [])


def test_next_goes_through_all_of_them_and_round(qtbot: Any, form: PlaceList, asked: list[Any]) -> None:
    for at in (0, 1, 2, 0, 1):
        qtbot.mouseClick(form.next, LEFT)
        assert form.current() is PLACES[at]
    assert asked == [PLACES[at] for at in (0, 1, 2, 0, 1)]
    assert form.count.text() == "3 of 3 looked at"


def test_next_leaves_out_what_was_visited(qtbot: Any, form: PlaceList, asked: list[Any]) -> None:
    press(qtbot, form, 1)
    assert (form.next_place(), form.next_place()) == (PLACES[2], PLACES[0])
    assert texts(form, NUMBER) == ["✓ 1", "✓ 2", "✓ 3"]
    assert asked == [PLACES[1], PLACES[2], PLACES[0]]


def test_clicks_and_keys_go_there(qtbot: Any, form: PlaceList, asked: list[Any]) -> None:
    press(qtbot, form, 0)
    press(qtbot, form, 0)  # again: the person has scrolled away
    qtbot.keyClick(form.view, Qt.Key.Key_Down)
    qtbot.keyClick(form.view, Qt.Key.Key_Return)
    assert asked == [PLACES[0], PLACES[0], PLACES[1], PLACES[1]]
    assert form.visited() == (0, 1)
    assert form.count.text() == "2 of 3 looked at"


def test_the_same_places_stay_visited_and_others_do_not(form: PlaceList, asked: list[Any]) -> None:
    form.next_place()
    form.setValue(list(PLACES))
    assert (form.visited(), form.current()) == ((0,), PLACES[0])
    form.setValue(PLACES[:2])
    assert (form.visited(), form.current()) == ((), None)
    form.setValue(PLACES, visited=(0, 2, 7))  # resumed
    assert form.visited() == (0, 2)
    assert form.next_place() == PLACES[1]
    assert len(asked) == 2


def test_an_empty_list_says_why(form: PlaceList, asked: list[Any]) -> None:
    for places, why in ((None, UNKNOWN), ((), SOUND)):
        form.setValue(places)
        assert form.view.empty == why == form.next.toolTip()
        assert (form.next.isEnabled(), form.next_place(), form.count.text()) == (False, None, "")
    assert asked == []
    form.setValue(PLACES)
    assert form.next.isEnabled()


def test_classes_have_their_colours(form: PlaceList) -> None:
    def color(row: int) -> Any:
        return form.model.index(row, WORDS).data(Qt.ItemDataRole.DecorationRole)

    assert color(0) is None
    form.set_look(lambda class_id: ClassRow(id=class_id, name=f"part {class_id}", color=f"#00000{class_id}"))
    assert [color(0), color(1), color(2)] == [QColor("#000002"), QColor("#000001"), None]


def test_hints_say_everything(form: PlaceList) -> None:
    form.set_look(lambda class_id: ClassRow(id=class_id, name="anterior", color="#000000"))
    hint = form.model.index(0, WORDS).data(Qt.ItemDataRole.ToolTipRole)
    for said in ("1. posterior tip", "anterior", "score 0.91", "1,200 voxels", "z 22, y 31, x 14", "Click to go there"):
        assert said in hint
    assert "island &lt;14" in form.model.index(1, WORDS).data(Qt.ItemDataRole.ToolTipRole)
    assert "voxels" not in form.model.index(2, WORDS).data(Qt.ItemDataRole.ToolTipRole)


def test_it_fits_the_dock(form: PlaceList) -> None:
    assert form.minimumSizeHint().width() <= 320
    assert sum(form.view.columnWidth(c) for c in range(3)) == form.view.viewport().width()
