from __future__ import annotations

import pytest

from napari_vol3d.core.progress import Progress


def test_fraction_and_seconds_left() -> None:
    progress = Progress(phase="Segmenting", done=3, total=12, seconds=6.0)
    assert progress.fraction == 0.25
    assert progress.seconds_left == pytest.approx(18.0)
    assert Progress(phase="Segmenting", done=12, total=12, seconds=6.0).seconds_left == 0.0


def test_nothing_is_guessed_before_the_first_unit_or_without_a_total() -> None:
    assert Progress(phase="Starting", total=5, seconds=3.0).seconds_left is None
    assert Progress(phase="Starting", done=5, seconds=3.0).seconds_left is None
    assert Progress(phase="Starting").fraction == 0.0
