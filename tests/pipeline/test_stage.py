"""A scan on the stage: turned, in a cube, stretched; boxes go forth and back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.card import Conform
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.settings import SegmentSettings
from napari_vol3d.pipeline.stage import stage, stage_grid
from tests.builders import make_card

SETTINGS = SegmentSettings()
BOX = Box(start=(1, 2, 3), stop=(9, 7, 4))


def card(**given):
    return make_card(Path("model.keras"), sha256="0" * 64, input=given)


def head(shape=(20, 30, 25), spacing=(1.0, 1.0, 1.0), *, unit="mm", dtype=np.uint8) -> Volume:
    """A scan whose axes run to S, P, L."""
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, -spacing[2]], [0, -spacing[1], 0], [spacing[0], 0, 0]]
    data = np.random.default_rng(0).integers(10, 200, shape).astype(dtype)
    return Volume(data=data, geometry=Geometry(affine=affine, anatomical=True, unit=unit))


def same_place(staged, box):
    """Whether voxels of a box, taken from the stage and turned back, are the scan's own."""
    found = staged.back_array(staged.volume.read(staged.forth(box)))
    return np.array_equal(found, staged.scan.read(box)) and staged.back(staged.forth(box)) == box


@pytest.mark.parametrize("given", [{}, {"orientation": "SPL"}, {"conform": Conform(edge=20)}])
def test_a_scan_that_is_as_the_network_wants_it_is_not_touched(given):
    scan = head((20, 20, 20))
    staged = stage(scan, card(**given), SETTINGS)
    assert staged.volume is staged.cube is staged.shown is scan
    assert staged.world == Box.of(scan.shape)
    assert staged.forth(BOX) == staged.back(BOX) == BOX
    assert stage_grid(staged, staged.world, card(**given), SETTINGS).identity


@pytest.mark.parametrize("letters", ["LIA", "RAS", "PSR"])
def test_stored_is_what_nibabel_gives(tmp_path, letters):
    """Networks that were trained on `get_fdata` see the file's own order, whatever the view shows."""
    turn = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(letters))
    stored = np.random.default_rng(0).integers(0, 200, (4, 5, 6)).astype(np.uint8)
    image = nib.Nifti1Image(stored, np.diag([1.0, 1.1, 1.2, 1.0])).as_reoriented(turn)
    nib.save(image, tmp_path / "scan.nii")
    scan = read_volume(tmp_path / "scan.nii")
    staged = stage(scan, card(orientation="stored"), SETTINGS)
    np.testing.assert_array_equal(np.asarray(staged.volume.data), np.asarray(image.dataobj))
    assert same_place(staged, Box.of(scan.shape))
    assert staged.notes == ()


def test_a_scan_without_a_patient_keeps_its_axes():
    scan = Volume(data=np.zeros((4, 5, 6)), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    assert stage(scan, card(orientation="LIA"), SETTINGS).volume is scan


@pytest.mark.parametrize("orientation", ["", "LIA", "RAS"])
@pytest.mark.parametrize(
    ("shape", "spacing", "edge"),
    [((20, 30, 25), (1.0, 1.0, 1.0), 40), ((20, 30, 25), (2.0, 0.5, 0.88), 24), ((9, 31, 8), (1.0, 1.0, 1.0), 16)],
)
def test_a_cube_is_about_the_middle_of_the_scan(orientation, shape, spacing, edge):
    scan, wants = head(shape, spacing), card(orientation=orientation, conform=Conform(edge=edge))
    staged = stage(scan, wants, SETTINGS)
    grid = stage_grid(staged, staged.world, wants, SETTINGS)
    assert grid.model_shape == (edge,) * 3
    middle = staged.volume.geometry.affine @ [*staged.world.centre, 1]
    own = scan.geometry.affine @ [*Box.of(scan.shape).centre, 1]
    assert np.abs(middle - own).max() <= max(spacing) / 2 + 1e-9  # a voxel more on one side, where it must be
    inside = staged.back(staged.world).intersect(Box.of(scan.shape)).intersect(BOX)
    assert same_place(staged, inside)
    outside = staged.volume.read(staged.world)
    assert outside.min() == scan.data.min()
    again = stage(replace(staged.cube, data=np.asarray(staged.cube.data)), wants, SETTINGS)
    assert again.volume.shape == staged.volume.shape  # a cube stays one
    assert staged.shown.shape == tuple(staged.forth(Box.of(shape)).shape)


def test_where_lengths_are_unknown_or_of_no_account_there_is_no_cube():
    wants = card(conform=Conform(edge=40))
    assert stage(head(unit="pixel"), wants, SETTINGS).world.shape == (20, 30, 25)
    as_it_is = SegmentSettings(resample=False)
    assert stage(head(), wants, as_it_is).world.shape == (20, 30, 25)
    staged = stage(head(), card(resize_to=(8, 8, 8)), as_it_is)
    assert stage_grid(staged, staged.world, card(resize_to=(8, 8, 8)), as_it_is).identity


def test_the_whole_scan_is_stretched_along_the_networks_axes():
    wants = card(resize_to=(50, 10, 30), orientation="LIA")
    staged = stage(head(), wants, SETTINGS)  # 25 to the left, 20 to the foot, 30 to the front
    grid = stage_grid(staged, staged.world, wants, SETTINGS)
    assert (grid.scan_shape, grid.model_shape) == ((25, 20, 30), (50, 10, 30))
    assert grid.ratio == (2.0, 0.5, 1.0)
    own = staged.back_grid(grid)
    assert (own.scan_shape, own.model_shape, own.ratio) == ((20, 30, 25), (10, 30, 50), (0.5, 1.0, 2.0))
    part = Box(start=(0, 0, 0), stop=(10, 4, 6))
    assert stage_grid(staged, part, wants, SETTINGS).model_shape == (20, 2, 6)


def test_what_is_measured_lies_along_the_scans_own_axes():
    staged = stage(head(), card(orientation="LIA", conform=Conform(edge=40)), SETTINGS)
    frame = Box(start=(5, 12, 6), stop=(30, 28, 33))
    seen = staged.seen(frame)
    np.testing.assert_array_equal(seen.data[:], staged.back_array(staged.volume.read(frame)))
    part = Box(start=(2, 3, 4), stop=(6, 5, 9))
    there = staged.forth_frame(part, frame)
    np.testing.assert_array_equal(staged.back_array(staged.volume.read(there)), seen.read(part))


def test_where_a_person_looks_goes_along():
    staged = stage(head(), card(orientation="LIA", conform=Conform(edge=40)), SETTINGS)
    there = staged.focus(Focus(point=(4.0, 5.0, 6.0), axis=0))
    assert staged.volume.data[tuple(int(p) for p in there.point)] == staged.scan.data[4, 5, 6]
    assert there.axis == 1  # to the foot


def test_a_plan_lies_on_the_stage():
    region = Box(start=(2, 3, 4), stop=(8, 20, 9))
    plan = plan_segment(head(), card(orientation="LIA"), SETTINGS, region)
    assert plan.frame.shape == (25, 20, 30)
    assert plan.box.shape == (5, 6, 17)


def test_oblique_scans_are_told_of():
    scan = head()
    a = np.deg2rad(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
    scan = replace(scan, geometry=replace(scan.geometry, affine=turn @ scan.geometry.affine))
    assert "oblique" in stage(scan, card(orientation="LIA"), SETTINGS).notes[0]
    assert not stage(scan, card(), SETTINGS).notes
