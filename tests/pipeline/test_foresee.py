"""A scan is foreseen: labels as any run gives them, places, a score, and nothing left on the disk."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest

from napari_vol3d.core.entropy import disagreement_map, entropy_map
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.plausible import features
from napari_vol3d.core.suspicion import Place, scan_score, suspicious_places
from napari_vol3d.core.unsteady import unsteady_score
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import scratch
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import find_model, find_recipe
from napari_vol3d.pipeline import results
from napari_vol3d.pipeline.altered import ALTERED
from napari_vol3d.pipeline.foresee import CHECKING, PHASE, foresee, foresee_mirrored
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom

SETTINGS = SegmentSettings(cache=False)


def scan(seed=0, shape=(28, 30, 26)):
    image, _ = phantom(shape, seed=seed)
    return Volume(data=image, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


@pytest.fixture
def kept(monkeypatch):
    """The arrays of probabilities that were made."""
    made = []

    def watched(*given):
        made.append(scratch.scratch_array(*given))
        return made[-1]

    monkeypatch.setattr(results, "scratch_array", watched)
    return made


def chunks_on_disk(array):
    return [path for path in array.store.root.rglob("*") if path.is_file() and path.name != "zarr.json"]


def test_it_is_a_run_and_what_core_says_of_it(shared_engine, unet_model):
    volume = scan()
    reports, found = finish(foresee(volume, unet_model, SETTINGS, engine=shared_engine))
    wanted = SegmentSettings(cache=False, probabilities=True)
    _, plain = finish(segment(volume, unet_model, wanted, engine=shared_engine))
    assert np.array_equal(found.labels, plain.labels)
    uncertainty = entropy_map(plain.probabilities)
    assert uncertainty.any()
    assert np.array_equal(found.uncertainty, uncertainty)
    names = unet_model.card.label_names
    assert found.places == suspicious_places(found.labels, uncertainty, (1.0, 1.0, 1.0), names=names)
    others = [finish(segment(alter(volume), unet_model, SETTINGS, engine=shared_engine))[1].labels for alter in ALTERED]
    assert not any(np.array_equal(other, found.labels) for other in others)
    assert found.score == unsteady_score(found.labels, others)
    assert found.features == features(found.labels, (1.0, 1.0, 1.0))
    assert found.geometry is volume.geometry
    assert found.classes == unet_model.card.output.classes
    assert {report.phase for report in reports} >= {"Segmenting", CHECKING, PHASE}
    tiles = [report for report in reports if report.finished is not None]
    painted = np.full(volume.shape, 255, np.uint8)
    for report in tiles:
        painted[report.finished.slices] = report.labels
    assert np.array_equal(painted, found.labels)  # no tile of the altered scans


def test_without_alterations_the_score_is_by_uncertainty(shared_engine, unet_model):
    reports, found = finish(foresee(scan(), unet_model, SETTINGS, engine=shared_engine, altered=()))
    assert found.score == scan_score(found.labels, found.uncertainty)
    assert CHECKING not in {report.phase for report in reports}


def test_its_record_is_json_and_names_model_and_weights(shared_engine, tiny_model):
    _, found = finish(foresee(scan(), tiny_model, SETTINGS, engine=shared_engine))
    assert found.model == "tiny 0.1"
    assert found.model_sha256 == tiny_model.card.weights.sha256
    settings = json.loads(json.dumps(dict(found.settings)))
    assert SegmentSettings.of(settings) == SETTINGS
    assert tuple(Place.read(json.loads(json.dumps(place.plain()))) for place in found.places) == found.places


def test_probabilities_take_no_room_afterwards(shared_engine, tiny_model, kept):
    finish(foresee(scan(), tiny_model, SETTINGS, engine=shared_engine))
    finish(segment(scan(), tiny_model, SegmentSettings(cache=False, probabilities=True), engine=shared_engine))
    foreseen, plain = kept
    assert chunks_on_disk(plain)
    assert not chunks_on_disk(foreseen)


def test_closed_while_places_are_looked_for_it_leaves_no_room_taken(shared_engine, tiny_model, kept):
    with contextlib.closing(foresee(scan(), tiny_model, SETTINGS, engine=shared_engine)) as verb:
        for report in verb:
            if report.phase == PHASE:
                break
    assert not chunks_on_disk(kept[0])
    assert shared_engine.alive  # it is free again, not killed
    _, found = finish(foresee(scan(), tiny_model, SETTINGS, engine=shared_engine))
    assert found.labels.any()


def test_accepted_scans_make_outliers(shared_engine, tiny_model):
    accepted = [features(np.asarray(phantom((28, 30, 26), seed=seed)[1]), (1.0, 1.0, 1.0)) for seed in range(6)]
    small = [{key: {**each, "volume_ml": each["volume_ml"] / 8} for key, each in one.items()} for one in accepted]
    _, alone = finish(foresee(scan(9), tiny_model, SETTINGS, engine=shared_engine))
    _, beside = finish(foresee(scan(9), tiny_model, SETTINGS, engine=shared_engine, accepted=small))
    assert alone.outliers == ()
    assert any("volume" in one.words and one.sigma > 0 for one in beside.outliers)
    assert any(one.words.startswith("bright ") or one.words.startswith("dim ") for one in beside.outliers)
    assert beside.score > alone.score


def test_mirrored_disagreement_is_that_of_the_scan_mirrored_by_hand(shared_engine, unet_model, kept):
    volume = scan()
    axis = unet_model.card.input.flip_axes[0]
    reports, found = finish(foresee_mirrored(volume, unet_model, SETTINGS, engine=shared_engine))
    assert sum(report.finished.size for report in reports if report.finished is not None) == found.labels.size
    wanted = SegmentSettings(cache=False, probabilities=True)
    _, plain = finish(segment(volume, unet_model, wanted, engine=shared_engine))
    turned = volume.with_data(np.ascontiguousarray(np.flip(volume.data, axis)))
    _, mirrored = finish(segment(turned, unet_model, wanted, engine=shared_engine))
    apart = disagreement_map(plain.probabilities[:], np.flip(mirrored.probabilities[:], axis + 1))
    assert np.array_equal(found.labels, plain.labels)
    assert apart.any()
    # A mean of two, rounded to bytes, and then doubled: up to a byte and a half off.
    assert np.abs(found.uncertainty.astype(int) - apart).max() <= 3
    assert not chunks_on_disk(kept[0])
    assert not chunks_on_disk(kept[1])


def test_a_model_that_may_not_be_mirrored_is_refused(shared_engine, tiny_model):
    with pytest.raises(ScanMismatch, match="no axis"):
        finish(foresee_mirrored(scan(), tiny_model, SETTINGS, engine=shared_engine))


def test_a_time_series_is_refused(shared_engine, tiny_model):
    volume = scan()
    series = replace(volume, data=np.stack([volume.data] * 2, axis=-1), timed=True)
    with pytest.raises(ScanMismatch, match="time series"):
        finish(foresee(series, tiny_model, SETTINGS, engine=shared_engine))


def test_a_real_scan_has_places_to_jump_to(shared_engine, shared_data):
    # Of the recipe's validation: the kept-back scans are for the benchmark.
    name = json.loads(find_recipe("hippocampus-t1").read_text(encoding="utf-8"))["validation"][0]
    volume = read_volume(shared_data / "hippocampus" / "images" / f"{name}.nii.gz")
    _, found = finish(foresee(volume, find_model("hippocampus-t1"), SETTINGS, engine=shared_engine))
    assert len(found.places) == 20
    assert {place.words.split(",")[0] for place in found.places} <= {"anterior", "posterior", "island", "hole"}
    assert 0 < found.score < 1
    assert found.seconds > 0
