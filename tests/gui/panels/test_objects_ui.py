"""Controls are offered where they work, and say why where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.panels.objects_ui import NO_LABELS, ObjectsUi


@pytest.fixture
def ui(qtbot: Any) -> ObjectsUi:
    ui = ObjectsUi()
    qtbot.addWidget(ui)
    ui.show()
    return ui


def test_controls_follow_the_state(ui: ObjectsUi) -> None:
    assert (ui.find.isEnabled(), ui.find.toolTip()) == (False, NO_LABELS)
    assert (ui.save.isEnabled(), ui.save.toolTip()) == (False, "Find objects first")
    ui.show_state(labels=True, objects=True, busy=False)
    assert ui.find.isEnabled()
    assert ui.save.isEnabled()
    assert ui.list.isEnabled()
    assert not ui.cancel.isVisible()
    ui.show_state(labels=True, objects=True, busy=True)
    assert [one.isVisible() for one in (ui.cancel, ui.bar, ui.find, ui.save)] == [True, True, False, False]


def test_progress_tells_the_time_left(ui: ObjectsUi) -> None:
    ui.show_progress(Progress(phase="Finding objects", done=1, total=4, seconds=2.0))
    assert (ui.bar.value(), ui.bar.toolTip()) == (250, "Finding objects, 6.0 s left")


def test_a_sentence_goes_away(ui: ObjectsUi) -> None:
    ui.say("The labels have changed.")
    assert ui.said.isVisible()
    ui.say("")
    assert not ui.said.isVisible()


def test_it_fits_into_the_dock(ui: ObjectsUi) -> None:
    for busy in (False, True):
        ui.show_state(labels=True, objects=True, busy=busy)
        assert ui.minimumSizeHint().width() <= 320
