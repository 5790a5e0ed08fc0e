"""Holes and gaps, with SciPy as the judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.correct.holes import close_gaps, fill_holes, fill_holes_in_slices
from napari_vol3d.correct.limits import Limits

SPACING = (2.5, 0.8, 1.1)


def after(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    changed = labels.copy()
    if edit is not None:
        edit.apply(changed)
    return changed


def random_labels(seed: int, share: float) -> np.ndarray:
    return (np.random.default_rng(seed).random((7, 8, 9)) < share).astype(np.uint16) * 3


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.5, 0.9))
def test_holes_are_those_of_scipy(seed: int, share: float) -> None:
    labels = random_labels(seed, share)
    expected = ndimage.binary_fill_holes(labels == 3)
    np.testing.assert_array_equal(after(labels, fill_holes(labels, 3)) == 3, expected)
    for axis in range(3):
        slices = [ndimage.binary_fill_holes(part) for part in np.moveaxis(labels == 3, axis, 0)]
        found = after(labels, fill_holes_in_slices(labels, 3, axis=axis)) == 3
        np.testing.assert_array_equal(found, np.moveaxis(np.array(slices), 0, axis))


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), share=st.floats(0.02, 0.4), radius=st.sampled_from([0.5, 1.1, 2.0, 3.3]))
def test_gaps_are_closed_as_by_a_ball(seed: int, share: float, radius: float) -> None:
    labels = random_labels(seed, share)
    room = [int(radius / edge + 1e-6) for edge in SPACING]
    grid = np.meshgrid(*(np.arange(-n, n + 1) * e for n, e in zip(room, SPACING, strict=True)), indexing="ij")
    ball = sum(g**2 for g in grid) <= radius**2 * (1 + 1e-6)
    closed = ndimage.binary_closing(np.pad(labels == 3, 6), ball)[6:-6, 6:-6, 6:-6]
    found = after(labels, close_gaps(labels, 3, radius=radius, spacing=SPACING)) == 3
    np.testing.assert_array_equal(found, closed)
    flat = after(labels, close_gaps(labels, 3, radius=radius, spacing=SPACING, axis=0)) == 3
    middle = ball[room[0] : room[0] + 1]
    expected = ndimage.binary_closing(np.pad(labels == 3, 6), middle)[6:-6, 6:-6, 6:-6]
    np.testing.assert_array_equal(flat, expected)


def hollow() -> np.ndarray:
    """A box of 1 around a cavity that holds some 2; a crack runs through it in x = 12."""
    labels = np.zeros((9, 12, 20), np.uint8)
    labels[1:8, 2:10, 2:18] = 1
    labels[3:6, 4:8, 4:8] = 0
    labels[4, 5, 5] = 2
    labels[:, :, 12] = 0
    labels[4, 5, 12] = 2
    return labels


Tool = Callable[..., Edit | None]
TOOLS: list[tuple[Tool, dict[str, Any], int]] = [
    (fill_holes, {}, 47), (fill_holes_in_slices, {"axis": 2}, 47),
    (close_gaps, {"radius": 1.0, "spacing": (1.0, 1.0, 1.0)}, 57),  # the crack but its mouth, the corners of the cavity
]  # fmt: skip


@pytest.mark.parametrize(("tool", "options", "filled"), TOOLS)
def test_other_classes_stay_unless_they_are_named(tool: Tool, options: dict[str, Any], filled: int) -> None:
    labels = hollow()
    kept = labels.copy()
    edit = tool(labels, 1, **options)
    assert edit is not None
    assert edit.count == filled
    named = tool(labels, 1, limits=Limits(inside=frozenset({0, 2})), **options)
    assert named is not None
    assert named.count == filled + 1
    assert tool(labels, 1, limits=Limits(locked=frozenset({1})), **options) is None
    guarded = np.ones(labels.shape, bool)
    assert tool(labels, 1, guarded=guarded, **options) is None
    np.testing.assert_array_equal(labels, kept)


@pytest.mark.parametrize(("tool", "options", "filled"), TOOLS)
def test_only_a_box_is_looked_at(tool: Tool, options: dict[str, Any], filled: int) -> None:
    labels = hollow()
    assert tool(labels, 1, box=Box(start=(0, 0, 13), stop=(9, 12, 99)), **options) is None
    assert tool(labels, 5, **options) is None
    with pytest.raises(Vol3dError, match="background"):
        tool(labels, 0, **options)


def test_what_cannot_be_asked_for_is_refused() -> None:
    with pytest.raises(Vol3dError, match="axis 0, 1 or 2"):
        fill_holes_in_slices(hollow(), 1, axis=3)
    for radius in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(Vol3dError, match="radius above 0"):
            close_gaps(hollow(), 1, radius=radius, spacing=SPACING)
