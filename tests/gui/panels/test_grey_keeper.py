"""Images open in the window that a person chose for them, a CT in the usual one, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from qtpy.QtCore import QObject

from napari_vol3d.core.sliced import Moved
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.core.windows import OPENING, PRESETS, Window
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.panels.grey_keeper import GreyKeeper
from napari_vol3d.gui.panels.grey_memory import key_of, memory_file, read_windows
from napari_vol3d.gui.panels.grey_survey import GreySurvey

RNG = np.random.default_rng(0)
PATIENT = Geometry(affine=np.diag([-1.0, -1.0, 1.0, 1.0]), anatomical=True)


class Sessions:
    """Keepers as sessions have them, one after the other."""

    def __init__(self) -> None:
        self._parent, self._running = QObject(), []

    def begin(self, viewer: ViewerModel) -> GreyKeeper:
        self.end()
        survey = GreySurvey(self._parent)
        self._running = [GreyKeeper(viewer, survey, self._parent), survey]
        return self._running[0]

    def end(self) -> None:
        for one in self._running:
            one.let_go()
        self._running = []


@pytest.fixture
def sessions(qtbot: Any) -> Iterator[Sessions]:
    found = Sessions()
    yield found
    found.end()


def mr(name: str = "mr") -> Image:
    return _image(RNG.normal(100, 20, (10, 12, 14)).astype(np.float32), name)


def ct(name: str = "ct", **changes: Any) -> Image:
    data = RNG.integers(-100, 900, (10, 12, 14)).astype(np.int16)
    data[:4] = -1000
    return _image(data, name, **changes)


def _image(data: Any, name: str, **changes: Any) -> Image:
    volume = Volume(data=data, geometry=PATIENT, name=name, source=Path("/scans") / f"{name}.nii.gz")
    shown, keywords, _ = to_layer(volume, as_labels=False)
    return Image(shown, **keywords | changes)


def limits(layer: Image) -> tuple[float, float]:
    low, high = layer.contrast_limits
    return float(low), float(high)


def test_a_ct_opens_in_the_usual_window_and_others_as_they_are(sessions: Sessions) -> None:
    viewer, layer, other = ViewerModel(), ct(), mr()
    before = limits(other)
    sessions.begin(viewer)
    viewer.layers.extend([layer, other])
    assert limits(layer) == PRESETS[OPENING].limits
    assert limits(other) == before
    sessions.end()
    assert not memory_file().exists()  # nobody has chosen anything


def test_a_ct_whose_window_was_given_keeps_it(sessions: Sessions) -> None:
    viewer, given, already = ViewerModel(), ct(contrast_limits=(0, 80)), ct("already")
    viewer.add_layer(already)
    already.contrast_limits = (-10, 10)
    sessions.begin(viewer)
    viewer.add_layer(given)
    assert limits(given) == (0, 80)
    assert limits(already) == (-10, 10)


def test_a_window_comes_back_in_the_session_and_in_the_next(sessions: Sessions) -> None:
    for make in (mr, ct):
        viewer, first = ViewerModel(), make()
        sessions.begin(viewer)
        viewer.add_layer(first)
        first.contrast_limits = (12.5, 77)
        viewer.layers.clear()
        again = make()
        viewer.add_layer(again)
        assert limits(again) == (12.5, 77)
        sessions.end()
        later, viewer = make(), ViewerModel()
        sessions.begin(viewer)
        viewer.add_layer(later)
        assert limits(later) == (12.5, 77)


def test_a_scan_that_is_there_already_gets_its_window_too(sessions: Sessions) -> None:
    viewer, first = ViewerModel(), mr()
    sessions.begin(viewer)
    viewer.add_layer(first)
    first.contrast_limits = (1, 2)
    sessions.end()
    viewer = ViewerModel()
    there, changed = mr(), mr("changed")
    viewer.layers.extend([there, changed])
    changed.contrast_limits = (3, 4)
    sessions.begin(viewer)
    assert limits(there) == (1, 2)
    assert limits(changed) == (3, 4)


def test_only_the_last_of_many_changes_is_written(qtbot: Any, sessions: Sessions) -> None:
    viewer, layer = ViewerModel(), mr()
    keeper = sessions.begin(viewer)
    viewer.add_layer(layer)
    for k in range(50):
        layer.contrast_limits = (0, k + 1)
    assert not memory_file().exists()
    keeper._clock.setInterval(0)
    layer.contrast_limits = (0, 99)
    qtbot.waitUntil(memory_file().exists, timeout=5000)
    key = key_of(layer)
    assert key is not None
    assert read_windows() == {key: Window(0.0, 99.0)}


def test_what_has_no_file_is_not_remembered(sessions: Sessions) -> None:
    viewer = ViewerModel()
    sessions.begin(viewer)
    layer = viewer.add_image(np.zeros((4, 4, 4)))
    layer.contrast_limits = (0, 5)
    viewer.add_labels(np.zeros((4, 4, 4), np.uint8))
    viewer.add_image(np.zeros((4, 4, 3), np.uint8), rgb=True)
    sessions.end()
    assert not memory_file().exists()


def test_who_was_changed_while_a_thread_looked_keeps_the_change(qtbot: Any, sessions: Sessions) -> None:
    viewer = ViewerModel()
    keeper = sessions.begin(viewer)
    data = np.asarray(ct().data)
    waits, changed = (_image(Moved(data.T, (2, 1, 0)), name) for name in ("waits", "changed"))
    viewer.layers.extend([waits, changed])
    changed.contrast_limits = (5, 6)
    qtbot.waitUntil(lambda: not keeper._waiting, timeout=20_000)
    assert limits(waits) == PRESETS[OPENING].limits
    assert limits(changed) == (5, 6)


def test_it_lets_go(sessions: Sessions) -> None:
    viewer, layer = ViewerModel(), mr()
    keeper = sessions.begin(viewer)
    viewer.add_layer(layer)
    sessions.end()
    layer.contrast_limits = (0, 1)
    viewer.add_layer(ct())
    keeper.write()
    assert not memory_file().exists()
    assert limits(viewer.layers[-1]) != PRESETS[OPENING].limits
