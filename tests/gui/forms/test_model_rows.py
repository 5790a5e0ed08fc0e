"""What a row of a model says, to eyes and to a screen reader."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.model_rows import ROW, ModelRow, ModelRows

SOUND = ModelRow(key="a", title="Brain", version="1.0", origin="bundled", state="sound", dice=0.876, preferred=True)
BROKEN = ModelRow(key="b", title="old", state="broken", why="No card.")


def test_the_second_line_says_what_is_known() -> None:
    assert SOUND.facts == "bundled, default, Dice 0.88"
    assert BROKEN.facts == "broken"
    assert ModelRow(key="c", title="x", origin="added", state="changed").facts == "changed, added"


def test_rows_are_found_and_read_aloud(qtbot: Any) -> None:
    rows = ModelRows()
    assert rows.set_rows([SOUND, BROKEN])
    assert rows.rowCount() == 2
    assert not rows.place("nowhere").isValid()
    index = rows.place("b")
    assert index.data(ROW) is BROKEN
    assert index.data() == "old"
    assert index.data(Qt.ItemDataRole.ToolTipRole) == "No card."
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "old broken No card."
    with qtbot.waitSignal(rows.dataChanged):
        assert not rows.set_rows([SOUND, ModelRow(key="b", title="new")])
    assert rows.place("b").data() == "new"
