"""Whether drops open here is asked once, and the answer is napari's own preference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari import Viewer
from napari.layers import Image, Labels
from napari.settings import get_settings
from qtpy.QtCore import Qt

from napari_vol3d.gui.consent import PATTERNS, ConsentBar, drops_open_here, open_drops_here
from napari_vol3d.gui.workbench import Workbench
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN, drop


def fresh_bar(qtbot: Any) -> ConsentBar:
    bar = ConsentBar()
    qtbot.addWidget(bar)
    return bar


def preferences() -> dict[str, str]:
    return dict(get_settings().plugins.extension2reader)


def test_nobody_has_consented_at_first(viewer: Viewer, qtbot: Any) -> None:
    assert not drops_open_here()
    assert not fresh_bar(qtbot).isHidden()


def test_yes_makes_us_the_reader_of_every_format_and_of_no_other(
    qtbot: Any, bench: Workbench, viewer: Viewer
) -> None:
    get_settings().plugins.extension2reader = {"*.png": "someone-else"}
    assert bench.consent.isVisible()
    qtbot.mouseClick(bench.consent.yes, Qt.MouseButton.LeftButton)
    assert not bench.consent.isVisible()
    assert drops_open_here()
    assert preferences() == {"*.png": "someone-else", **dict.fromkeys(PATTERNS, PLUGIN)}
    assert fresh_bar(qtbot).isHidden()


def test_no_changes_nothing_and_is_not_asked_again(qtbot: Any, bench: Workbench, viewer: Viewer) -> None:
    before = preferences()
    qtbot.mouseClick(bench.consent.no, Qt.MouseButton.LeftButton)
    assert not bench.consent.isVisible()
    assert preferences() == before
    assert not drops_open_here()
    assert fresh_bar(qtbot).isHidden()


def test_half_a_consent_is_none(viewer: Viewer) -> None:
    get_settings().plugins.extension2reader = dict.fromkeys(PATTERNS[1:], PLUGIN)
    assert not drops_open_here()


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nii", "a.tif", "a.tiff", "a.ome.tif", "a.npy"])
def test_after_yes_a_drop_opens_here_without_a_dialog(viewer: Viewer, tmp_path: Path, name: str) -> None:
    # A dialog would wait for ever, and pytest's clock would end the run.
    open_drops_here()
    path, data = tmp_path / name, phantom()[0]
    if ".nii" in name:
        save_nifti(path, data)
    elif name.endswith(".npy"):
        np.save(path, data)
    else:
        tifffile.imwrite(path, data, ome=".ome." in name)
    drop(viewer, path)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    assert layer.name == "a"
    assert "napari-vol3d" in layer.metadata


def test_several_dropped_files_each_become_a_layer(viewer: Viewer, tmp_path: Path) -> None:
    open_drops_here()
    image, labels = phantom()
    drop(viewer, save_nifti(tmp_path / "image.nii.gz", image), save_nifti(tmp_path / "labels.nii.gz", labels))
    assert {type(layer) for layer in viewer.layers} == {Image, Labels}
