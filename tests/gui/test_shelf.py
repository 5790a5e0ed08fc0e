"""Results and labels stay with their scan, and with the viewer."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_vol3d.gui.shelf import Shelf

SHAPE = (4, 5, 6)


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def scan(viewer: ViewerModel, name: str) -> Image:
    return viewer.add_image(np.zeros(SHAPE, np.uint8), name=name)


def labels(viewer: ViewerModel, name: str, shape: tuple[int, ...] = SHAPE) -> Labels:
    return viewer.add_labels(np.zeros(shape, np.uint8), name=name)


def test_each_scan_has_its_own_finding(viewer: ViewerModel) -> None:
    shelf, one, two = Shelf(viewer.layers), scan(viewer, "one"), scan(viewer, "two")
    found = labels(viewer, "one labels")
    shelf.begin(one, found)
    shelf.finish(one, found, "much")
    finding = shelf.finding(one)
    assert finding is not None
    assert (finding.labels, finding.text) == (found, "much")
    assert shelf.finding(two) is None
    assert shelf.finding(None) is None


@pytest.mark.parametrize("gone", ["one", "one labels"])
def test_a_finding_goes_with_its_scan_and_with_its_labels(viewer: ViewerModel, gone: str) -> None:
    shelf, one = Shelf(viewer.layers), scan(viewer, "one")
    found = labels(viewer, "one labels")
    shelf.finish(one, found, "much")
    viewer.layers.remove(gone)
    assert shelf.finding(one) is None
    assert shelf.to_save(one, None) is (found if gone == "one" else None)


def test_labels_of_another_scan_are_never_saved_for_this_one(viewer: ViewerModel) -> None:
    # Two people on one template: the grids are the same.
    shelf, one, two = Shelf(viewer.layers), scan(viewer, "one"), scan(viewer, "two")
    found = labels(viewer, "one labels")
    shelf.begin(one, found)
    assert shelf.to_save(two, None) is None
    assert shelf.to_save(one, None) is found
    assert shelf.to_save(two, found) is found  # but where the person picks them


def test_what_lies_on_the_scan_is_its_own_and_what_does_not_is_not(viewer: ViewerModel) -> None:
    shelf, one = Shelf(viewer.layers), scan(viewer, "one")
    labels(viewer, "elsewhere", (9, 9, 9))
    assert shelf.to_save(one, None) is None
    mine = labels(viewer, "mine")
    assert shelf.to_save(one, None) is mine
    assert shelf.to_save(None, None) is None


def test_a_newer_layer_comes_before_a_hidden_older_one(viewer: ViewerModel) -> None:
    shelf, one = Shelf(viewer.layers), scan(viewer, "one")
    reference, old = labels(viewer, "reference"), labels(viewer, "old")
    shelf.begin(one, old)
    shelf.finish(one, old, "")
    old.visible = False
    assert shelf.to_save(one, None) is old  # the reference is older still
    new = labels(viewer, "new")
    shelf.begin(one, new)
    assert shelf.to_save(one, old) is new
    assert shelf.to_save(one, reference) is reference
    new.visible = False
    assert shelf.to_save(one, old) is old


def test_the_last_run_comes_before_what_was_painted_before_it(viewer: ViewerModel) -> None:
    shelf, one = Shelf(viewer.layers), scan(viewer, "one")
    first, last = labels(viewer, "first"), labels(viewer, "last")
    for found in (first, last):
        shelf.begin(one, found)
        shelf.finish(one, found, found.name)
    assert shelf.to_save(one, None) is last
    assert shelf.to_save(one, first) is first
