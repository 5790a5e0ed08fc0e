"""A size fits the voxels, whatever their unit and size, until a person sets one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_vol3d.gui.forms.size_box import SizeBox, reach_in_words

EDGE = st.floats(1e-3, 50)


@pytest.fixture
def length(qtbot: Any) -> SizeBox:
    box = SizeBox(1)
    qtbot.addWidget(box)
    return box


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(spacing=st.tuples(EDGE, EDGE, EDGE))
def test_the_default_is_a_voxel_and_little_more(length: SizeBox, spacing: tuple[float, float, float]) -> None:
    length.fit((1.0, 1.0, 1.0), "px")
    length.fit(spacing, "mm")
    typical = math.prod(spacing) ** (1 / 3)
    assert typical * (1 - 1e-9) <= length.value() <= typical * 1.11
    assert length.value() >= min(spacing) * (1 - 1e-9)
    assert length.minimum() <= min(spacing)
    assert length.text().endswith(" mm")


def test_what_a_person_set_stays_while_the_unit_does(length: SizeBox) -> None:
    length.fit((1.0, 1.0, 1.0), "mm")
    length.setValue(4.5)
    length.fit((3.0, 0.5, 0.5), "mm")
    assert length.value() == 4.5
    length.fit((3.0, 0.5, 0.5), "µm")
    assert length.value() < 1
    length.fit((8.0, 8.0, 8.0), "µm")  # it was the default, so it follows
    assert length.value() == 8


def test_volumes_say_their_unit(qtbot: Any) -> None:
    box = SizeBox(100, power=3)
    qtbot.addWidget(box)
    assert box.text().endswith("voxels")
    assert box.value() == 100
    box.fit((2.0, 0.5, 0.5), "µm")
    assert box.value() == 50
    assert box.text().endswith("µm³")


@pytest.mark.parametrize(
    ("length", "spacing", "axis", "words"),
    [
        (1.0, (3.0, 0.5, 0.5), None, "z 0, y 2, x 2 voxels"),
        (3.0, (3.0, 0.5, 0.5), None, "z 1, y 6, x 6 voxels"),
        (3.0, (3.0, 0.5, 0.5), 0, "z 0, y 6, x 6 voxels"),
        (0.4, (3.0, 0.5, 0.5), None, "less than a voxel: nothing changes"),
        (0.3, (0.1, 0.1, 0.1), None, "z 3, y 3, x 3 voxels"),
    ],
)
def test_the_reach_is_said_in_voxels(
    length: float, spacing: tuple[float, float, float], axis: int | None, words: str
) -> None:
    assert reach_in_words(length, spacing, axis=axis) == words
