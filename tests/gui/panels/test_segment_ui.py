"""How each state of the work looks: words, units, colours, and a reason where a button is off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.components import LayerList
from napari.layers import Image
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.box import Box
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.panels.segment_ui import SegmentUi
from napari_vol3d.models.card import Conform
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.checks import check_fit
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings


@pytest.fixture
def model() -> Model:
    return find_model("hippocampus-t1")


@pytest.fixture
def ui(qtbot: Any, model: Model) -> Iterator[SegmentUi]:
    parent = QWidget()
    qtbot.addWidget(parent)
    ui = SegmentUi(LayerList(), [model], parent)
    parent.show()
    qtbot.waitExposed(parent)
    yield ui
    assert ui.parent() is parent  # which has to be held until here


def scan(spacing: tuple[float, float, float] = (1.0, 1.0, 1.0), **given: Any) -> Volume:
    return Volume(data=np.zeros((30, 40, 20), np.uint8), geometry=Geometry.from_spacing(spacing, **given))


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (scan(), ["30 x 40 x 20", "1 mm", "uint8"]),
        (scan(spacing=(2.5, 0.5, 0.5)), ["2.5 x 0.5 x 0.5 mm"]),
        (scan(spacing=(0.4, 0.4, 0.4), unit="um"), ["0.4 µm"]),
        (scan(unit="pixel"), ["(no voxel size)"]),
    ],
)
def test_the_scan_is_described_with_its_units(ui: SegmentUi, volume: Volume, words: list[str]) -> None:
    ui.show_scan(volume)
    for word in words:
        assert word in ui.scan_line.text()
    ui.show_scan(None)
    assert ui.scan_line.text() == ""


def test_the_model_is_described_by_classes_colours_and_licence(ui: SegmentUi, model: Model) -> None:
    ui.show_model(model)
    for item in model.card.output.classes:
        assert item.name in ui.model_line.text()
        assert item.color in ui.model_line.text()
    assert f"Model licence: {model.card.license}" in ui.model_line.text()
    assert "used for" in ui.model_line.toolTip()
    ui.show_model(replace(model, card=model.card.model_copy(update={"license": ""})))
    assert "Model licence: not said" in ui.model_line.text()
    ui.show_model(model)
    assert model.card.citation in ui.model.toolTip()
    ui.show_model(None)
    assert ui.model_line.text() == ""


def test_the_tooltip_says_which_voxels_a_model_wants(ui: SegmentUi, model: Model) -> None:
    for given, words in (
        ({"conform": Conform(edge=256, spacing=1.0), "spacing": None}, "voxels: a cube of 256 voxels of 1 mm"),
        ({"spacing": None}, "voxels: any"),
        ({"spacing": (2.0, 1.0, 1.0)}, "voxels: 2 x 1 x 1 mm"),
    ):
        wanted = model.card.input.model_copy(update=given)
        ui.show_model(replace(model, card=model.card.model_copy(update={"input": wanted})))
        assert f"{words}</td>" in ui.model.toolTip()


def test_resampling_is_offered_only_where_the_spacings_differ(ui: SegmentUi, model: Model) -> None:
    for spacing, differs in (((1.0, 1.0, 1.0), False), ((2.0, 1.0, 1.0), True), ((1.0, 1.0, 1.0), False)):
        volume = scan(spacing=spacing)
        ui.show_fit(check_fit(volume, model.card), volume, model.card)
        assert ui.resample.isVisible() == differs
        assert ("Scan 2 x 1 x 1, model 1 x 1 x 1 mm" in ui.warning.text()) == differs


def test_without_resampling_there_is_one_warning_not_two(ui: SegmentUi, model: Model) -> None:
    volume = scan(spacing=(2.0, 1.0, 1.0))
    ui.resample.setChecked(False)
    ui.show_fit(check_fit(volume, model.card, resample=False), volume, model.card)
    assert ui.resample.isVisible()
    assert ui.warning.text().count("2 x 1 x 1") == 1


def test_the_plan_has_units_and_a_device(ui: SegmentUi, model: Model) -> None:
    plan = plan_segment(scan(), model.card, SegmentSettings())
    ui.show_plan(plan, "CPU", 7.64)
    assert "1 tile," in ui.plan_line.text()
    assert "about 7.6 s" in ui.plan_line.text()
    assert "CPU" in ui.plan_line.text()
    assert "MB" in ui.plan_line.text() or "GB" in ui.plan_line.text()
    ui.show_plan(plan, "", None)
    assert "about" not in ui.plan_line.text()
    assert "getting ready" in ui.plan_line.text()
    assert "tile" in ui.plan_line.toolTip()


def test_a_region_is_shown_until_there_is_none(ui: SegmentUi) -> None:
    ui.show_region(Box(start=(10, 0, 0), stop=(53, 40, 20)), axis=0)
    assert ui.region_line.isVisible()
    assert ui.region_line.text() == "slices 10-52, 40 x 20 voxels"
    ui.show_region(None)
    assert not ui.region_line.isVisible()


def test_the_save_button_names_the_layer(ui: SegmentUi) -> None:
    ui.offer_save("R&D labels")
    assert ui.save.isEnabled()
    assert ui.save.text() == "Save R&&D labels ..."  # a lone & would be a shortcut
    long = "hippocampus_007 of a study with a long name labels"
    ui.offer_save(long)
    assert len(ui.save.text()) < len(long)
    assert long in ui.save.toolTip()
    ui.offer_save(None)
    assert not ui.save.isEnabled()
    assert "no labels of this scan" in ui.save.toolTip()


def test_the_resample_box_says_what_it_does(ui: SegmentUi) -> None:
    assert "spacing" in ui.resample.toolTip()


def test_a_refusal_says_why_in_the_tooltip_and_in_the_line_below(ui: SegmentUi) -> None:
    ui.block_run("Open a scan first.")
    assert not ui.run.isEnabled()
    assert ui.run.toolTip() == "Open a scan first."
    assert ui.status.text() == "Open a scan first."
    ui.allow_run()
    assert ui.run.isEnabled()
    assert ui.status.text() == ""
    assert ui.run.toolTip() != "Open a scan first."


def test_what_was_said_stays_when_the_run_is_offered_again(ui: SegmentUi) -> None:
    ui.say("Cancelled; finished tiles stay.")
    ui.allow_run()
    assert ui.status.text() == "Cancelled; finished tiles stay."


def test_progress_says_how_far_and_how_long(ui: SegmentUi) -> None:
    ui.show_running("Hippocampus")
    assert (ui.run.isEnabled(), ui.cancel.isEnabled(), ui.bar.isVisible()) == (False, True, True)
    assert ui.run.toolTip()
    ui.show_progress(Progress(phase="Loading model"))
    assert ui.status.text() == "Loading model ..."
    assert ui.bar.maximum() == 0  # busy without a share
    ui.show_progress(Progress(phase="Segmenting", done=2, total=8, seconds=3.0))
    assert (ui.bar.value(), ui.bar.maximum()) == (2, 8)
    assert ui.status.text() == "2 of 8 tiles, 9.0 s left"
    assert ui.bar.text() == "Hippocampus · 25%"
    ui.show_idle()
    assert (ui.cancel.isEnabled(), ui.bar.isVisible()) == (False, False)
    assert ui.cancel.toolTip()


def test_what_a_file_or_a_layer_is_called_is_no_markup(ui: SegmentUi) -> None:
    ui.say("Saved a<b>c.nii.gz in R&D", bad=False)
    assert "a<b>c.nii.gz" in plain(ui.status.text())
    ui.say("Can't be read: <img src=x>.nii", bad=True)
    assert "<img src=x>.nii" in plain(ui.status.text())


def plain(rich: str) -> str:
    """What a person reads of rich text."""
    from qtpy.QtGui import QTextDocument

    document = QTextDocument()
    document.setHtml(rich)
    return document.toPlainText()


@pytest.fixture
def pair(qtbot: Any, model: Model) -> Iterator[SegmentUi]:
    layers = LayerList([Image(np.zeros((2, 3, 4)), name=name) for name in ("T1", "FLAIR")])
    parent = QWidget()
    qtbot.addWidget(parent)
    ui = SegmentUi(layers, [model], parent)
    parent.show()
    yield ui
    ui.let_go()
    assert ui.parent() is parent


def test_of_several_channels_labels_lie_on_the_first(pair: SegmentUi) -> None:
    assert pair.scan.value().name == "FLAIR"  # the newest
    assert not pair.grid_line.isVisible()
    pair.channels.ask(("T1", "FLAIR"))
    assert pair.scan.value().name == "T1"
    assert pair.grid_line.isVisible()
    assert pair.grid_line.text() == "labels lie on this one's grid"
    pair.scan._layers.append(Image(np.zeros((2, 3, 4)), name="late"))
    assert pair.scan.value().name == "T1"
    pair.channels.choices[0].setCurrentIndex(pair.channels.choices[0].findText("late"))
    assert pair.scan.value().name == "late"
    pair.channels.ask(())
    assert not pair.grid_line.isVisible()


def test_of_several_channels_a_person_may_choose_another_grid(pair: SegmentUi) -> None:
    pair.channels.ask(("T1", "FLAIR"))
    pair.scan.setCurrentIndex(pair.scan.findText("FLAIR"))  # as a person does it: Qt tells both
    pair.scan.activated.emit(pair.scan.currentIndex())
    pair.channels.choices[1].setCurrentIndex(0)
    assert pair.scan.value().name == "FLAIR"
