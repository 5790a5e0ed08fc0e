"""Controls are offered where they work, and say why where they do not."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.core.progress import Progress
from napari_vol3d.gui.panels.agreement_ui import COMPARE, NOTHING_YET, AgreementUi


@pytest.fixture
def ui(qtbot: Any) -> AgreementUi:
    ui = AgreementUi()
    qtbot.addWidget(ui)
    ui.show()
    return ui


def test_controls_follow_the_state(ui: AgreementUi) -> None:
    assert (ui.compare.isEnabled(), ui.compare.toolTip()) == (True, COMPARE)
    assert (ui.export.isEnabled(), ui.export.toolTip()) == (False, NOTHING_YET)
    assert not ui.case_view.isVisible()
    ui.show_state(why_not="", busy=True, found=True)
    assert [part.isVisible() for part in (ui.compare, ui.export, ui.bar, ui.cancel, ui.case_view)] == [
        False, False, True, True, True,
    ]  # fmt: skip
    ui.show_state(why_not="No", busy=False, found=True)
    assert (ui.compare.isEnabled(), ui.compare.toolTip(), ui.export.isEnabled()) == (False, "No", True)


def test_progress_tells_the_time_left(ui: AgreementUi) -> None:
    ui.show_progress(Progress(phase="Comparing readings", done=1, total=4, seconds=2.0))
    assert (ui.bar.value(), ui.bar.toolTip()) == (250, "Comparing readings, 6.0 s left")


def test_it_fits_into_the_dock(ui: AgreementUi) -> None:
    ui.pair.addItem("everybody's list and a reader with a very long name, repeat 1")
    for busy in (False, True):
        ui.show_state(why_not="", busy=busy, found=True)
        assert ui.minimumSizeHint().width() <= 320
