"""What the axes are and where the voxels lie, as ITK understands it where ITK does."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.nrrd import read_nrrd
from napari_vol3d.io.times import time_step
from tests.io.itk_phantom import NOISE, assert_as_itk_reads_it, itk_image, nrrd_bytes, save, stored
from tests.io.nifti_phantom import CODES, affine_for, held_index_at, phantom

DIRECTIONS = "(0.8,0,0) (0,0.8,0) (0,0,2.5)"


def read(tmp_path, data=NOISE, **changes):
    path = save(tmp_path / "a.nrrd", nrrd_bytes(data, **changes))
    return read_nrrd(path)


@pytest.mark.parametrize("degrees", [0, 17])
@pytest.mark.parametrize("code", CODES)
def test_every_orientation_is_where_itk_wrote_it(tmp_path, code, degrees):
    affine = affine_for(code, degrees)
    path = tmp_path / "a.nrrd"
    sitk.WriteImage(itk_image(phantom(), affine), str(path))
    volume = read_nrrd(path)
    np.testing.assert_array_equal(stored(volume), phantom())
    for index in np.argwhere(phantom()):
        assert volume.data[held_index_at(volume, affine @ [*index, 1])] == phantom()[tuple(index)]
    assert (volume.geometry.direction[(2, 1, 0), (0, 1, 2)] * (1, -1, -1) > 0.5).all()
    assert (volume.geometry.anatomical, volume.geometry.unit, volume.geometry.orientation) == (True, "mm", code)


@pytest.mark.parametrize("space", ["RAS", "LAS", "LPS", "right-anterior-superior", "Left-Posterior-Superior", "las"])
def test_spaces(tmp_path, space):
    volume = read(tmp_path, space=space, space_directions=DIRECTIONS, space_origin="(5,6,7)")
    assert volume.geometry.anatomical
    assert_as_itk_reads_it(volume, tmp_path / "a.nrrd")


@pytest.mark.parametrize("space", [{"space": "scanner-xyz"}, {"space": "3D-right-handed"}, {"space_dimension": "3"}])
def test_spaces_that_are_no_patients(tmp_path, space):
    volume = read(tmp_path, **space, space_directions=DIRECTIONS, space_origin="(5,6,7)")
    assert not volume.geometry.anatomical
    assert volume.geometry.origin == (5, 6, 7)
    assert_as_itk_reads_it(volume, tmp_path / "a.nrrd")


def test_spacings_without_a_space(tmp_path):
    for changes, origin in (
        ({}, (0, 0, 0)), ({"axis_mins": "5 6 7"}, (5.5, 7, 8.5)), ({"axis_mins": "nan nan nan"}, (0, 0, 0)),
        ({"axis_mins": "5 6 7", "centers": "node node node"}, (5, 6, 7)),
    ):  # fmt: skip
        volume = read(tmp_path, spacings="1 2 3", **changes)
        assert (volume.geometry.spacing, volume.geometry.origin) == ((3, 2, 1), origin)
        assert (volume.geometry.unit, volume.geometry.anatomical) == ("mm", False)
        if "nan" not in changes.get("axis_mins", ""):
            assert_as_itk_reads_it(volume, tmp_path / "a.nrrd")
    volume = read(tmp_path, spacings="0.5 0.5 2", units='"um" "um" "um"')
    assert (volume.geometry.unit, volume.geometry.spacing) == ("um", (2, 0.5, 0.5))
    assert read(tmp_path).geometry.unit == "pixel"


@pytest.mark.parametrize(
    ("units", "unit", "factor"),
    [('"mm" "mm" "mm"', "mm", 1), ('"m" "m" "m"', "mm", 1000), ('"um" "um" "um"', "um", 1), ('"" "" ""', "mm", 1),
     ('"microns" "microns" "microns"', "um", 1), ('"furlong" "furlong" "furlong"', "mm", 1)],
)  # fmt: skip
def test_units_become_mm_or_um(tmp_path, units, unit, factor):
    volume = read(tmp_path, space="RAS", space_directions=DIRECTIONS, space_origin="(1,2,3)", space_units=units)
    assert volume.geometry.unit == unit
    np.testing.assert_allclose(volume.geometry.spacing, np.array((2.5, 0.8, 0.8)) * factor)
    world = volume.geometry.stored.to_held(np.arange(NOISE.size).reshape(NOISE.shape))
    first = [int(n) for n in np.argwhere(world == 0)[0]]
    np.testing.assert_allclose((volume.geometry.affine @ [*first, 1])[:3], np.array((1, 2, 3)) * factor)


def test_units_that_differ_are_made_one(tmp_path):
    volume = read(tmp_path, space="RAS", space_directions="(1,0,0) (0,1,0) (0,0,500)", space_units='"mm" "mm" "um"')
    assert (volume.geometry.unit, volume.geometry.spacing) == ("mm", (0.5, 1, 1))


def test_a_shear_is_kept(tmp_path):
    volume = read(tmp_path, space="RAS", space_directions="(1,0.2,0) (0,2,0) (0.5,0,3)", space_origin="(5,6,7)")
    meant = np.array([[1, 0, 0.5, 5], [0.2, 2, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    for index in ((0, 0, 0), (3, 2, 1), (11, 10, 9)):
        assert volume.data[held_index_at(volume, meant @ [*index, 1])] == NOISE[index]
    assert_as_itk_reads_it(volume, tmp_path / "a.nrrd")


@pytest.mark.parametrize(
    "directions",
    [
        "(1,0,0) (0,1,0)", "(1,0,0) (0,1,0) (0,0,0)", "(1,0,0) (0,1,0) (1,1,0)", "(1,0,0) (0,1,0) (0,0,nan)",
        "(1,0,0) (0,1,0) (0,0,inf)", "(1,0,0) (0,1,0) (0,0)", "(1,0,0) (0,1,0) 0,0,1", "(1,0,0) (0,1,0) (0,0,x)",
        "(1,0,0) (0,1,0) (0,0,1) (1,1,1)", "none none none", "none none (0,0,1)", "", "((1,0,0)) (0,1,0) (0,0,1)",
        "(1) (1) (1)", "(1,0,0,0,0) (0,1,0,0,0) (0,0,1,0,0)", "(1,0,0,1) (0,1,0,0) (0,0,1,0)",
    ],
)  # fmt: skip
def test_directions_that_are_none_are_refused(tmp_path, directions):
    with pytest.raises(FileProblem):
        read(tmp_path, space="LPS", space_directions=directions)


def test_other_geometry_that_is_none_is_refused(tmp_path):
    for changes in (
        {"space": "Mars"}, {"space_origin": "(1,2)"}, {"space_origin": "(1,2,nan)"}, {"space_origin": "1 2 3"},
        {"space_origin": "(1,2,3,4)"},
    ):  # fmt: skip
        fields = {"space": "LPS", "space_directions": DIRECTIONS, **changes}
        with pytest.raises(FileProblem):
            read(tmp_path, **fields)


FOUR = np.random.default_rng(0).integers(0, 99, (3, 4, 5, 6), dtype=np.int16)
AXES = "(1,0,0) (0,1,0) (0,0,1)"


@pytest.mark.parametrize(
    ("kinds", "directions", "timed"),
    [
        ("domain domain domain list", f"{AXES} none", False), ("list domain domain domain", f"none {AXES}", False),
        ("3-vector domain domain domain", f"none {AXES}", False), ("domain domain domain time", f"{AXES} none", True),
        ("time domain domain domain", f"none {AXES}", True), ("domain domain domain time", None, True),
        ("vector domain domain domain", None, False), ("domain list domain domain", None, False),
        (None, None, True), ("domain domain domain domain", None, True), ("??? ??? ??? ???", f"{AXES} none", False),
    ],
)  # fmt: skip
def test_channels_and_time(tmp_path, kinds, directions, timed):
    fields = {"space": "LPS" if directions else None, "space_directions": directions, "kinds": kinds}
    volume = read(tmp_path, FOUR, **fields)
    words = (kinds or "").split()
    at = next((k for k, word in enumerate(words) if word not in ("domain", "???")), 3)
    assert volume.timed is timed
    assert volume.channels == (() if timed else tuple(f"channel {i + 1}" for i in range(FOUR.shape[at])))
    np.testing.assert_array_equal(stored(volume), np.moveaxis(FOUR, at, -1))


def test_the_step_of_time(tmp_path):
    for unit, step in (('"s"', 2.5), ('"ms"', 0.0025), ('""', None)):
        changes = {"spacings": "nan nan nan 2.5", "units": f'"" "" "" {unit}'}
        volume = read(tmp_path, FOUR, kinds="domain domain domain time", space_directions=f"{AXES} none", **changes)
        assert time_step(volume) == step


def test_slicers_series_of_frames_are_time(tmp_path):
    for changes in (
        {"keys": {"MultiVolume.FrameLabels": "0,1,2"}}, {"keys": {"axis 0 index type": "numeric"}},
        {"labels": '"frame" "" "" ""'},
    ):  # fmt: skip
        volume = read(tmp_path, FOUR, kinds="list domain domain domain", space_directions=f"none {AXES}", **changes)
        assert (volume.timed, volume.frames, volume.channels) == (True, 3, ())


def test_vectors_through_time(tmp_path):
    data = np.arange(2 * 3 * 4 * 5 * 6, dtype=np.int16).reshape(2, 3, 4, 5, 6)
    volume = read(tmp_path, data, kinds="vector domain domain domain time")
    assert (volume.timed, volume.channels, volume.frames) == (True, ("channel 1", "channel 2"), 6)
    np.testing.assert_array_equal(stored(volume), np.moveaxis(data, 0, 3))


def test_four_axes_as_itk_writes_them(tmp_path):
    image = sitk.GetImageFromArray(FOUR.transpose(), isVector=False)
    image.SetSpacing((0.5, 0.6, 0.7, 2.0))
    image.SetOrigin((1, 2, 3, 4))
    sitk.WriteImage(image, str(tmp_path / "a.nrrd"))
    volume = read_nrrd(tmp_path / "a.nrrd")
    assert (volume.timed, volume.frames) == (True, 6)
    np.testing.assert_allclose(volume.geometry.spacing, (0.7, 0.6, 0.5))
    np.testing.assert_array_equal(stored(volume), FOUR)


@pytest.mark.parametrize("kind", ["RGB-color", "RGBA-color", "HSV-color", "XYZ-color", "3-color", "4-color"])
def test_colours_are_refused(tmp_path, kind):
    with pytest.raises(FileProblem, match="Colours, not intensities"):
        read(tmp_path, FOUR, kinds=f"{kind} domain domain domain")


def test_axes_that_are_not_clear_are_refused(tmp_path):
    five = np.zeros((2, 2, 2, 2, 2), np.uint8)
    for data, kinds in ((five, None), (five, "list list domain domain domain"), (NOISE, "list list domain")):
        with pytest.raises(FileProblem, match="Axes that are not clear"):
            read(tmp_path, data, kinds=kinds)


def test_single_slices(tmp_path):
    flat = NOISE[:, :, 0]
    volume = read(tmp_path, flat, spacings="2 3")
    assert (volume.shape, volume.geometry.spacing) == ((1, 11, 12), (1, 3, 2))
    sitk.WriteImage(sitk.GetImageFromArray(flat.transpose()), str(tmp_path / "b.nrrd"))
    np.testing.assert_array_equal(read_nrrd(tmp_path / "b.nrrd").data[0], flat.T)
    volume = read(tmp_path, flat, space="LPS", space_directions="(0,2,0) (0,0,-3)", space_origin="(7,8,9)")
    assert volume.geometry.anatomical
    np.testing.assert_array_equal(stored(volume)[:, :, 0], flat)
    world = np.diag((-1, -1, 1, 1)) @ [7, 8 + 2 * 5, 9 - 3 * 4, 1]
    assert volume.data[held_index_at(volume, world)] == flat[5, 4]


def test_one_channel_needs_no_axis(tmp_path):
    volume = read(tmp_path, NOISE[None], kinds="list domain domain domain")
    assert (volume.data.ndim, volume.channels) == (3, ())
    np.testing.assert_array_equal(stored(volume), NOISE)
