"""Growth stops at edges, keeps the seeds, and stays in its box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.metrics import dice
from napari_vol3d.correct import grow
from napari_vol3d.correct.grow import grow_random_walker, grow_watershed, region_grow
from napari_vol3d.correct.limits import Limits

SPACING = (2.0, 1.0, 1.0)
BACK = 9  # the id of background seeds
TOOLS = [grow_random_walker, grow_watershed]


def applied(labels: np.ndarray, edit: Edit | None) -> np.ndarray:
    after = labels.copy()
    if edit is not None:
        edit.apply(after)
    return after


@pytest.fixture(scope="module")
def blobs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give an image of two blobs of one brightness with a dark edge between them, the blobs, and a few strokes."""
    place = (np.indices((16, 34, 48)).transpose(1, 2, 3, 0) - (8, 17, 0)) * np.array(SPACING)
    first, second = (((place - np.array([0, 0, x])) ** 2).sum(axis=-1) < 11**2 for x in (15, 33))
    x = place[..., 2]
    truth = np.select([first & (x < 24), second & (x >= 24)], [1, 2], 0).astype(np.uint8)
    light = np.where((truth > 0) & (np.abs(x - 24) > 1), 100.0, 20.0)
    image = ndimage.gaussian_filter(light, 0.7) + np.random.default_rng(1).normal(0, 6, light.shape)
    seeds = np.zeros(truth.shape, np.uint8)
    seeds[8, 15:19, 11:18], seeds[8, 16:18, 31:38] = 1, 2
    seeds[8, :3], seeds[8, -3:], seeds[0, :, ::9], seeds[-1, :, ::9], seeds[:, :, -1], seeds[:, :, 0] = (BACK,) * 6
    return image.astype(np.float32), truth, seeds


@pytest.mark.parametrize("tool", TOOLS)
def test_two_touching_blobs_are_found_from_strokes(tool: Any, blobs: Any) -> None:
    image, truth, seeds = blobs
    labels = np.zeros(truth.shape, np.uint8)
    box = Box.of(truth.shape)
    after = applied(labels, tool(labels, seeds, box=box, spacing=SPACING, background=BACK, image=image))
    for class_id in (1, 2):
        assert (dice(after == class_id, truth == class_id) or 0) > 0.9
    assert set(np.unique(after)) == {0, 1, 2}
    again = tool(after, seeds, box=box, spacing=SPACING, background=BACK, image=image)
    assert again is None  # the same seeds give the same, whatever the labels were


@pytest.mark.parametrize("tool", TOOLS)
def test_seeds_stay_and_the_box_holds(tool: Any, blobs: Any) -> None:
    image, _, seeds = blobs
    labels = np.zeros(seeds.shape, np.uint16)
    labels[:, :17] = 5
    labels[:, 17:] = 1
    copies = labels.copy(), seeds.copy(), image.copy()
    box = Box(start=(4, 3, -7), stop=(30, 30, 44))
    edit = tool(labels, seeds, box=box, spacing=SPACING, background=BACK, image=image)
    after = applied(labels, edit)
    inside = np.zeros(labels.shape, bool)
    inside[4:16, 3:30, :44] = True
    assert np.array_equal(after[~inside], labels[~inside])
    painted = inside & (seeds > 0) & (seeds != BACK)
    assert np.array_equal(after[painted], seeds[painted])
    assert not np.any(inside & (seeds == BACK) & np.isin(after, (1, 2)))
    assert set(np.unique(after[inside & (labels == 5)])) == {1, 2, 5}  # the background leaves other classes alone
    assert all(np.array_equal(a, b) for a, b in zip(copies, (labels, seeds, image), strict=True))


@pytest.mark.parametrize("tool", TOOLS)
def test_limits_hold(tool: Any, blobs: Any) -> None:
    image, _, seeds = blobs
    labels = np.zeros(seeds.shape, np.uint8)
    labels[:, 15:24] = 5
    guarded = np.zeros(seeds.shape, bool)
    guarded[8] = True
    limits = Limits(locked=frozenset({5, 2}), intensity=(60.0, 300.0))
    box = Box.of(labels.shape)
    edit = tool(labels, seeds, box=box, spacing=SPACING, background=BACK, image=image, limits=limits, guarded=guarded)
    after = applied(labels, edit)
    changed = after != labels
    assert changed.any()
    assert (after[changed] == 1).all()
    assert not changed[8].any()
    assert not changed[labels == 5].any()
    assert image[changed].min() >= 60


