"""What a person is told before a model runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.joined import join_channels
from napari_vol3d.core.turned import turn_to
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import Conform
from napari_vol3d.models.record import keep_guesses
from napari_vol3d.pipeline.checks import channel_warnings, check_fit, require_fit, spacing_in
from tests.builders import make_card

CARD = make_card(
    Path("m.keras"), sha256="0" * 64,
    input={"spacing": (1.0, 1.0, 1.0), "field_of_view": (40.0, 40.0, 40.0), "anatomical": False},
)  # fmt: skip
ORIENTED = CARD.model_copy(update={"input": CARD.input.model_copy(update={"anatomical": True})})


def scan(shape=(20, 20, 20), spacing=(1.0, 1.0, 1.0), unit="mm", dtype=np.float32):
    return Volume(data=np.zeros(shape, dtype), geometry=Geometry.from_spacing(spacing, unit=unit))


def test_a_scan_that_fits_raises_no_question():
    fit = check_fit(scan(), CARD)
    assert (fit.problem, fit.warnings, fit.resampled, fit.beyond_field_of_view) == ("", (), False, False)
    assert require_fit(scan((20, 20, 20, 1)), CARD) == fit


def test_one_slice_is_told_of():
    (told,) = check_fit(scan((1, 40, 40)), CARD).warnings
    assert told.startswith("The scan is one slice")


def test_guesses_that_nobody_has_confirmed_are_said():
    keep_guesses(CARD, ("classes", "orientation"))
    assert any("Guessed when the model was added: classes, axes." in note for note in check_fit(scan(), CARD).notes)
    keep_guesses(CARD, ())
    assert check_fit(scan(), CARD).notes == ()


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (scan((20, 20, 20, 3)), "has 3 channel"),
        (scan(dtype=np.complex64), "complex64"),
        (scan(dtype=[("R", "u1"), ("G", "u1")]), "not grey levels"),
    ],
)
def test_what_can_not_run_says_why(volume, words):
    assert words in check_fit(volume, CARD).problem
    with pytest.raises(ScanMismatch, match=words):
        require_fit(volume, CARD)


@pytest.mark.parametrize(
    ("spacing", "resampled"),
    [((1.0, 1.0, 1.0), False), ((1.015, 1.0, 0.985), False), ((1.0, 1.0, 1.03), True), ((0.7, 0.7, 2.0), True)],
)
def test_other_spacings_are_resampled(spacing, resampled):
    assert check_fit(scan(spacing=spacing), CARD).resampled is resampled
    assert check_fit(scan(spacing=spacing), CARD).warnings == ()
    told = check_fit(scan(spacing=spacing), CARD, resample=False).warnings
    assert [("without resampling" in text) for text in told] == [True] * resampled


def test_a_scan_without_a_unit_is_taken_as_it_is():
    fit = check_fit(scan((400, 400, 400), unit="pixel"), CARD)
    assert not fit.resampled
    assert not fit.beyond_field_of_view
    assert len(fit.warnings) == 1
    assert "does not say its voxel size" in fit.warnings[0]


def test_a_scan_much_larger_than_what_the_model_knows():
    assert not check_fit(scan((60, 40, 40)), CARD).beyond_field_of_view
    fit = check_fit(scan((61, 40, 40)), CARD)
    assert fit.beyond_field_of_view
    assert "Draw a box" in fit.warnings[0]
    # In millimetres, not voxels.
    assert not check_fit(scan((100, 40, 40), (0.5, 1.0, 1.0)), CARD).beyond_field_of_view
    assert check_fit(scan((20, 20, 20), (4.0, 1.0, 1.0)), CARD).beyond_field_of_view


def test_a_region_is_warned_of_by_its_own_size():
    small, large = Box(start=(0, 0, 0), stop=(50, 50, 50)), Box(start=(0, 0, 0), stop=(90, 50, 50))
    volume = scan((100, 100, 100))
    assert "this scan is larger" in check_fit(volume, CARD).warnings[0]
    assert check_fit(volume, CARD, region=small).warnings == ()
    assert "this region is larger" in check_fit(volume, CARD, region=large).warnings[0]
    assert "smaller box" in check_fit(volume, CARD, region=large).warnings[0]
    # What the model takes for its world depends on the scan.
    assert all(check_fit(volume, CARD, region=region).beyond_field_of_view for region in (None, small, large))


def test_a_scan_far_smaller_than_what_the_model_knows_is_refused():
    tiny = scan((60, 60, 60), (0.5, 0.5, 0.5), unit="um")
    fit = check_fit(tiny, CARD)
    assert "far too small for this model: 0.03 x 0.03 x 0.03 mm" in fit.problem
    assert "40 x 40 x 40" in fit.problem
    assert fit.resampled  # so that leaving it off can be offered
    with pytest.raises(ScanMismatch, match="far too small"):
        require_fit(tiny, CARD)
    without = check_fit(tiny, CARD, resample=False)
    assert without.problem == ""
    assert "without resampling" in without.warnings[0]
    # A fifth along any axis is enough: a few slices of the organ are a scan too.
    assert check_fit(scan((8, 3, 3)), CARD).problem == ""
    assert check_fit(scan((7, 7, 7)), CARD).problem


def test_a_series_can_be_split():
    assert "Split Stack" in check_fit(scan((20, 20, 20, 3)), CARD).problem


def test_a_model_that_wants_a_patient():
    assert "no patient orientation" in check_fit(scan(), ORIENTED).warnings[0]


@pytest.mark.parametrize(
    ("spacing", "unit", "wanted", "expected"),
    [
        ((2.0, 0.5, 0.5), "um", "um", (2.0, 0.5, 0.5)),
        ((2.0, 0.5, 0.5), "um", "mm", (0.002, 0.0005, 0.0005)),
        ((0.002, 0.0005, 0.0005), "mm", "um", (2.0, 0.5, 0.5)),
        ((500.0, 100.0, 100.0), "nm", "um", (0.5, 0.1, 0.1)),
        ((1.0, 1.0, 1.0), "pixel", "mm", None),
        ((1.0, 1.0, 1.0), "mm", "pixel", None),
        ((1.0, 1.0, 1.0), "pixel", "pixel", (1.0, 1.0, 1.0)),
    ],
)
def test_spacing_in_another_unit(spacing, unit, wanted, expected):
    found = spacing_in(Geometry.from_spacing(spacing, unit=unit), wanted)
    assert found is None if expected is None else found == pytest.approx(expected)


# ---- several images, and models that see a scan as a whole ---------------------------------------------------------


def image(seed, shape=(20, 20, 20), origin=(0.0, 0.0, 0.0), spacing=(1.0, 1.0, 1.0)):
    data = np.random.default_rng(seed).integers(0, 99, shape)
    return Volume(data=data, geometry=Geometry.from_spacing(spacing, origin=origin), name=f"{seed}")


def test_the_same_image_twice_is_told():
    one, other = image(0), image(1)
    assert channel_warnings(join_channels(one, (one, other), ("FLAIR", "T1"))) == ()
    opened_again = one.with_data(one.data.copy())
    for twin in (one, opened_again):
        volume = join_channels(one, (one, twin, other), ("FLAIR", "T1", "T2"))
        (said,) = channel_warnings(volume)
        assert said.startswith("FLAIR and T1 are the same image.")
        card = make_card(Path("m.keras"), sha256="0" * 64, input={"channels": ("FLAIR", "T1", "T2")})
        assert said in check_fit(volume, card).warnings
        assert said in check_fit(volume, card, resample=False).warnings
    coarse = image(2, (10, 10, 10), spacing=(2.0, 2.0, 2.0), origin=(0.5, 0.5, 0.5))
    (said,) = channel_warnings(join_channels(one, (one, coarse, coarse), ("FLAIR", "T1", "T2")))
    assert said.startswith("T1 and T2 are the same image.")


def test_flat_images_are_not_taken_for_one():
    flat, again = scan(), scan()
    assert channel_warnings(join_channels(flat, (flat, again), ("FLAIR", "T1"))) == ()


def test_an_image_of_another_part_is_told_on_turned_axes_too():
    one, half = image(0), image(1, origin=(10.0, 0.0, 0.0))
    volume = join_channels(one, (one, half), ("FLAIR", "T1"))
    (said,) = channel_warnings(volume)
    assert said.startswith("T1 covers 50% of the scan")
    upright = Geometry(affine=np.eye(4)[[2, 1, 0, 3]], anatomical=True)
    moved = Geometry(affine=np.eye(4)[[2, 1, 0, 3]] + np.eye(4)[2][:, None] * np.eye(4)[3] * 10, anatomical=True)
    heads = Volume(data=one.data, geometry=upright), Volume(data=half.data, geometry=moved)
    joined = join_channels(heads[0], heads, ("FLAIR", "T1"))
    turned = turn_to(upright, joined.shape, "LIA").volume(joined)
    assert not hasattr(turned.data, "covered")  # it is another object, the channels lie in it
    assert channel_warnings(turned) == channel_warnings(joined) == (said,)
    nearly = image(1, origin=(1.0, 0.0, 0.0))
    assert channel_warnings(join_channels(one, (one, nearly), ("FLAIR", "T1"))) == ()


@pytest.mark.parametrize(
    ("wanted", "volume", "words"),
    [
        ({"conform": Conform()}, scan((64, 64, 64)), "covers only 25% of the cube of 256 mm"),
        ({"conform": Conform()}, scan((60, 60, 60), unit="pixel"), "does not say its voxel size"),
        ({"conform": Conform()}, scan((10, 40, 40), (40.0, 4.0, 4.0)), "larger than the cube of 256 mm"),
        ({"resize_to": (32, 32, 32)}, scan((64, 50, 64)), "64 x 50 x 64 mm are stretched"),
        ({"resize_to": (32, 32, 32)}, scan((64, 50, 64), unit="pixel"), "proportions are unknown"),
    ],
)  # fmt: skip
def test_a_model_of_whole_scans_and_what_is_none(wanted, volume, words):
    card = make_card(Path("m.keras"), sha256="0" * 64, input=wanted)
    (said,) = check_fit(volume, card).warnings
    assert words in said
    assert check_fit(volume, card, resample=False).warnings == ()  # voxels are taken as they are, and no cube is made


@pytest.mark.parametrize(
    ("wanted", "volume"),
    [
        ({"conform": Conform()}, scan((40, 40, 40), (5.0, 4.0, 4.0))),
        ({"conform": Conform()}, scan((10, 40, 40), (5.0, 4.0, 4.0))),  # thin, and a head's width
        ({"resize_to": (32, 32, 32)}, scan((40, 40, 40), (5.0, 4.0, 4.0))),
        ({"resize_to": (32, 32, 32), "field_of_view": (50.0, 50.0, 50.0)}, scan((40, 40, 40))),
        ({}, scan((40, 40, 40), unit="pixel")),
    ],
)
def test_whole_scans_raise_no_question(wanted, volume):
    assert check_fit(volume, make_card(Path("m.keras"), sha256="0" * 64, input=wanted)).warnings == ()


def test_no_cube_is_promised_where_none_can_be_made():
    card = make_card(Path("m.keras"), sha256="0" * 64, input={"conform": Conform()})
    assert "256 x 256 x 256" in check_fit(scan(), card).notes[0]
    assert check_fit(scan(unit="pixel"), card).notes == ()
