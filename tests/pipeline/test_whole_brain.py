"""Whole-brain models, run as their cards say, give their publishers' labels; in the world, however a scan is stored."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from napari_vol3d.core.box import Box
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.label_store import LabelSpec, LabelStore
from napari_vol3d.io.registry import read_volume, write_labels
from napari_vol3d.models.card import Conform, ForegroundCrop, PostProcessing
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.sink import MemoryLabels
from tests.brain_cards import DEEPBRAIN, GWM, THREE_CLASSES, deepbrain_card, gwm_card, three_classes_card, write_card
from tests.builders import brightness_network, finish, phantom, random_unet, write_model

ONE_PATCH = SegmentSettings(memory_gb=4, cache=False)
QUICK = SegmentSettings(cache=False, context="exact")
MODELS = {
    "meshnet_t1_gwm": (GWM, gwm_card), "meshnet_t1_3class": (THREE_CLASSES, three_classes_card),
    "deepbrain_mask": (DEEPBRAIN, deepbrain_card),
}  # fmt: skip
ALL = ["".join(letters) for order in permutations(("RL", "AP", "SI")) for letters in product(*order)]


def stored_as(image, letters):
    """The same scan with its voxels in another order in the file."""
    return image.as_reoriented(ornt_transform(io_orientation(image.affine), axcodes2ornt(letters)))


@pytest.fixture(scope="module")
def brains(shared_data, tmp_path_factory):
    """The three models as folders, by name."""
    made = {}
    for name, (file, card_of) in MODELS.items():
        weights = shared_data / "models" / file
        made[name] = write_card(tmp_path_factory.mktemp("brains") / name, card_of(weights), weights)
    return made


@pytest.fixture(scope="module")
def fussy(tmp_path_factory):
    """A random network that looks around itself, and wants its axes, a cube and the bright part alone."""
    wants = {"orientation": "LIA", "conform": Conform(edge=26), "crop": ForegroundCrop(above=0.4, padding=2)}
    return write_model(
        tmp_path_factory.mktemp("fussy") / "model", random_unet(), input=wants,
        output={"post": PostProcessing(largest_component=True)},
    )  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_labels_are_those_of_the_publisher(name, brains, shared_data, shared_engine):
    scan = read_volume(shared_data / "scans" / "t1_crop.nii.gz")
    expected = np.asarray(read_volume(shared_data / "models" / "expected" / f"t1_crop__{name}.nii.gz").data)
    _, found = finish(segment(scan, brains[name], ONE_PATCH, engine=shared_engine))
    for number in brains[name].card.label_names:
        assert dice(found.labels == number, expected == number) > 0.997


@pytest.mark.parametrize("letters", ALL)
def test_a_scan_may_be_stored_in_any_orientation(letters, fussy, shared_engine, tmp_path):
    """Read, segmented and saved again, labels lie in the file's own order, and in the world where they always do."""
    image = nib.Nifti1Image(phantom((18, 24, 20))[0], np.diag([1.0, 1.0, 1.0, 1.0]))
    image.header.set_xyzt_units("mm")
    truth = labels_of(stored_as(image, "RAS"), fussy, shared_engine, tmp_path)
    found = labels_of(stored_as(image, letters), fussy, shared_engine, tmp_path)
    assert "".join(nib.aff2axcodes(found.affine)) == letters
    back = stored_as(found, "RAS")
    np.testing.assert_allclose(back.affine, truth.affine)
    np.testing.assert_array_equal(np.asarray(back.dataobj), np.asarray(truth.dataobj))
    assert len(np.unique(np.asarray(truth.dataobj))) == 3


def labels_of(image, model, engine, folder):
    letters = "".join(nib.aff2axcodes(image.affine))
    nib.save(image, folder / f"{letters}.nii.gz")
    scan = read_volume(folder / f"{letters}.nii.gz")
    _, found = finish(segment(scan, model, QUICK, engine=engine))
    saved = folder / f"{letters}_labels.nii.gz"
    write_labels(saved, scan.with_data(found.labels, is_labels=True, classes=found.classes))
    return nib.load(saved)


@pytest.mark.parametrize("letters", ["RAS", "PSR", "ASL"])
def test_a_head_may_be_stored_in_any_orientation(letters, brains, shared_data, shared_engine, tmp_path):
    """Half as many voxels along each axis: the model that takes heads of any size finds the brain all the same."""
    whole = nib.load(shared_data / "scans" / "t1_crop.nii.gz")
    affine = whole.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    small = nib.Nifti1Image(np.asarray(whole.dataobj)[::2, ::2, ::2], affine, dtype=np.uint8)
    small.header.set_xyzt_units("mm")
    expected = nib.load(shared_data / "models" / "expected" / "t1_crop__deepbrain_mask.nii.gz")
    found = labels_of(stored_as(small, letters), brains["deepbrain_mask"], shared_engine, tmp_path)
    back = np.asarray(stored_as(found, "LIA").dataobj)
    assert dice(back == 1, np.asarray(expected.dataobj)[::2, ::2, ::2] == 1) > 0.97


