"""The form of the views: each control says what it does, and shows how things are without a word."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QWidget

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.slab import Slab
from napari_vol3d.gui.forms.views import ORDER, ViewsForm

LEFT = Qt.MouseButton.LeftButton
SIGNALS = (
    "fourToggled", "largeRequested", "crosshairToggled", "wheelToggled", "neurologicalToggled", "slabChanged",
)  # fmt: skip


@pytest.fixture
def form(qtbot: Any) -> ViewsForm:
    form = ViewsForm()
    qtbot.addWidget(form)
    form.show_state(is_open=False, alone=None, crosshair=True, wheel=True, neurological=False)
    form.show_kind(anatomical=True, unit="mm")
    form.show()
    qtbot.waitExposed(form)
    return form


@pytest.fixture
def said(form: ViewsForm) -> list[tuple[str, Any]]:
    """All that the form emits."""
    told: list[tuple[str, Any]] = []
    for name in SIGNALS:
        getattr(form, name).connect(lambda value, name=name: told.append((name, value)))
    return told


def press(qtbot: Any, button: QAbstractButton) -> None:
    """Click at the left end, where the box of a check box is."""
    qtbot.mouseClick(button, LEFT, pos=QPoint(8, button.height() // 2))


def test_four_views_are_asked_for_and_sent_away(qtbot: Any, form: ViewsForm, said: list[Any]) -> None:
    """By the largest button."""
    press(qtbot, form.four)
    press(qtbot, form.four)
    assert said == [("fourToggled", True), ("fourToggled", False)]
    assert form.four.height() >= max(button.height() for button in form.large.values())


@pytest.mark.parametrize("plane", ORDER)
def test_one_view_is_made_large_and_small_again(qtbot: Any, form: ViewsForm, said: list[Any], plane: Plane) -> None:
    """The same button does both."""
    press(qtbot, form.large[plane])
    press(qtbot, form.large[plane])
    assert said == [("largeRequested", plane), ("largeRequested", None)]


def test_switches_say_what_they_are_now(qtbot: Any, form: ViewsForm, said: list[Any]) -> None:
    """Each once."""
    press(qtbot, form.crosshair)
    press(qtbot, form.wheel)
    press(qtbot, form.crosshair)
    qtbot.keyClick(form.sides, Qt.Key.Key_Down)
    qtbot.keyClick(form.sides, Qt.Key.Key_Up)
    assert said == [
        ("crosshairToggled", False), ("wheelToggled", False), ("crosshairToggled", True),
        ("neurologicalToggled", True), ("neurologicalToggled", False),
    ]  # fmt: skip


def test_slabs_are_chosen(qtbot: Any, form: ViewsForm, said: list[Any]) -> None:
    """The thickness can be changed where there is a slab."""
    assert form.slab == Slab()
    assert not form.thickness.isEnabled()
    assert form.thickness.toolTip()
    for projection in ("max", "mean", "min"):
        qtbot.keyClick(form.projection, Qt.Key.Key_Down)
        assert said.pop() == ("slabChanged", Slab(projection=projection))
        assert form.thickness.isEnabled()
    form.thickness.selectAll()
    qtbot.keyClicks(form.thickness, "7.5")
    qtbot.keyClick(form.thickness, Qt.Key.Key_Return)
    assert said[-1] == ("slabChanged", Slab(projection="min", thickness=7.5))
    form.projection.setCurrentIndex(0)
    assert form.slab.projection == "none"
    assert not form.thickness.isEnabled()


@pytest.mark.parametrize("alone", [None, *ORDER])
@pytest.mark.parametrize("switched", [False, True])
def test_showing_how_things_are_says_nothing(
    form: ViewsForm, said: list[Any], alone: Plane | None, switched: bool
) -> None:
    """And shows it: nothing is large in a closed bench."""
    for is_open in (True, False):
        form.show_state(is_open=is_open, alone=alone, crosshair=switched, wheel=not switched, neurological=switched)
        assert form.four.isChecked() is (is_open and alone is None)
        large = [plane for plane, button in form.large.items() if button.isChecked()]
        assert large == ([alone] if is_open and alone is not None else [])
        assert form.crosshair.isChecked() is switched
        assert form.wheel.isChecked() is not switched
        assert form.sides.currentText().startswith("Neurological" if switched else "Radiological")
    assert not said


def test_words_and_units_are_the_field_s(form: ViewsForm, said: list[Any]) -> None:
    """A patient has sides; a cell has none, and this is said."""
    assert [form.large[plane].text() for plane in ORDER] == ["Axial", "Coronal", "Sagittal", "3D"]
    assert (form.thickness.text(), form.unit.text()) == ("10.0", "mm")
    assert form.sides.isEnabled()
    form.show_kind(anatomical=False, unit="µm")
    assert [form.large[plane].text() for plane in ORDER] == ["XY", "XZ", "YZ", "3D"]
    assert (form.thickness.text(), form.unit.text()) == ("10.0", "µm")
    assert not form.sides.isEnabled()
    assert form.sides.toolTip() == "This image does not say where a patient's left is"
    assert not said


def test_every_control_explains_itself(form: ViewsForm) -> None:
    """Also those that are disabled."""
    controls: list[QWidget] = [
        form.four, *form.large.values(), form.crosshair, form.wheel, form.sides, form.projection, form.thickness,
    ]  # fmt: skip
    assert all(control.toolTip() for control in controls)
