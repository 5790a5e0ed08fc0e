"""All classes have a surface, together no more triangles than asked for, and an edit costs only what it changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.core.class_surfaces import class_surfaces, shared_out
from napari_vol3d.io.registry import read_volume
from tests.builders import finish

ONE = (1.0, 1.0, 1.0)


def two_balls() -> Any:
    z, y, x = np.indices((30, 30, 60))
    labels = np.zeros((30, 30, 60), np.uint8)
    for class_id, centre in ((1, 15), (2, 45)):
        labels[(z - 15) ** 2 + (y - 15) ** 2 + (x - centre) ** 2 <= 100] = class_id
    return labels


def triangles(found: Any) -> int:
    return sum(len(part.mesh.faces) for part in found.parts.values())


@given(st.lists(st.integers(1, 10**6), max_size=30), st.integers(1, 10**6))
def test_shares_use_what_there_is_and_no_more(wanted: list[int], most: int) -> None:
    factor = shared_out(wanted, most)
    given_out = sum(min(n, factor * n**0.5) for n in wanted)
    assert given_out == pytest.approx(min(most, sum(wanted)))


def test_each_class_has_its_volume_and_its_place() -> None:
    labels = two_balls()
    found = finish(class_surfaces(labels, ONE, most=100_000))[1]
    assert sorted(found.parts) == [1, 2]
    for class_id, middle in ((1, 15), (2, 45)):
        mesh = found.parts[class_id].mesh
        assert abs(mesh.volume) == pytest.approx((labels == class_id).sum(), rel=0.01)
        np.testing.assert_allclose(mesh.vertices.mean(axis=0), (15, 15, middle), atol=0.1)


@pytest.mark.parametrize("most", [500, 3000, 100_000])
def test_there_are_no_more_triangles_than_asked_for(most: int) -> None:
    assert 0 < triangles(finish(class_surfaces(two_balls(), ONE, most=most))[1]) <= most


def test_real_labels_of_many_classes_keep_to_the_budget(shared_data: Path) -> None:
    volume = read_volume(shared_data / "scans" / "example_seg.nii.gz")
    labels = np.asarray(volume.data).astype(np.uint8)
    found = finish(class_surfaces(labels, volume.geometry.spacing, most=50_000))[1]
    assert set(found.parts) == set(np.unique(labels).tolist()) - {0}
    assert 25_000 < triangles(found) <= 50_000
    assert all(len(part.mesh.faces) for part in found.parts.values())


def test_nothing_is_made_again_where_nothing_changed() -> None:
    labels = two_balls()
    before = finish(class_surfaces(labels, ONE, most=100_000))[1]
    assert finish(class_surfaces(labels, ONE, most=100_000, before=before))[1] is before


def test_after_an_edit_only_the_changed_class_is_made_again() -> None:
    labels = two_balls()
    before = finish(class_surfaces(labels, ONE, most=100_000))[1]
    labels[15, 15, 50:58] = 2
    now = finish(class_surfaces(labels, ONE, most=100_000, before=before))[1]
    assert now.parts[1] is before.parts[1]
    assert abs(now.parts[2].mesh.volume) == pytest.approx((labels == 2).sum(), rel=0.01)


def test_a_class_that_was_erased_goes_and_one_that_is_new_comes() -> None:
    labels = two_balls()
    before = finish(class_surfaces(labels, ONE, most=100_000))[1]
    labels[labels == 1] = 7
    assert sorted(finish(class_surfaces(labels, ONE, most=100_000, before=before))[1].parts) == [2, 7]


@pytest.mark.parametrize("change", [{"most": 1000}, {"spacing": (2.0, 1.0, 1.0)}, {"labels": two_balls()[:20]}])
def test_what_was_made_for_something_else_is_not_used(change: dict[str, Any]) -> None:
    before = finish(class_surfaces(two_balls(), ONE, most=100_000))[1]
    asked = {"labels": two_balls(), "spacing": ONE, "most": 100_000} | change
    now = finish(class_surfaces(asked["labels"], asked["spacing"], most=asked["most"], before=before))[1]
    assert now.parts[1] is not before.parts[1]


def test_empty_labels_have_no_surface() -> None:
    assert finish(class_surfaces(np.zeros((4, 4, 4), np.uint8), ONE, most=1000))[1].parts == {}
