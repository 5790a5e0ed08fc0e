"""The form of the advanced settings: what goes in comes out, and each change is told once."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.options import OptionsForm
from napari_vol3d.pipeline.settings import SegmentSettings


@pytest.fixture
def form(qtbot: Any) -> OptionsForm:
    form = OptionsForm()
    qtbot.addWidget(form)
    return form


def count(form: OptionsForm) -> list[None]:
    told: list[None] = []
    form.valueChanged.connect(lambda: told.append(None))
    return told


@pytest.mark.parametrize(
    "settings",
    [
        SegmentSettings(),
        SegmentSettings(device="cpu", memory_gb=0.5, halo=0, probabilities=True),
        SegmentSettings(device="gpu", memory_gb=16, halo=46, context="exact", mirror=True),
        SegmentSettings(scheme="overlap", skip_below=-900.5, precision="bfloat16"),
    ],
)
def test_what_goes_in_comes_out(form: OptionsForm, settings: SegmentSettings) -> None:
    form.setValue(settings)
    assert form.value() == settings


def test_it_begins_with_the_defaults(form: OptionsForm) -> None:
    assert form.value() == SegmentSettings()
    assert form.halo.text() == "as context says"


def test_settings_edited_elsewhere_are_taken_in(form: OptionsForm) -> None:
    assert form.value(resample=False) == SegmentSettings(resample=False)


def test_each_change_is_told_once(qtbot: Any, form: OptionsForm) -> None:
    told = count(form)
    form.device.setCurrentText("cpu")
    assert len(told) == 1
    form.memory.setValue(1.0)
    assert len(told) == 2
    form.halo.setValue(3)
    assert len(told) == 3
    form.probabilities.click()
    assert len(told) == 4
    form.context.setCurrentText("exact")
    form.scheme.setCurrentText("overlap")
    form.mirror.click()
    assert len(told) == 7


def test_what_is_no_number_yet_skips_nothing(qtbot: Any, form: OptionsForm) -> None:
    qtbot.keyClicks(form.skip_below, "-")
    assert form.value().skip_below is None
    qtbot.keyClicks(form.skip_below, "12.5")
    assert form.value().skip_below == -12.5
    qtbot.keyClicks(form.skip_below, " and more")  # refused letter by letter
    assert form.skip_below.text() == "-12.5"
    form.skip_below.clear()
    assert form.value().skip_below is None


def test_showing_the_same_again_tells_nothing(form: OptionsForm) -> None:
    form.setValue(SegmentSettings(memory_gb=4))
    told = count(form)
    form.setValue(SegmentSettings(memory_gb=4))
    assert not told


def test_stepping_below_zero_goes_back_to_the_context(qtbot: Any, form: OptionsForm) -> None:
    form.show()
    qtbot.waitExposed(form)
    form.setValue(SegmentSettings(halo=1))
    for _ in range(3):
        qtbot.keyClick(form.halo, Qt.Key.Key_Down)
    assert form.value().halo is None


def test_every_setting_says_what_it_is(form: OptionsForm) -> None:
    for editor in (
        form.device, form.memory, form.context, form.halo, form.scheme, form.skip_below, form.mirror,
        form.probabilities,
    ):  # fmt: skip
        assert editor.toolTip()
