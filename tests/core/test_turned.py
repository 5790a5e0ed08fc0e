"""Turned axes: the same voxels at the same places in the world, in all 48 orientations, and back."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

from napari_vol3d.core.box import Box
from napari_vol3d.core.focus import Focus
from napari_vol3d.core.sliced import Sliced
from napari_vol3d.core.turned import Turn, turn_to
from napari_vol3d.core.volume import Geometry, Volume

ALL = ["".join(letters) for order in permutations(("RL", "AP", "SI")) for letters in product(*order)]
BOX = Box(start=(1, 0, 2), stop=(4, 3, 4))


class Lazy(Sliced):
    """An array that is no array."""

    def __init__(self, data):
        super().__init__(data.shape, data.dtype)
        self.data = data

    def _part(self, spans):
        return self.data[spans]


def held(*, oblique=False) -> Volume:
    """A small scan whose held axes run to S, P, L."""
    affine = np.array([[0, 0, -1.5, 10], [0, -2.0, 0, 20], [3.0, 0, 0, 30], [0, 0, 0, 1]])
    if oblique:
        a = np.deg2rad(20)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]
        affine = turn @ affine
    data = np.random.default_rng(0).integers(0, 1000, (5, 4, 6), dtype=np.int16)
    return Volume(data=data, geometry=Geometry(affine=affine, anatomical=True))


@pytest.mark.parametrize("letters", ALL)
def test_axes_run_where_the_letters_say_as_nibabel_has_it(letters):
    scan = held()
    turned = turn_to(scan.geometry, scan.shape, letters).volume(scan)
    image = nib.Nifti1Image(scan.data, scan.geometry.affine)
    theirs = image.as_reoriented(ornt_transform(io_orientation(image.affine), axcodes2ornt(letters)))
    np.testing.assert_array_equal(turned.data, theirs.get_fdata())
    np.testing.assert_allclose(turned.geometry.affine, theirs.affine)
    assert "".join(nib.aff2axcodes(turned.geometry.affine)) == letters == turned.geometry.orientation


@pytest.mark.parametrize("letters", ALL)
def test_boxes_and_places_map_exactly_and_back(letters):
    scan = held()
    turn = turn_to(scan.geometry, scan.shape, letters)
    turned = turn.volume(scan)
    there = turn.forth(BOX)
    assert turn.back(there) == BOX
    np.testing.assert_array_equal(turn.back_array(turned.data[there.slices]), scan.data[BOX.slices])
    scores = np.stack([turned.data[there.slices]] * 2)
    np.testing.assert_array_equal(turn.back_array(scores, lead=1)[1], scan.data[BOX.slices])
    place = turn.forth_focus(Focus(point=(1.0, 3.0, 2.0), axis=1))
    assert turned.data[tuple(int(p) for p in place.point)] == scan.data[1, 3, 2]
    assert turned.geometry.spacing[place.axis] == pytest.approx(scan.geometry.spacing[1])
    assert turn.back_each(turned.geometry.spacing) == pytest.approx(scan.geometry.spacing)


@pytest.mark.parametrize("letters", ["LIA", "RAS", "PSR"])
def test_lazy_voxels_are_turned_when_they_are_read(letters):
    scan = held()
    data = np.stack([scan.data, -scan.data], axis=-1)
    turn = turn_to(scan.geometry, scan.shape, letters)
    view, lazy = (turn.volume(scan.with_data(each)).data for each in (data, Lazy(data)))
    for index in (np.s_[:], np.s_[1:4, ::2, 1:], np.s_[::-1, 1, 3:0:-2, 1], np.s_[4:2]):
        np.testing.assert_array_equal(lazy[index], view[index])


def test_nothing_is_turned_without_letters_or_a_patient():
    scan = held()
    assert turn_to(scan.geometry, scan.shape, "").identity
    assert turn_to(scan.geometry, scan.shape, "SPL").volume(scan) is scan
    plain = Geometry.from_spacing((1.0, 1.0, 1.0))
    assert turn_to(plain, scan.shape, "LIA") == Turn(shape=scan.shape)


@pytest.mark.parametrize("letters", ALL)
def test_oblique_scans_take_the_nearest_axes(letters):
    straight, oblique = held(), held(oblique=True)
    assert turn_to(oblique.geometry, oblique.shape, letters) == turn_to(straight.geometry, straight.shape, letters)
