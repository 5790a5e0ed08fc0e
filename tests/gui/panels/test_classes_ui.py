"""What does not work at the moment is off, and its tooltip says why."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.class_model import LOCK
from napari_vol3d.gui.panels.classes_ui import NO_CLASS, NO_LABELS, ClassesUi


@pytest.fixture
def ui(qtbot: Any) -> ClassesUi:
    ui = ClassesUi()
    qtbot.addWidget(ui)
    return ui


def test_without_labels_all_is_off_and_the_way_on_is_said(ui: ClassesUi) -> None:
    assert ui.which.text() == NO_LABELS
    for control in (ui.isolate, ui.color, ui.jump, ui.opacity):
        assert not control.isEnabled()
        assert control.toolTip() == NO_LABELS
    assert not ui.list.isEnabled()


def test_without_a_class_what_needs_one_is_off(ui: ClassesUi) -> None:
    ui.enable(labels=True, chosen=None)
    assert ui.list.isEnabled()
    assert ui.show_all.isEnabled()
    for control in (ui.isolate, ui.color, ui.jump, ui.opacity):
        assert not control.isEnabled()
        assert control.toolTip() == NO_CLASS
    ui.enable(labels=True, chosen="liver")
    for control in (ui.isolate, ui.color, ui.jump, ui.opacity):
        assert control.isEnabled()
        assert "liver" in control.toolTip()


def test_it_fits_the_dock_and_says_one_thing_at_a_time(ui: ClassesUi) -> None:
    assert ui.minimumSizeHint().width() <= 320
    ui.say("Nothing here.")
    assert not ui.said.isHidden()
    ui.say("")
    assert ui.said.isHidden()


def test_who_only_reads_sees_no_locks(ui: ClassesUi) -> None:
    assert ui.list.view.isColumnHidden(LOCK)
