"""Each layer's grey levels are looked at once, and what takes long in a thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QObject

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.sliced import Moved
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import contrast_limits, to_layer
from napari_vol3d.gui.panels.grey_survey import GreySurvey, is_patient, voxels_of

RNG = np.random.default_rng(0)


@pytest.fixture
def survey(qtbot: Any) -> GreySurvey:
    parent = QObject()
    found = GreySurvey(parent)
    found.holder = parent  # or both would go
    return found


def scan(**changes: Any) -> Image:
    volume = Volume(
        data=RNG.normal(100, 20, (10, 12, 14)).astype(np.float32),
        geometry=Geometry(affine=np.diag([-1.0, -1.0, 1.0, 1.0]), anatomical=True), **changes,
    )  # fmt: skip
    data, keywords, _ = to_layer(volume, as_labels=False)
    return Image(data, **keywords)


def test_small_scans_are_known_at_once_and_stay_known(survey: GreySurvey) -> None:
    layer = scan()
    levels = survey.of(layer)
    assert levels is not None
    assert levels.stretched.limits == tuple(layer.contrast_limits)  # as it was opened
    assert survey.of(layer) is levels
    survey.forget(layer)
    assert survey.of(layer) is not levels


def test_lazy_scans_are_looked_at_in_a_thread(qtbot: Any, survey: GreySurvey) -> None:
    values = RNG.integers(0, 100, (10, 12, 14)).astype(np.int16)
    layer = Image(Moved(values.T, (2, 1, 0)), contrast_limits=(0, 1))
    with qtbot.waitSignal(survey.changed, timeout=20_000) as told:
        assert survey.of(layer) is None
        assert survey.of(layer) is None  # one thread is enough
    assert told.args == [layer]
    levels = survey.of(layer)
    assert levels is not None
    assert levels.stretched.limits == contrast_limits(values)


def test_what_was_forgotten_meanwhile_is_dropped(qtbot: Any, survey: GreySurvey) -> None:
    layer = Image(Moved(np.zeros((4, 4, 4)).T, (2, 1, 0)), contrast_limits=(0, 1))
    survey.of(layer)
    job = survey._jobs[layer]
    with qtbot.waitSignal(job.ended, timeout=20_000), qtbot.assertNotEmitted(survey.changed):
        survey.let_go()
    assert not survey._jobs
    assert not survey._levels


def test_other_voxels_have_other_levels(qtbot: Any, survey: GreySurvey) -> None:
    layer = scan()
    before = survey.of(layer)
    with qtbot.waitSignal(survey.changed, timeout=1000):
        layer.data = np.asarray(layer.data) + 1000
    after = survey.of(layer)
    assert before is not None
    assert after is not None
    assert after.full.low == pytest.approx(before.full.low + 1000, abs=0.01)


def test_of_a_resampled_scan_its_own_voxels_count() -> None:
    values = RNG.integers(50, 100, (6, 6, 6)).astype(np.int16)
    volume = Volume(data=values, geometry=Geometry.from_spacing((1, 1, 1)))
    onto = Onto(volume, Geometry.from_spacing((2, 2, 2), origin=(-9, -9, -9)), (20, 20, 20))
    assert voxels_of(Image(onto, contrast_limits=(0, 1))) is values
    turned = voxels_of(Image(Moved(onto, (2, 1, 0)), contrast_limits=(0, 1)))
    assert np.array_equal(turned, values.T)


def test_of_several_resolutions_the_finest_counts() -> None:
    finest = RNG.integers(0, 9, (16, 16, 16)).astype(np.uint8)
    layer = Image([finest, finest[::2, ::2, ::2]], multiscale=True, contrast_limits=(0, 9))
    assert voxels_of(layer) is finest


def test_only_scans_of_ours_are_a_patients() -> None:
    assert is_patient(scan())
    assert not is_patient(Image(np.zeros((3, 3, 3))))
