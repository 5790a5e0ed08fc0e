"""At most one tool is in hand, and a person hears what each is for, or why none can be had."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.tool_grid import COLUMNS, ToolEntry, ToolGrid

NAMES = ("brush", "smooth", "islands", "split")


@pytest.fixture
def grid(qtbot: Any) -> ToolGrid:
    grid = ToolGrid([ToolEntry(name=name, title=name.title(), tip=f"What {name} does") for name in NAMES])
    qtbot.addWidget(grid)
    grid.resize(300, 120)
    grid.show()
    return grid


def press(qtbot: Any, grid: ToolGrid, name: str) -> Any:
    """Press a button, and give what was told."""
    with qtbot.waitSignal(grid.valueChanged) as told:
        qtbot.mouseClick(grid.buttons[name], Qt.MouseButton.LeftButton)
    return told.args[0]


def pressed(grid: ToolGrid) -> list[str]:
    return [name for name, button in grid.buttons.items() if button.isChecked()]


def test_one_is_in_hand_and_a_second_press_puts_it_down(qtbot: Any, grid: ToolGrid) -> None:
    assert grid.value() is None
    for name in ("smooth", "brush"):
        assert press(qtbot, grid, name) == name == grid.value()
        assert pressed(grid) == [name]
    assert press(qtbot, grid, "brush") is None
    assert grid.value() is None
    assert pressed(grid) == []


def test_what_the_program_chooses_is_shown_and_told_to_nobody(qtbot: Any, grid: ToolGrid) -> None:
    with qtbot.assertNotEmitted(grid.valueChanged):
        grid.setValue("split")
        assert pressed(grid) == ["split"]
        grid.setValue("islands")
        assert grid.value() == "islands"
        grid.setValue(None)
    assert pressed(grid) == []


def test_tooltips_hold_the_key_or_why_it_is_off(grid: ToolGrid) -> None:
    assert grid.buttons["brush"].toolTip() == "What brush does"
    grid.set_keys({"brush": "W", "another": "X"})
    assert grid.buttons["brush"].toolTip() == "What brush does  [W]"
    assert grid.buttons["smooth"].toolTip() == "What smooth does"
    grid.set_why_off("No labels.")
    grid.set_keys({"brush": "I"})
    assert {button.toolTip() for button in grid.buttons.values()} == {"No labels."}
    grid.set_why_off("")
    assert grid.buttons["brush"].toolTip() == "What brush does  [I]"


def test_columns_are_of_one_width_and_the_grid_fits_the_dock(grid: ToolGrid, qtbot: Any) -> None:
    qtbot.waitExposed(grid)
    widths = {button.width() for button in grid.buttons.values()}
    assert max(widths) - min(widths) <= 1
    assert len({button.y() for button in grid.buttons.values()}) == -(-len(NAMES) // COLUMNS)
    assert grid.minimumSizeHint().width() <= 320
