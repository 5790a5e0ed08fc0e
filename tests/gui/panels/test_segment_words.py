"""The words are short, have units, and are true of the view."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, StoredGrid, Volume
from napari_vol3d.gui.panels.segment_words import (
    GO,
    chip,
    chips,
    region_words,
    result_words,
    scan_tip,
    scan_words,
    side_words,
    view_letters,
    warning_words,
)
from napari_vol3d.models.store import find_model
from napari_vol3d.pipeline.plan import plan_segment
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.settings import SegmentSettings

CLASSES = (LabelClass(id=1, name="front", color="#e69f00"), LabelClass(id=2, name="back", color="#0072b2"))


def patient(*, x_sign: float = -1.0, flips: tuple[bool, bool, bool] = (False, True, True)) -> Geometry:
    """A patient whose held axes run to S, P and, for a negative sign, L; the file's to R, A, S."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = 1.0, -1.0, x_sign, 1.0
    return Geometry(affine=affine, anatomical=True, stored=StoredGrid(axes=(2, 1, 0), flips=flips))


def test_the_orientation_is_the_views_not_the_files() -> None:
    assert patient().orientation == "RAS"
    assert view_letters(patient()) == "SPL"
    assert side_words(patient()) == "S P L · patient's left is on the right"
    assert side_words(patient(x_sign=1.0)) == "S P R · patient's left is on the left"
    assert "posterior" in scan_tip(patient())
    assert "RAS" in scan_tip(patient())


def test_of_a_scan_without_a_patient_no_side_is_said() -> None:
    volume = Volume(data=np.zeros((3, 4, 5), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    assert side_words(volume.geometry) == ""
    assert scan_words(volume) == "3 x 4 x 5 · 1 mm · uint8"
    assert "does not say" in scan_tip(volume.geometry)


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (0, "slices 10-52, 50 x 40 voxels"), (1, "slices 0-49, 43 x 40 voxels"), (2, "slices 5-44, 43 x 50 voxels"),
        (None, "z 10-52, y 0-49, x 5-44"),
    ],
)  # fmt: skip
def test_a_region_says_its_slices_as_the_slider_counts_them(axis: int | None, words: str) -> None:
    assert region_words(Box(start=(10, 0, 5), stop=(53, 50, 45)), axis) == words


def test_no_region_and_an_empty_one_say_nothing() -> None:
    assert region_words(None, 0) == region_words(Box(start=(3, 0, 0), stop=(3, 5, 5)), 0) == ""


def prediction(**changes: object) -> Prediction:
    model = find_model("hippocampus-t1")
    volume = Volume(data=np.zeros((8, 8, 8), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    done = Prediction(
        labels=None, geometry=volume.geometry, classes=CLASSES, model="m", device="CPU", seconds=4.2,
        compute_seconds=4.0, counts=Counter({0: 500, 1: 12}),
        plan=plan_segment(volume, model.card, SegmentSettings(resample=False)),
    )  # fmt: skip
    return replace(done, **changes)  # type: ignore[arg-type]


def test_a_result_names_its_scan_and_shows_the_way() -> None:
    amounts = [(CLASSES[0], "12 mL"), (CLASSES[1], "0 mL")]
    text = result_words("a<b> scan", prediction(notes=("Smaller tiles.",)), amounts)
    for part in ("Done in 4.2 s", "on CPU", "a&lt;b&gt; scan", "front 12 mL", f"href='{GO}'", "Smaller tiles."):
        assert part in text


def test_nothing_found_is_said_and_leads_nowhere() -> None:
    text = result_words("scan", prediction(counts=Counter({0: 512})), [(CLASSES[0], "0 mL"), (CLASSES[1], "0 mL")])
    assert "Nothing was found" in text
    assert "scan" in text
    assert GO not in text.split("'")


def test_a_warning_is_no_markup() -> None:
    assert "a&lt;b&gt;" in warning_words("a<b>")


def test_classes_beyond_a_dozen_are_counted() -> None:
    classes = tuple(LabelClass(id=i, name=f"c{i}", color="#112233") for i in range(1, 118))
    assert chips(classes).endswith("and 105 more")
    assert chips(classes[:12]).count("■") == 12
    assert chip("#112233") in chips(classes)


def test_a_series_says_how_many_time_points_it_has() -> None:
    series = Volume(
        data=np.zeros((3, 4, 5, 12), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), timed=True
    )  # fmt: skip
    assert scan_words(series) == "3 x 4 x 5 · 1 mm · uint8 · 12 time points"
