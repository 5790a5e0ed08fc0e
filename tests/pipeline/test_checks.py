"""What a person is told before a model runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.pipeline.checks import check_fit, require_fit, spacing_in
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
