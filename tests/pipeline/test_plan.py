"""A plan costs the least there is, is known before anything is computed, and depends on what it is given alone."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.record import LocalRecord, update_record
from napari_vol3d.pipeline.plan import SegmentPlan, plan_segment, plan_slice, smaller
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.tiling import halo_of
from tests.builders import make_card

NOTHING_KNOWN = LocalRecord()


def card(**changes):
    return make_card(Path("model.keras"), sha256=changes.pop("sha256", "0" * 64), **changes)


def scan(shape: Triple, spacing=(1.0, 1.0, 1.0), unit="mm") -> Volume:
    return Volume(data=np.zeros(shape, np.uint8), geometry=Geometry.from_spacing(spacing, unit=unit))


def budget(voxels: int, bytes_per_voxel: int = 512) -> float:
    """Gigabytes that hold a patch of so many voxels."""
    return (voxels + 0.5) * bytes_per_voxel / 1e9


def plan_of(shape: Triple, *, voxels: int = 10**9, region: Box | None = None, record=NOTHING_KNOWN, models=1,
            spacing=(1.0, 1.0, 1.0), changes=None, **chosen) -> SegmentPlan:  # fmt: skip
    wanted = SegmentSettings(memory_gb=budget(voxels), **chosen)
    return plan_segment(scan(shape, spacing), card(**changes or {}), wanted, region, models=models, record=record)


def owners(plan: SegmentPlan, shape: Triple) -> np.ndarray:
    """How many tiles give the labels of each voxel of the frame."""
    times = np.zeros(shape, int)
    for tile in plan.wanted_tiles():
        times[plan.wanted_of(tile).slices] += 1
    return times


# ---- what a plan says ----------------------------------------------------------------------------------------------


def test_the_sentence_says_what_it_costs():
    plan = plan_segment(
        scan((112, 150, 150)), card(inference={"bytes_per_voxel": 4096}),
        SegmentSettings(memory_gb=budget(64**3, 4096), halo=8), record=NOTHING_KNOWN,
    )  # fmt: skip
    work = plan.count * math.prod(plan.tiles.patch_size) / (112 * 150 * 150)
    size = math.prod(plan.tiles.patch_size) * 4096
    assert plan.count == len(plan.tiles) == 18
    assert plan.sentence(12.3) == f"18 tiles, {work:.2g}x the voxels, {size / 1e9:.1f} GB, about 12 s"
    assert plan.sentence() == f"18 tiles, {work:.2g}x the voxels, {size / 1e9:.1f} GB"
    assert 1 < work < 3
    assert plan.work == pytest.approx(work)


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.84, "0.8 s"), (61, "61 s"), (200, "3 min"), (5400, "1.5 h"), (None, "")]
)
def test_one_tile_is_said_as_such(seconds, words):
    sentence = plan_of((64, 64, 64)).sentence(seconds)
    assert sentence == f"1 tile, 1x the voxels, 134 MB{f', about {words}' if words else ''}"


def test_much_work_is_said_in_plain_numbers():
    """A small region is computed with all its context."""
    plan = plan_of((64, 64, 64), region=Box(start=(20, 20, 20), stop=(22, 22, 22)), halo=7)
    assert plan.work == 18**3 / 2**3
    assert plan.sentence() == "1 tile, 729x the voxels, 3 MB"


def test_blended_windows_mirroring_and_several_models_show_in_the_price():
    once = plan_of((64, 64, 64))
    mirrored = plan_of((64, 64, 64), mirror=True, models=3, changes={"input": {"flip_axes": (0, 2)}})
    assert mirrored.mirror_axes == (0, 2)
    assert mirrored.passes == 12
    assert mirrored.work == pytest.approx(12 * once.work)
    assert mirrored.megavoxels == pytest.approx(12 * once.megavoxels)
    assert mirrored.patch_bytes == once.patch_bytes
    blended = plan_of((64, 64, 64), scheme="overlap")
    assert ", blended, " in blended.sentence()
    assert blended.sentence().startswith(f"{blended.count} tiles")


def test_a_plan_depends_on_what_it_is_given_alone(tmp_path):
    given_record = LocalRecord(halo=6, reach=20)
    first = plan_of((90, 80, 70), voxels=40**3, record=given_record)
    kept = card()
    update_record(kept, halo=2, reach=3, seconds_per_megavoxel={"CPU": 3.0})  # on this machine: not asked for
    again = plan_of((90, 80, 70), voxels=40**3, record=given_record)
    assert first == again
    assert first.tiles.halo == 6
    # Nor do the voxels count, or where they come from.
    path = tmp_path / "scan.npy"
    np.save(path, np.random.default_rng(0).normal(size=(90, 80, 70)))
    mapped = Volume(data=np.load(path, mmap_mode="r"), geometry=Geometry.from_spacing((1, 1, 1)), name="other")
    settings = SegmentSettings(memory_gb=budget(40**3))
    assert plan_segment(mapped, kept, settings, record=given_record) == first
    # Without one the record of this machine is read.
    assert plan_segment(mapped, kept, settings).tiles.halo == 2
    assert plan_segment(mapped, card(sha256="1" * 64), settings).tiles.halo == card().inference.halo


# ---- the cheapest patch --------------------------------------------------------------------------------------------


@st.composite
def cases(draw: st.DrawFn) -> tuple[Triple, int, int, int]:
    """Volumes from one voxel to twice a patch along each axis, with the budget for that patch."""
    multiple = draw(st.sampled_from([1, 2, 4, 8]))
    halo = draw(st.integers(0, 2 * multiple))
    reach = -(-halo // multiple) * multiple
    patch = [2 * reach + draw(st.integers(1, 3)) * multiple for _ in range(3)]
    shape = tuple(draw(st.integers(1, 2 * edge)) for edge in patch)
    return shape, multiple, halo, math.prod(patch)


@given(case=cases(), scheme=st.sampled_from(["halo", "overlap"]))
@settings(deadline=None, max_examples=120)
def test_patches_fit_the_network_and_the_budget(case, scheme: str) -> None:
    shape, multiple, halo, voxels = case
    plan = plan_of(shape, voxels=voxels, scheme=scheme, halo=halo,
                   changes={"input": {"multiple": multiple, "patch_size": (24, 16, 40)}})  # fmt: skip
    assert plan.scheme == scheme
    assert math.prod(plan.tiles.patch_size) <= voxels
    assert plan.patch_bytes == math.prod(plan.tiles.patch_size) * 512
    for tile in plan.tiles:
        assert all(edge % multiple == 0 for edge in tile.patch.shape)
        assert all(start % multiple == 0 for start in tile.patch.start)
    assert plan.count == len(plan.wanted_tiles()) == len(plan.tiles)


@given(case=cases(), data=st.data())
@settings(deadline=None, max_examples=120)
def test_cores_cover_the_box_exactly_once(case, data: st.DataObject) -> None:
    shape, multiple, halo, voxels = case
    starts = [data.draw(st.integers(0, n - 1)) for n in shape]
    stops = [data.draw(st.integers(start + 1, n)) for start, n in zip(starts, shape, strict=True)]
    region = Box(start=tuple(starts), stop=tuple(stops))
    plan = plan_of(shape, voxels=voxels, halo=halo, region=region, changes={"input": {"multiple": multiple}})
    assert plan.frame == Box.of(shape)
    assert plan.box == region
    expected = np.zeros(shape, int)
    expected[region.slices] = 1
    np.testing.assert_array_equal(owners(plan, shape), expected)
    assert plan.count == len(plan.wanted_tiles())


@given(
    shape=st.tuples(*[st.integers(1, 40)] * 3), spacing=st.tuples(*[st.sampled_from([0.45, 0.8, 1.0, 1.9, 3.0])] * 3),
    halo=st.integers(0, 3),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_each_scan_voxel_has_one_owner_on_other_grids_too(shape: Triple, spacing, halo: int) -> None:
    plan = plan_of(shape, spacing=spacing, voxels=14**3, halo=halo, changes={"input": {"spacing": (1.0, 1.0, 1.0)}})
    assert (owners(plan, shape) == 1).all()
    assert plan.count == len(plan.wanted_tiles())


@given(
    shape=st.tuples(*[st.integers(1, 30)] * 3), multiple=st.sampled_from([1, 2, 4]), halo=st.integers(0, 4),
    voxels=st.integers(100, 9_000),
)  # fmt: skip
@settings(deadline=None, max_examples=50)
def test_no_legal_patch_would_be_less_work(shape: Triple, multiple: int, halo: int, voxels: int) -> None:
    """Tries every patch there is."""
    reach = -(-halo // multiple) * multiple
    edges = [[e for e in range(multiple, n + multiple, multiple) if e > 2 * reach or e >= n] for n in shape]
    least = math.inf
    for patch in product(*edges):
        if math.prod(patch) <= voxels:
            each = TilePlan(shape=shape, patch_size=patch, halo=reach, multiple=multiple)
            least = min(least, math.prod(map(len, each.axes)) * math.prod(patch))
    changes = {"input": {"multiple": multiple}}
    if least == math.inf:
        with pytest.raises(Vol3dError, match="memory budget"):
            plan_of(shape, voxels=voxels, halo=halo, changes=changes)
    else:
        plan = plan_of(shape, voxels=voxels, halo=halo, changes=changes)
        assert plan.megavoxels * 1e6 == pytest.approx(least)
        assert plan.work == pytest.approx(least / math.prod(shape))


@given(case=cases(), scheme=st.sampled_from(["halo", "overlap"]))
@settings(deadline=None, max_examples=60)
def test_smaller_patches_halve_until_there_are_none(case, scheme: str) -> None:
    shape, multiple, halo, voxels = case
    changes = {"input": {"multiple": multiple, "patch_size": (24, 24, 24)}}
    plan = plan_of(shape, voxels=voxels, scheme=scheme, halo=halo, changes=changes)
    steps = 0
    while (less := smaller(plan, card(**changes))) is not None:
        assert 2 * math.prod(less.tiles.patch_size) <= math.prod(plan.tiles.patch_size)
        assert 2 * less.patch_bytes <= plan.patch_bytes
        assert (less.scheme, less.box, less.grid, less.passes) == (plan.scheme, plan.box, plan.grid, plan.passes)
        assert less.count == len(less.wanted_tiles())
        if scheme == "halo":
            assert less.tiles.halo == plan.tiles.halo
            assert (owners(less, shape) == 1).all()
        plan, steps = less, steps + 1
    assert steps <= math.log2(voxels)
    floor = [min(2 * getattr(plan.tiles, "halo", 0) + multiple, -(-n // multiple) * multiple) for n in shape]
    assert 2 * math.prod(floor) > math.prod(plan.tiles.patch_size)  # no patch of half the size would do


@given(case=cases(), data=st.data(), spacing=st.tuples(*[st.sampled_from([0.45, 1.0, 1.9])] * 3))
@settings(deadline=None, max_examples=120)
def test_a_box_has_whole_patches_with_its_context(case, data: st.DataObject, spacing) -> None:
    shape, multiple, halo, voxels = case
    starts = [data.draw(st.integers(0, n - 1)) for n in shape]
    stops = [data.draw(st.integers(start + 1, n)) for start, n in zip(starts, shape, strict=True)]
    region = Box(start=tuple(starts), stop=tuple(stops))
    changes = {"input": {"multiple": multiple, "spacing": (1.0, 1.0, 1.0)}}
    most = 8 * voxels
    plan = plan_of(shape, voxels=most, halo=halo, region=region, spacing=spacing, changes=changes)
    expected = np.zeros(shape, int)
    expected[region.slices] = 1
    np.testing.assert_array_equal(owners(plan, shape), expected)
    assert plan.count == len(plan.wanted_tiles())
    assert math.prod(plan.tiles.patch_size) <= most
    whole = plan_of(shape, voxels=most, halo=halo, spacing=spacing, changes=changes).tiles
    assert plan.tiles.halo == whole.halo
    theirs = plan.grid.tiles_meeting(whole, region) * math.prod(whole.patch_size)
    assert plan.megavoxels * 1e6 <= theirs
    for tile in plan.wanted_tiles():
        assert all(start % multiple == 0 for start in tile.patch.start)
        for axis, n in enumerate(plan.grid.model_shape):
            first, last = tile.patch.start[axis], tile.patch.stop[axis]
            assert first >= 0
            assert last <= -(-n // multiple) * multiple
            assert first == 0 or tile.core.start[axis] - first >= whole.halo
            assert last >= n or last - tile.core.stop[axis] >= whole.halo


def test_a_small_box_does_not_pay_for_the_scan_around_it():
    region = Box(start=(90, 100, 110), stop=(154, 164, 174))
    plan = plan_of((256, 256, 256), region=region, halo=14)
    assert plan.count == 1
    assert plan.work < 4  # the scan is 64 times the box, the box with its context three times
    assert plan == plan_of((256, 256, 256), region=region, halo=14)
    assert math.prod(smaller(plan, card()).tiles.patch_size) * 2 <= math.prod(plan.tiles.patch_size)
    nearly_all = Box(start=(0, 0, 0), stop=(256, 256, 200))
    kept = plan_of((256, 256, 256), region=nearly_all, halo=14)  # its patches are found in the cache later
    assert kept.tiles == plan_of((256, 256, 256), halo=14).tiles


# ---- schemes, halos, refusals --------------------------------------------------------------------------------------


def test_overlap_where_the_card_or_what_was_learnt_says_so():
    assert isinstance(plan_of((40, 40, 40)).tiles, TilePlan)
    by_card = plan_of((40, 40, 40), changes={"inference": {"scheme": "overlap"}}, overlap=0.25)
    assert isinstance(by_card.tiles, OverlapPlan)
    assert by_card.tiles.overlap == 0.25
    assert by_card.tiles.patch_size == card().input.patch_size
    learnt = plan_of((40, 40, 40), record=LocalRecord(instance_statistics=True))
    assert learnt.scheme == "overlap"
    person = plan_of((40, 40, 40), record=LocalRecord(instance_statistics=True), scheme="halo")
    assert person.scheme == "halo"


def test_an_overlap_plan_covers_its_region_with_a_product_of_windows():
    region = Box(start=(20, 3, 3), stop=(30, 40, 9))
    plan = plan_of((60, 50, 40), scheme="overlap", region=region)
    times = owners(plan, (60, 50, 40))
    assert (times[region.slices] >= 1).all()
    assert times.sum() == times[region.slices].sum()
    z, y, x = plan.windows()
    assert [tile.patch.start for tile in plan.wanted_tiles()] == list(product(z, y, x))
    assert plan.count == len(z) * len(y) * len(x) < len(plan.tiles)
    assert plan_of((60, 50, 40), region=region).windows() is None


@pytest.mark.parametrize(
    ("chosen", "record", "halo"),
    [
        ({"halo": 3}, {"reach": 40, "halo": 5}, 3),
        ({"halo": 0, "context": "exact"}, {"reach": 40, "halo": 5}, 0),
        ({"context": "exact"}, {"reach": 40, "halo": 5}, 40),
        ({"context": "exact"}, {"reach": 0, "halo": 5}, 0),
        ({"context": "exact"}, {"halo": 5}, 8),  # nobody has looked at the network yet: the card's
        ({}, {"reach": 40, "halo": 5}, 5),
        ({}, {"reach": 40, "halo": 0}, 0),
        ({}, {"reach": 40}, 8),
        ({}, {}, 8),
    ],
)
def test_whose_halo_counts(chosen, record, halo):
    known = LocalRecord(**record)
    assert halo_of(card(), SegmentSettings(**chosen), known) == halo
    plan = plan_of((300, 9, 9), voxels=200 * 10 * 10, record=known, **chosen)
    assert plan.tiles.halo == halo + halo % 2  # whole steps of the network


def test_on_another_grid_a_voxel_more_is_seen():
    """The score of a scan voxel is interpolated between two of the model's, one of which may be a neighbour's."""
    wanted = {"input": {"spacing": (1.0, 1.0, 1.0), "multiple": 1}}
    same = plan_of((90, 40, 40), voxels=30**3, context="exact", record=LocalRecord(reach=7), changes=wanted)
    other = plan_of((90, 40, 40), voxels=30**3, context="exact", record=LocalRecord(reach=7), changes=wanted,
                    spacing=(0.7, 1.0, 1.0))  # fmt: skip
    assert (same.tiles.halo, other.tiles.halo) == (7, 8)
    measured = plan_of((90, 40, 40), voxels=30**3, record=LocalRecord(halo=0), changes=wanted, spacing=(0.7, 1.0, 1.0))
    assert measured.tiles.halo == 1


def test_mirroring_needs_axes_in_the_card():
    with pytest.raises(ScanMismatch, match="mirrored"):
        plan_of((20, 20, 20), mirror=True)
    assert plan_of((20, 20, 20), mirror=False, changes={"input": {"flip_axes": (2,)}}).mirror_axes == ()


def test_what_cannot_be_planned_is_refused():
    with pytest.raises(ScanMismatch, match="outside"):
        plan_of((20, 20, 20), region=Box(start=(20, 0, 0), stop=(30, 9, 9)))
    with pytest.raises(ScanMismatch, match="At the model's spacing"):
        plan_of((20, 20, 20), spacing=(1.0, 1.0, 1.0), changes={"input": {"spacing": (1e-4, 1e-4, 1e-4)}})
    for scheme in ("halo", "overlap"):
        with pytest.raises(Vol3dError, match="memory budget"):
            plan_of((200, 200, 200), voxels=1, scheme=scheme)


def test_a_scan_beyond_what_the_model_knows_is_planned_by_its_region():
    changes = {"input": {"field_of_view": (30.0, 30.0, 30.0)}}
    region = Box(start=(40, 50, 60), stop=(70, 80, 120))
    plan = plan_of((100, 100, 100), region=region, changes=changes)
    assert plan.frame == region.intersect(Box.of((100, 100, 100)))
    assert plan.box == Box.of(plan.frame.shape)
    assert plan.grid.scan_shape == plan.frame.shape


# ---- the slice that is looked at -----------------------------------------------------------------------------------


@given(
    shape=st.tuples(*[st.integers(1, 70)] * 3), multiple=st.sampled_from([1, 2, 4]), halo=st.integers(0, 6),
    axis=st.sampled_from([0, 1, 2]), place=st.floats(-3, 75), spacing=st.sampled_from([1.0, 1.0, 0.7, 1.6]),
    whole=st.booleans(),
)  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_a_slab_covers_its_slice_and_is_worth_it(
    shape: Triple, multiple: int, halo: int, axis: int, place: float, spacing: float, whole: bool
) -> None:
    region = None if whole else Box(start=(0, 0, 0), stop=tuple(-(-n // 2) for n in shape))
    plan = plan_of(shape, voxels=26**3, halo=halo, region=region, spacing=(spacing,) * 3,
                   changes={"input": {"multiple": multiple, "spacing": (1.0, 1.0, 1.0)}})  # fmt: skip
    point = [n / 2 for n in shape]
    point[axis] = place
    focus = Focus(point=tuple(point), axis=axis)
    at = math.floor(place + 0.5)  # the slice that is shown
    meet = [t for t in plan.wanted_tiles() if plan.wanted_of(t).start[axis] <= at < plan.wanted_of(t).stop[axis]]
    slab = plan_slice(plan, focus)
    if slab is None:
        return
    assert meet
    assert slab.count == len(slab.wanted_tiles()) > 0
    assert slab.count * math.prod(slab.tiles.patch_size) <= 0.5 * len(meet) * math.prod(plan.tiles.patch_size)
    assert math.prod(slab.tiles.patch_size) <= plan.most_voxels
    times = owners(slab, shape)
    assert times.max() == 1
    shown = np.moveaxis(times, axis, 0)[at]
    expected = np.zeros(shape, bool)
    expected[plan.box.slices] = True
    np.testing.assert_array_equal(shown == 1, np.moveaxis(expected, axis, 0)[at])
    for tile in slab.tiles:  # with all the context of the plan's own tiles, and in step with the network
        assert all(start % multiple == 0 for start in tile.patch.start)
        low = [c - s for c, s in zip(tile.core.start, tile.patch.start, strict=True)]
        high = [s - c for c, s in zip(tile.core.stop, tile.patch.stop, strict=True)]
        ends = slab.tiles.shape
        assert all(r >= plan.tiles.halo or s == 0 for r, s in zip(low, tile.patch.start, strict=True))
        assert all(r >= plan.tiles.halo or s >= n for r, s, n in zip(high, tile.patch.stop, ends, strict=True))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_large_scan_has_a_slab_for_every_slice(axis):
    plan = plan_of((128, 128, 128), voxels=96**3, halo=8)
    for at in (0.0, 1.0, 63.4, 64.0, 126.6, 127.0):
        point = [64.0, 64.0, 64.0]
        point[axis] = at
        slab = plan_slice(plan, Focus(point=tuple(point), axis=axis))
        assert slab is not None
        assert slab.tiles.patch_size[axis] <= 2 * 8 + 2


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slab_that_is_much_work_keeps_the_rows_of_its_slice_alone(axis):
    plan = plan_of((128, 128, 128), voxels=96**3, halo=8)
    for at in (0, 7, 64, 126, 127):
        point = [64.0, 64.0, 64.0]
        point[axis] = float(at)
        focus = Focus(point=tuple(point), axis=axis)
        slab = plan_slice(plan, focus, flops_per_voxel=1e7)
        found, first, end = slab.kept
        assert (found, end - first) == (axis, slab.tiles.multiple)
        for tile in slab.tiles:
            start = tile.patch.start[axis]
            assert (start + first, start + end) == (tile.core.start[axis], tile.core.stop[axis])
            assert start + first <= at < start + end
        assert plan_slice(plan, focus, flops_per_voxel=1e3).kept is None  # compiling would take longer


def test_rows_are_kept_alone_where_each_has_its_own_place():
    """Not on another grid, and not along an axis along which patches are mirrored too."""
    middle = (64.0, 64.0, 64.0)
    other = plan_of((128, 128, 128), voxels=96**3, halo=8, spacing=(1.0, 0.7, 1.0),
                    changes={"input": {"spacing": (1.0, 1.0, 1.0)}})  # fmt: skip
    mirrored = plan_of((128, 128, 128), voxels=96**3, halo=8, mirror=True, changes={"input": {"flip_axes": (2,)}})
    kept = [plan_slice(plan, Focus(point=middle, axis=axis), flops_per_voxel=1e6).kept
            for plan, axis in ((other, 0), (mirrored, 2), (mirrored, 0))]  # fmt: skip
    assert kept == [None, None, (0, 8, 10)]


def test_no_slab_where_it_would_not_pay():
    plan = plan_of((64, 64, 64), voxels=40**3, halo=8)
    middle = (32.0, 32.0, 32.0)
    assert plan_slice(plan, Focus(point=middle)) is None  # a 3D view shows no slice
    assert plan_slice(plan_of((64, 64, 64), scheme="overlap"), Focus(point=middle, axis=0)) is None
    thin = plan_of((20, 64, 64), halo=8)
    assert plan_slice(thin, Focus(point=middle, axis=0)) is None  # the slab would be nearly the scan
    below = plan_of((64, 64, 64), voxels=40**3, halo=8, region=Box(start=(0, 0, 0), stop=(20, 64, 64)))
    assert plan_slice(below, Focus(point=middle, axis=0)) is None  # nothing to label in that slice
    assert plan_slice(below, Focus(point=(4.0, 32.0, 32.0), axis=0)) is not None