@pytest.mark.parametrize("tool", TOOLS)
def test_what_cannot_grow_is_refused(tool: Any, blobs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    image, truth, seeds = blobs
    labels, box = np.zeros(truth.shape, np.uint8), Box.of(truth.shape)

    def call(**changed: Any) -> Any:
        given_now = {"box": box, "spacing": SPACING, "image": image, **changed}
        return tool(labels, given_now.pop("seeds", seeds), **given_now)

    for changed, match in (
        ({"image": None}, "needs an image"), ({"image": image[1:]}, "image and the labels differ"),
        ({"seeds": seeds[1:]}, "seeds and the labels differ"), ({"seeds": labels}, "there is 0"),
        ({"seeds": (seeds == 1).astype(np.uint8)}, "there is 1"), ({"image": np.ones_like(image)}, "same everywhere"),
        ({"box": Box(start=(50, 0, 0), stop=(60, 9, 9))}, "there is 0"),
    ):  # fmt: skip
        with pytest.raises(Vol3dError, match=match):
            call(**changed)
    monkeypatch.setattr(grow, "MOST_VOXELS", labels.size - 1)
    with pytest.raises(Vol3dError, match="too large"):
        call()


def test_settings_that_make_no_sense_are_refused(blobs: Any) -> None:
    image, truth, seeds = blobs
    common = {"box": Box.of(truth.shape), "spacing": SPACING, "image": image}
    for tool, wrong in (
        (grow_random_walker, {"edges": 0.0}), (grow_watershed, {"sigma": 0.0}), (grow_watershed, {"compactness": -1.0}),
    ):  # fmt: skip
        with pytest.raises(Vol3dError):
            tool(truth, seeds, **common, **wrong)


def test_holes_in_the_scan_are_no_obstacle(blobs: Any) -> None:
    image, truth, seeds = blobs
    torn = image.copy()
    torn[:3], torn[5, 5, 5] = np.nan, np.inf
    labels = np.zeros(truth.shape, np.uint8)
    edit = grow_random_walker(labels, seeds, box=Box.of(truth.shape), spacing=SPACING, background=BACK, image=torn)
    assert (dice(applied(labels, edit) == 1, truth == 1) or 0) > 0.9


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), faces=st.booleans())
def test_regions_are_those_of_simpleitk(seed: int, faces: bool) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 10, (9, 12, 15)).astype(np.int16)
    z, y, x = (int(rng.integers(n)) for n in image.shape)
    low, high = int(image[z, y, x]) - int(rng.integers(4)), int(image[z, y, x]) + int(rng.integers(5))
    kind = sitk.ConnectedThresholdImageFilter.FaceConnectivity
    if not faces:
        kind = sitk.ConnectedThresholdImageFilter.FullConnectivity
    wanted = sitk.ConnectedThreshold(sitk.GetImageFromArray(image), [(x, y, z)], low, high, 1, kind)
    labels = np.full(image.shape, 3, np.uint8)
    edit = region_grow(
        labels, (z, y, x), class_id=1, intensity=(low, high), connectivity=6 if faces else 26, image=image
    )
    assert np.array_equal(applied(labels, edit) == 1, sitk.GetArrayFromImage(wanted) == 1)


def test_a_long_region_is_followed_to_its_end_and_not_beyond_the_box() -> None:
    image = np.zeros((5, 6, 400), np.uint8)
    image[2, 3] = image[2, 4, 395:] = 50
    labels = np.zeros(image.shape, np.uint16)
    grown = {"class_id": 300, "intensity": (40.0, 60.0), "image": image}
    assert np.array_equal(applied(labels, region_grow(labels, (2, 3, 7), **grown)) == 300, image == 50)  # type: ignore[arg-type]
    box = Box(start=(0, 0, 5), stop=(9, 9, 100))
    edit = region_grow(labels, (2, 3, 7), box=box, **grown)  # type: ignore[arg-type]
    assert edit is not None
    assert edit.box == Box(start=(2, 3, 5), stop=(3, 4, 100))


def test_a_region_does_not_pass_through_what_is_locked() -> None:
    image = np.full((3, 3, 20), 5, np.int16)
    labels = np.zeros(image.shape, np.uint8)
    labels[..., 10] = 2
    locked = Limits(locked=frozenset({2}))
    edit = region_grow(labels, (1, 1, 3), class_id=1, intensity=(5, 5), image=image, limits=locked)
    assert np.array_equal(applied(labels, edit) == 1, np.broadcast_to(np.arange(20) < 10, image.shape))
    with pytest.raises(Vol3dError, match="may not change"):
        region_grow(labels, (1, 1, 10), class_id=1, intensity=(5, 5), image=image, limits=locked)


@pytest.mark.parametrize(("changed", "match"), [
    ({"intensity": (7, 9)}, "clicked intensity, 5, is not"), ({"voxel": (0, 0, 99)}, "no voxel"),
    ({"intensity": (9, 7)}, "No intensity"), ({"image": None}, "needs an image"),
    ({"box": Box(start=(0, 0, 3), stop=(3, 3, 9))}, "no voxel"),
])  # fmt: skip
def test_a_click_that_cannot_grow_is_refused(changed: dict[str, Any], match: str) -> None:
    image = np.full((3, 3, 20), 5, np.int16)
    given_now = {"voxel": (1, 1, 1), "class_id": 1, "intensity": (4, 6), "image": image, **changed}
    with pytest.raises(Vol3dError, match=match):
        region_grow(np.zeros(image.shape, np.uint8), given_now.pop("voxel"), **given_now)


@pytest.mark.parametrize(("tool", "options"), [(grow_random_walker, {}), (grow_watershed, {"compactness": 0.05})])
def test_real_hippocampi_grow_back_from_their_middle(tool: Any, options: Any, shared_data: Path) -> None:
    """Seeds: two voxels within the reference, and the background more than two voxels (mm) away from it."""
    folder, found = shared_data / "hippocampus", []
    for path in sorted((folder / "labels").glob("*.nii.gz"))[:4]:
        reference = np.asarray(nib.load(path).dataobj).astype(np.uint8)
        image = np.asarray(nib.load(folder / "images" / path.name).dataobj)
        seeds = np.zeros(reference.shape, np.uint8)
        for class_id in (1, 2):
            seeds[ndimage.binary_erosion(reference == class_id, iterations=2)] = class_id
        seeds[ndimage.distance_transform_edt(reference == 0) > 2] = BACK
        labels, common = np.zeros_like(reference), {"spacing": (1.0, 1.0, 1.0), "background": BACK, "image": image}
        edit = tool(labels, seeds, box=Box.of(reference.shape), **common, **options)
        found.append(dice(applied(labels, edit) > 0, reference > 0) or 0)
    assert np.mean(found) > 0.85
