"""What is hidden is hidden and comes back as it was; the array of the differences stays whole."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.core.disagreement import disagreement_labels, find_regions
from napari_vol3d.gui.review.difference_layer import DifferenceLayer
from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.differences import Differences, Opinion
from tests.gui.review.conftest import opened


def differing(shape: tuple[int, ...]) -> Differences:
    """Two readings with many small regions."""
    first, second = (np.random.default_rng(seed).random(shape) < 0.06 for seed in (1, 2))
    one, other = first.astype(np.uint8), 2 * second.astype(np.uint8)
    steps = find_regions(one, other)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            numbers, regions = end.value
            break
    opinions = tuple(Opinion(who=who, called="", version="") for who in ("ann", "bob"))
    return Differences(
        opinions=opinions, labels=(one, other), model=None, kinds=disagreement_labels(one, other), numbers=numbers,
        regions=regions, agreed=None,
    )  # fmt: skip


def test_regions_are_hidden_and_come_back(qtbot: Any, viewer: Viewer, session: Session) -> None:
    opened(qtbot, session, 0)
    shown = session.shown
    assert shown is not None
    found = differing(shown.labels.data.shape)
    kinds = found.kinds.copy()
    made = DifferenceLayer(viewer, shown, found, frame=0)
    rng = np.random.default_rng(3)
    for _ in range(8):
        hidden = {int(k) for k in np.flatnonzero(rng.random(len(found.regions)) < 0.4)}
        made.hide(hidden)
        wanted = np.where(np.isin(found.numbers, [k + 1 for k in hidden]), 0, kinds)
        np.testing.assert_array_equal(made.layer.data, wanted)
    made.hide(())
    np.testing.assert_array_equal(made.layer.data, kinds)
    np.testing.assert_array_equal(found.kinds, kinds)
    made.take_away()
    assert made.layer not in viewer.layers
    assert shown.extra == []
    made.hide({0})  # nobody sees it any more
    made.take_away()