def head(data, spacing=(1.0, 1.0, 1.0)):
    """Voxels along S, P, L."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, -spacing[2]], [0, -spacing[1], 0], [spacing[0], 0, 0]]
    return Volume(data=data, geometry=Geometry(affine=affine, anatomical=True))


@pytest.fixture(scope="module")
def bright_model(tmp_path_factory):
    """A pointwise network that is shown the bright part, turned; and its labels are tidied."""
    return write_model(
        tmp_path_factory.mktemp("bright") / "model", brightness_network(offsets=(0.0, -0.3, -1.1)),
        input={
            "orientation": "LIA", "crop": ForegroundCrop(above=0.4), "intensity": {"kind": "minmax"},
            "multiple": 1,
        },
        output={"post": PostProcessing(largest_component=True)}, inference={"halo": 0},
    )  # fmt: skip


def two_pieces():
    """A scan with a large piece and a crumb, and what the network says of it."""
    data = np.zeros((20, 24, 18), np.float32)
    data[4:12, 5:15, 6:12] = 0.6
    data[6:9, 8:10, 8:10] = 1.0
    data[16, 20, 14:16] = 0.6
    expected = np.select([data > 0.8, data > 0.3], [7, 3], 0)
    return data, expected


@pytest.mark.parametrize("patch", [1.0, 512 * 8**3 / 1e9])
def test_reports_put_together_are_the_labels_with_all_that_is_done_after_them(patch, bright_model, shared_engine):
    data, expected = two_pieces()
    settings = QUICK.model_copy(update={"memory_gb": patch})
    reports, found = finish(segment(head(data), bright_model, settings, engine=shared_engine))
    shown = np.full(data.shape, 99)
    for report in reports:
        if report.finished is not None:
            shown[report.finished.slices] = report.labels
    expected[16, 20, 14:16] = 0
    np.testing.assert_array_equal(found.labels, expected)
    np.testing.assert_array_equal(shown, expected)
    assert dict(found.counts) == dict(zip(*np.unique(expected, return_counts=True), strict=True))
    assert "2 voxels outside the largest piece" in found.notes[-1]
    assert reports[-1].done == reports[-1].total == found.plan.count
    assert found.plan.frame.shape == (10, 13, 16)  # L, I, A
    assert found.geometry.orientation == "SPL"


def test_a_region_is_all_that_is_labelled(bright_model, shared_engine):
    """The network sees the whole bright part all the same; each voxel of the region is told of once, and no other."""
    data, expected = two_pieces()
    region = Box(start=(8, 0, 0), stop=(20, 24, 9))
    verb = segment(head(data), bright_model, QUICK, engine=shared_engine, region=region)
    reports, found = finish(verb)
    outside = np.ones(data.shape, bool)
    outside[region.slices] = False
    expected[outside] = 0
    np.testing.assert_array_equal(found.labels, expected)
    times = np.zeros(data.shape, int)
    for report in reports:
        if report.finished is not None:
            times[report.finished.slices] += 1
    assert (times == ~outside).all()


def test_a_region_without_anything_bright_is_background(bright_model, shared_engine):
    region = Box(start=(17, 0, 0), stop=(20, 5, 9))
    _, found = finish(segment(head(two_pieces()[0]), bright_model, QUICK, engine=shared_engine, region=region))
    assert not found.labels.any()
    assert found.counts == {0: region.size}


def test_probabilities_lie_as_the_scan_does(bright_model, shared_engine):
    settings = QUICK.model_copy(update={"probabilities": True})
    data, expected = two_pieces()
    _, found = finish(segment(head(data), bright_model, settings, engine=shared_engine))
    likely = np.asarray(found.probabilities[:])
    assert likely.shape == (2, *data.shape)
    assert likely[0][expected == 3].min() > likely[0][(expected == 0) & (likely[0] > 0)].max()
    assert likely[1][expected == 7].min() > likely[1][expected == 3].max()


def test_a_cancelled_run_is_not_tidied(bright_model, shared_engine):
    data, _ = two_pieces()
    sink = Watched(data.shape)
    verb = segment(head(data), bright_model, QUICK, engine=shared_engine, sink=sink)
    next(report for report in verb if report.total and report.done == report.total)
    verb.close()
    assert sink.array[16, 20, 14] == 3


class Watched(MemoryLabels):
    """Labels that outlive a run that was cancelled."""

    def __init__(self, shape):
        super().__init__(shape, np.dtype(np.uint8))


def test_a_run_on_disk_goes_on_and_is_tidied(bright_model, shared_engine, tmp_path):
    data, expected = two_pieces()
    scan, tiles = head(data), QUICK.model_copy(update={"memory_gb": 512 * 8**3 / 1e9})
    spec = LabelSpec(
        geometry=scan.geometry, shape=scan.shape, dtype=np.dtype(np.uint8), classes=bright_model.card.output.classes,
        run="one",
    )  # fmt: skip
    store = LabelStore.create(tmp_path / "labels.ome.zarr", spec)
    verb = segment(scan, bright_model, tiles, engine=shared_engine, sink=store)
    for report in verb:
        if report.done == 2:
            break
    verb.close()
    again = LabelStore.resume_or_create(tmp_path / "labels.ome.zarr", spec)
    before = len(again.finished)
    assert before > 2
    finish(segment(scan, bright_model, tiles, engine=shared_engine, sink=again))
    expected[16, 20, 14:16] = 0
    np.testing.assert_array_equal(again.read(Box.of(scan.shape)), expected)
    again.finish()
