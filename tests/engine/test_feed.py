"""The feed reads what a patch needs and no more, shows every scan as often, and can be told again from its seed."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.labels import IGNORE
from napari_vol3d.engine.augment import Augmentation
from napari_vol3d.engine.feed import Case, PatchFeed, open_case
from napari_vol3d.engine.messages import TrainingCase

STILL = Augmentation(spatial=0.0, intensity=0.0)


class Watched:
    """An array that notes which boxes are read."""

    def __init__(self, data):
        self.data, self.shape, self.reads = data, data.shape, []

    def __getitem__(self, box):
        part = self.data[box]
        self.reads.append(part.shape[:3])
        return part


def make_case(shape=(20, 24, 18), value=0.0, name="case"):
    labels = np.zeros(shape, np.uint8)
    labels[:2, :2, :2] = 1
    labels[-1, -1, -1] = 2
    places = np.array([(labels[tuple(p)], *p) for p in np.argwhere(labels)], np.int32)
    return Case(name=name, image=np.full((*shape, 1), value, np.float32), labels=labels, places=places)


def make_feed(*cases, patch_size=(8, 8, 8), foreground=0.5, augmentation=STILL, seed=0):
    return PatchFeed(
        cases=cases, patch_size=patch_size, classes=2, foreground=foreground, augmentation=augmentation, seed=seed
    )


def test_cases_are_mapped_and_not_read(tmp_path):
    case = make_case()
    paths = {kind: tmp_path / f"{kind}.npy" for kind in ("image", "labels", "places")}
    for kind, path in paths.items():
        np.save(path, getattr(case, kind))
    opened = open_case(TrainingCase(name="c", **{kind: str(path) for kind, path in paths.items()}))
    assert all(isinstance(a, np.memmap) for a in (opened.image, opened.labels, opened.places))
    np.testing.assert_array_equal(opened.places, case.places)


def test_a_patch_reads_only_its_surroundings():
    whole = make_case((64, 64, 64))
    watched = Case(name="w", image=Watched(whole.image), labels=Watched(whole.labels), places=whole.places)
    feed = make_feed(watched, augmentation=Augmentation())
    for number in range(20):
        feed.patch(number)
    assert len(watched.image.reads) == 20
    assert max(max(shape) for shape in watched.image.reads + watched.labels.reads) <= 2 * 6 + 1


def test_every_case_comes_once_a_round():
    feed = make_feed(*(make_case(value=float(v)) for v in range(5)))
    rounds = [[int(feed.patch(5 * turn + n)[0].mean()) for n in range(5)] for turn in range(6)]
    assert all(sorted(order) == list(range(5)) for order in rounds)
    assert len({tuple(order) for order in rounds}) > 1


@pytest.mark.parametrize(("foreground", "low", "high"), [(0.0, 0.0, 0.35), (0.6, 0.45, 0.85), (1.0, 1.0, 1.0)])
def test_the_foreground_share(foreground, low, high):
    case = make_case((64, 64, 64))
    feed = make_feed(case, foreground=foreground)
    share = np.mean([(np.isin(feed.patch(n)[1], (1, 2))).any() for n in range(60)])
    assert low <= share <= high


def test_classes_are_drawn_evenly_however_rare():
    feed = make_feed(make_case((64, 64, 64)), foreground=1.0)
    seen = [int(np.max(target * (target != IGNORE))) for target in (feed.patch(n)[1] for n in range(60))]
    assert 15 <= seen.count(2) <= 45  # one voxel against eight


def test_a_patch_number_gives_the_same_patch_in_another_run():
    cases, how = [make_case(value=float(v)) for v in range(3)], Augmentation(intensity=0.5)
    first, again = make_feed(*cases, augmentation=how), make_feed(*cases, augmentation=how)
    for number in (0, 7, 1000):
        for a, b in zip(first.patch(number), again.patch(number), strict=True):
            np.testing.assert_array_equal(a, b)
    other = make_feed(*cases, augmentation=how, seed=1)
    assert any(not np.array_equal(first.patch(n)[0], other.patch(n)[0]) for n in range(3))


@pytest.mark.parametrize("shape", [(5, 6, 7), (8, 8, 8), (1, 1, 1), (1, 40, 8), (40, 44, 41)])
def test_scans_of_any_size_give_whole_patches(shape):
    case = make_case(shape)
    feed = make_feed(case, augmentation=Augmentation())
    seen = []
    for number in range(10):
        patch, target = feed.patch(number)
        seen.append((target != IGNORE).any())
        assert (patch.shape, target.shape) == ((8, 8, 8, 1), (8, 8, 8))
        assert np.isfinite(patch).all()
        assert set(np.unique(target)) <= {0, 1, 2, IGNORE}
    assert np.mean(seen) >= 0.5  # of a scan of one voxel a patch may show only what is beside it


def test_patches_stay_inside_a_longer_scan():
    feed = make_feed(make_case((40, 44, 41)))
    assert all((feed.patch(n)[1] != IGNORE).mean() > 0.75 for n in range(20))


def test_a_shorter_scan_is_seen_whole():
    case = make_case((5, 6, 7))
    for number in range(10):
        target = make_feed(case).patch(number)[1]
        # Moved by a part of a voxel, so a face may fall out.
        assert 4 * 5 * 6 <= (target != IGNORE).sum() <= 5 * 6 * 7


def test_a_scan_without_foreground_is_no_problem():
    case = make_case()
    empty = Case(name="e", image=case.image, labels=np.zeros_like(case.labels), places=np.zeros((0, 4), np.int32))
    assert (make_feed(empty, foreground=1.0).patch(0)[1] == 0).any()


def test_batches_are_the_patches_in_order():
    feed = make_feed(*(make_case(value=float(v)) for v in range(3)), augmentation=Augmentation())
    batches = list(feed.dataset(4, 6, 2))
    assert len(batches) == 3
    for index, (image, labels) in enumerate(batches):
        assert tuple(image.shape) == (2, 8, 8, 8, 1)
        assert labels.dtype == "int32"
        for place in range(2):
            patch, target = feed.patch(4 + 2 * index + place)
            np.testing.assert_array_equal(image[place], patch)
            np.testing.assert_array_equal(labels[place], target)
