"""Axes are turned to the nearest of superior, posterior, left, and back without rounding."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.io.held import XYZ, held_from_stored, hold, stored_from_held, stored_shape
from tests.io.nifti_phantom import CODES, SHAPE, affine_for, phantom


@pytest.mark.parametrize("degrees", [0, 17])
def test_every_orientation_is_held_towards_superior_posterior_left(degrees):
    for code in CODES:
        affine = affine_for(code, degrees)
        geometry = hold(affine, SHAPE, anatomical=True, unit="mm", header={})
        assert geometry.orientation == code
        assert (geometry.direction[(2, 1, 0), (0, 1, 2)] * (1, -1, -1) > 0.5).all()
        held = geometry.stored.to_held(phantom())
        forth, back = stored_from_held(geometry.stored, held.shape), held_from_stored(geometry.stored, held.shape)
        np.testing.assert_array_equal(forth @ back, np.eye(4))
        assert stored_shape(geometry.stored, held.shape) == SHAPE
        for index in np.argwhere(held):
            at = (forth @ [*index, 1])[:3].astype(int)
            assert phantom()[tuple(at)] == held[tuple(index)]
            np.testing.assert_allclose(geometry.affine @ [*index, 1], affine @ [*at, 1], atol=1e-9)


def test_what_is_no_patients_is_not_turned():
    geometry = hold(affine_for("PIR", 17), SHAPE, anatomical=False, unit="um", header={"format": "x"})
    assert (geometry.stored.axes, geometry.stored.flips, geometry.unit) == (XYZ.axes, XYZ.flips, "um")
    assert geometry.stored.header == {"format": "x"}
