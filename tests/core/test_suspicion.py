"""Places come ranked, say what and where they are, and outlive JSON; the score orders scans by what is wrong."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from scipy import ndimage

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch, Vol3dError
from napari_vol3d.core.plausible import Outlier
from napari_vol3d.core.suspicion import Place, find_places, scan_score, suspicious_places

ONE = (1.0, 1.0, 1.0)
NAMES = {1: "anterior", 2: "posterior"}


def scan() -> tuple[np.ndarray, np.ndarray]:
    """Two touching blocks, sure within and a little unsure at their faces."""
    labels = np.zeros((30, 34, 32), np.uint8)
    labels[6:24, 6:17, 12:20], labels[6:24, 17:28, 12:20] = 1, 2
    edge = ndimage.maximum_filter(labels, 3) != ndimage.minimum_filter(labels, 3)
    return labels, np.where(edge, 60, 0).astype(np.uint8)


def test_the_most_unsure_cluster_is_first_and_is_said_by_its_class() -> None:
    labels, uncertainty = scan()
    uncertainty[20:25, 24:29, 14:18] = 230
    first = suspicious_places(labels, uncertainty, ONE, names=NAMES)[0]
    assert first.words == "posterior, z 22, unsure"
    assert first.class_id == 2
    assert first.centre == (22, 26, 16)
    assert first.box == Box(start=(20, 24, 14), stop=(25, 29, 18))
    assert first.voxels == 100


def test_a_cluster_far_from_all_labels_is_a_place_too() -> None:
    labels, uncertainty = scan()
    uncertainty[1:5, 1:5, 27:31] = 250
    first = suspicious_places(labels, uncertainty, ONE, names=NAMES)[0]
    assert first.words == "unlabelled, z 2, unsure"
    assert first.class_id == 0
    alone = suspicious_places(np.zeros_like(labels), uncertainty, ONE, names=NAMES)
    assert alone[0].box == first.box


def test_islands_holes_and_cuts_are_among_them() -> None:
    labels, uncertainty = scan()
    labels[1:3, 30:34, 2:4] = 1  # an island of 16 voxels
    labels[14, 10, 15:17] = 0  # a hole of 2
    labels[6:24, 6:17, 20:32] = 1  # as far as the scan goes
    found = suspicious_places(labels, uncertainty, (1.0, 1.0, 2.0), names=NAMES, most=99)
    places = {place.words: place for place in found}
    assert places["island, 32 mm³, z 1"].voxels == 16
    assert places["island, 32 mm³, z 1"].class_id == 1
    assert places["hole, 4 mm³, z 14"].class_id == 1
    cut = places["anterior cut at the border, z 14"]
    assert cut.box.start[2] == 31
    assert not any("posterior cut" in words for words in places)
    assert places["island, 32 mm³, z 1"].score > places["hole, 4 mm³, z 14"].score


def test_units_are_those_of_the_scan() -> None:
    labels, uncertainty = scan()
    labels[0, 0, 0:3] = 2
    said = [[place.words for place in suspicious_places(labels, uncertainty, ONE, names={}, unit=unit, most=99)]
            for unit in ("um", "pixel", "micrometer")]  # fmt: skip
    assert "island, 3 um³, z 0" in said[0]
    assert "island, 3 voxels, z 0" in said[1]
    assert "island, 3 µm³, z 0" in said[2]
    assert any(words.startswith("class 1, z ") for words in said[0])


def test_places_are_ranked_and_no_more_than_wanted() -> None:
    labels, uncertainty = scan()
    uncertainty[20:25, 24:29, 14:18] = 230
    labels[2, 2, 2:9:2] = 1
    every = suspicious_places(labels, uncertainty, ONE, names=NAMES, most=50)
    scores = [place.score for place in every]
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    assert suspicious_places(labels, uncertainty, ONE, names=NAMES, most=3) == every[:3]
    for place in every:
        assert place.box.intersect(Box.of(labels.shape)) == place.box
        assert all(a <= at < b for at, a, b in zip(place.centre, place.box.start, place.box.stop, strict=True))
    unsure = [place.box for place in every if place.words.endswith("unsure")]
    assert not any(one.intersect(other).size for one, other in itertools.combinations(unsure, 2))


def test_steps_end_with_what_is_found_at_once() -> None:
    labels, uncertainty = scan()
    *steps, last = find_places(labels, uncertainty, ONE, names=NAMES)
    assert steps == [None] * len(steps)
    assert len(steps) > 3
    assert last == suspicious_places(labels, uncertainty, ONE, names=NAMES)


def test_sound_labels_have_no_places_and_empty_ones_neither() -> None:
    labels, uncertainty = scan()
    nothing = np.zeros_like(uncertainty)
    assert suspicious_places(labels, nothing, ONE, names=NAMES) == ()
    assert suspicious_places(nothing, nothing, ONE, names=NAMES) == ()


def test_other_shapes_are_refused() -> None:
    labels, uncertainty = scan()
    with pytest.raises(ScanMismatch, match="differ in shape"):
        suspicious_places(labels, uncertainty[1:], ONE, names=NAMES)


def test_a_place_outlives_json() -> None:
    labels, uncertainty = scan()
    for place in suspicious_places(labels.astype(np.uint16), uncertainty, ONE, names=NAMES):
        plain = json.loads(json.dumps(place.plain()))
        assert list(plain) == ["words", "score", "centre", "start", "stop", "class_id", "voxels"]
        assert Place.read(plain) == place


@pytest.mark.parametrize(
    "change", [{"centre": [1, 2]}, {"start": None}, {"score": "high"}, {"voxels": "few"}, {"class_id": None}]
)
def test_a_damaged_place_is_refused(change) -> None:
    place = Place(words="a", score=0.5, centre=(1, 1, 1), box=Box.of((2, 2, 2)), class_id=1, voxels=8)
    with pytest.raises(Vol3dError, match="can't be read"):
        Place.read(place.plain() | change)
    with pytest.raises(Vol3dError, match="can't be read"):
        Place.read({})


def test_the_score_grows_with_uncertainty_and_with_what_is_implausible() -> None:
    labels, uncertainty = scan()
    scores = [scan_score(labels, np.minimum(uncertainty * times, 255)) for times in (0, 1, 2, 4)]
    assert scores[0] == 0.0
    assert scores == sorted(scores)
    assert scores[-1] < 1
    far = (Outlier(words="", class_id=1, sigma=-6.0),)
    assert scan_score(labels, uncertainty, outliers=far) > scores[1]
    assert scan_score(np.zeros_like(labels), uncertainty) == 1.0


def test_the_score_is_of_what_is_labelled_whatever_its_size() -> None:
    labels, uncertainty = scan()
    wide = [np.pad(part, 9) for part in (labels, uncertainty)]
    assert scan_score(*wide) == scan_score(labels, uncertainty)
    again = [np.concatenate([part, part]) for part in (labels, uncertainty)]
    assert scan_score(*again) == pytest.approx(scan_score(labels, uncertainty))
