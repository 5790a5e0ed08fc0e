"""N files of a series dropped at once are one scan, one question, one refusal; dropped again, they are a second try."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from napari_vol3d.gui import siblings
from napari_vol3d.gui.consent import open_drops_here
from napari_vol3d.gui.jobs import Job
from napari_vol3d.gui.part_choice import PartChoice
from napari_vol3d.gui.siblings import Siblings, siblings_of
from napari_vol3d.io.registry import read_volume
from tests.builders import phantom, save_nifti
from tests.gui.conftest import PLUGIN, drop
from tests.io.dicom_phantom import SPACING, series

WAIT_MS = 30_000
UNEVEN = np.array([0.0, 1, 2, 3, 5, 6]) * SPACING[0]


@pytest.fixture
def told(viewer: Viewer) -> Iterator[list[Any]]:
    """What the person was told in this test."""
    open_drops_here()
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


@pytest.fixture
def cancels() -> Iterator[list[str]]:
    """The questions that were asked; a person who cancels each."""
    asked: list[str] = []

    def look() -> None:
        found = QApplication.activeModalWidget()
        if isinstance(found, PartChoice):
            asked.append(found.windowTitle())
            found.buttons.button(QDialogButtonBox.StandardButton.Cancel).click()

    clock = QTimer()
    clock.timeout.connect(look)
    clock.start(20)
    yield asked
    clock.stop()


def settle(qtbot: Any, viewer: Viewer) -> None:
    jobs = viewer.window._qt_window
    qtbot.waitUntil(lambda: not any(_goes_on(job) for job in jobs.findChildren(Job)), timeout=WAIT_MS)
    QApplication.processEvents()


def _goes_on(job: Job) -> bool:
    return job.running or job._worker.is_running


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def test_the_files_of_a_series_are_one_layer(qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]) -> None:
    folder = series(tmp_path / "scan")
    drop(viewer, *files(folder))
    settle(qtbot, viewer)
    (layer,) = viewer.layers
    np.testing.assert_array_equal(layer.data, read_volume(folder).data)
    assert [record.message for record in told] == ["Reading 0.dcm ..."]


def test_two_series_and_another_scan_are_three_layers(
    qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]
) -> None:
    folder = series(tmp_path / "scan", SeriesInstanceUID="1.2.1", SeriesDescription="one", name="a{}")
    series(folder, SeriesInstanceUID="1.2.2", SeriesDescription="two", name="b{}")
    drop(viewer, *files(folder), save_nifti(tmp_path / "three.nii.gz", phantom()[0]))
    settle(qtbot, viewer)
    assert sorted(layer.name for layer in viewer.layers) == ["one", "three", "two"]


def test_with_shift_they_are_one_layer_too(qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]) -> None:
    viewer.open([str(path) for path in files(series(tmp_path / "scan"))], stack=True, plugin=PLUGIN)
    settle(qtbot, viewer)
    (layer,) = viewer.layers
    assert layer.data.shape == (6, 9, 7)


def test_a_slice_of_what_is_open_says_where_it_is(qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]) -> None:
    paths = files(series(tmp_path / "scan"))
    drop(viewer, paths[0])
    settle(qtbot, viewer)
    (layer,) = viewer.layers
    told.clear()
    siblings_of(viewer)._openings.clear()  # as after a while
    drop(viewer, *paths)
    settle(qtbot, viewer)
    assert list(viewer.layers) == [layer]
    assert [record.message for record in told] == ["0.dcm is a slice of Thorax, which is open."]
    viewer.layers.remove(layer)
    drop(viewer, *paths)
    settle(qtbot, viewer)
    assert [layer.name for layer in viewer.layers] == ["Thorax"]


def test_a_question_is_asked_once_a_drop(
    qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any], cancels: list[str]
) -> None:
    paths = files(series(tmp_path / "scan", steps=UNEVEN))
    for drops in (1, 2):
        drop(viewer, *paths)
        settle(qtbot, viewer)
        assert len(cancels) == drops
    assert not viewer.layers


def test_what_is_no_volume_is_refused_once_a_drop(qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]) -> None:
    paths = files(series(tmp_path / "scan", steps=np.zeros(6)))
    for drops in (1, 2):
        drop(viewer, *paths)
        settle(qtbot, viewer)
        assert len([record for record in told if str(record.severity) == "error"]) == drops
    assert not viewer.layers


def test_a_later_file_is_no_sibling_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths, now = files(series(tmp_path / "scan")), [100.0]
    monkeypatch.setattr(siblings, "monotonic", lambda: now[0])
    memory = Siblings(QObject())
    assert [memory.opens(path) for path in paths[:3]] == [True, False, False]
    now[0] += 1000
    assert not memory.opens(paths[3])  # it takes its time, but goes on
    memory.ended(paths[0])
    now[0] += siblings.TOGETHER_S / 2
    assert not memory.opens(paths[4])
    now[0] += siblings.TOGETHER_S * 2
    assert memory.opens(paths[5])


def test_each_window_has_a_memory_of_its_own(viewer: Viewer) -> None:
    assert siblings_of(viewer) is siblings_of(viewer)
    assert siblings_of(viewer).parent() is viewer.window._qt_window


def test_labels_on_a_series_are_not_its_slices(qtbot: Any, viewer: Viewer, tmp_path: Path, told: list[Any]) -> None:
    paths = files(series(tmp_path / "scan"))
    drop(viewer, paths[0])
    settle(qtbot, viewer)
    (layer,) = viewer.layers
    assert isinstance(layer, Image)
    assert siblings.opened_with(viewer, paths[3])
    assert not siblings.opened_with(viewer, save_nifti(tmp_path / "a.nii.gz", phantom()[0]))
