"""What the engine is handed is the model that the card describes, in the engine's own folder, once."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from dataclasses import replace
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from napari_vol3d.core.errors import EngineProblem, ModelProblem
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import CARD_NAME, sha256_of
from napari_vol3d.models.store import open_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.handing import hand_over, loading
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, phantom, random_unet, write_model

# Three tiles, and more context than the network sees: smaller patches, after a death, give the same labels.
THREE = SegmentSettings(memory_gb=512 * 22 * 32 * 36 / 1e9, halo=10, cache=False)


@pytest.fixture
def engine(tmp_path):
    """All that handing over needs of an engine."""
    folder = tmp_path / "private"
    folder.mkdir()
    return SimpleNamespace(folder=folder)


def test_it_is_copied_once(engine, tiny_model, unet_model):
    places = [hand_over(engine, model) for model in (tiny_model, unet_model)]
    written = [place.stat().st_mtime_ns for place in places]
    assert loading(engine, [tiny_model, unet_model]).models[1].weights == str(places[1])
    assert sorted(engine.folder.iterdir()) == sorted(places)
    assert [place.stat().st_mtime_ns for place in places] == written
    assert [sha256_of(place) for place in places] == [m.card.weights.sha256 for m in (tiny_model, unet_model)]
    # A copy that is there already hides no change.
    changed = replace(tiny_model, folder=engine.folder.parent)
    changed.weights.write_bytes(b"another")
    with pytest.raises(ModelProblem, match="have changed"):
        hand_over(engine, changed)
    # One that was removed since changes nothing for who has begun with it.
    changed.weights.unlink()
    assert hand_over(engine, changed) == places[0]
    assert not any(place.is_symlink() or place.stat().st_nlink > 1 for place in places)


def test_a_changed_or_missing_file_is_refused_and_leaves_nothing(engine, tiny_model, tmp_path):
    elsewhere = replace(tiny_model, folder=tmp_path)
    with pytest.raises(ModelProblem, match="can't be read: No such file"):
        hand_over(engine, elsewhere)
    elsewhere.weights.write_bytes(tiny_model.weights.read_bytes() + b"!")
    with pytest.raises(ModelProblem, match="have changed"):
        hand_over(engine, elsewhere)
    assert list(engine.folder.iterdir()) == []


def test_no_room_is_told(engine, tiny_model):
    engine.folder.rmdir()
    with pytest.raises(EngineProblem, match="No room for the model"):
        hand_over(engine, tiny_model)


def test_what_does_not_pass_the_gate_is_refused_by_the_name_that_a_person_knows(engine, tmp_path):
    given = keras.Input((None, None, None, 1))
    network = keras.Model(given, keras.layers.ZeroPadding3D(100_000)(given))
    with pytest.raises(ModelProblem, match=r"ZeroPadding3D .* in tiny/model\.keras") as told:
        hand_over(engine, write_model(tmp_path / "net", network))
    assert ".part" not in str(told.value)
    assert list(engine.folder.iterdir()) == []


# ---- on the disk, while a run goes on --------------------------------------------------------------------------------


def another(folder):
    random_unet(seed=1).save(folder / "model.keras")


def edited(folder):
    card = open_model(folder).card
    given = card.input.model_copy(update={"spacing": (3.0, 3.0, 3.0)})
    (folder / CARD_NAME).write_text(card.model_copy(update={"input": given}).model_dump_json())


def newer(folder):
    write_model(folder.with_name("unet-9"), random_unet(seed=2))


@pytest.fixture(scope="module")
def volume():
    return Volume(data=phantom((22, 32, 66))[0], geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))


@pytest.fixture(scope="module")
def clean(volume, unet_model, shared_engine):
    """The labels where nothing happens."""
    return finish(segment(volume, unet_model, THREE, engine=shared_engine))[1].labels


@pytest.fixture(scope="module")
def mortal():
    engine = Engine(device="cpu")
    yield engine
    engine.close()


@pytest.fixture
def model(unet_model, tmp_path):
    return open_model(shutil.copytree(unet_model.folder, tmp_path / "models" / "unet"))


def disturbed(verb, *acts):
    """Drive a run to its end, and do something as soon as its first tile is done."""
    for report in verb:
        if report.finished is not None:
            break
    for act in acts:
        act()
    return finish(verb)[1]


@pytest.mark.parametrize("change", [another, shutil.rmtree, edited, newer])
def test_a_run_ends_with_the_network_that_it_began_with(mortal, volume, model, clean, change):
    labels = disturbed(segment(volume, model, THREE, engine=mortal), lambda: change(model.folder)).labels
    np.testing.assert_array_equal(labels, clean)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("change", [another, shutil.rmtree])
def test_so_it_does_where_its_engine_dies_too_or_says_why_not(mortal, volume, model, clean, change):
    verb = segment(volume, model, THREE, engine=mortal)
    acts = (lambda: change(model.folder), lambda: os.kill(mortal.process.pid, signal.SIGKILL))
    if change is another:  # who replaces a file wants the new one: nobody gets a half of each
        with pytest.raises(ModelProblem, match="have changed since its card was written"):
            disturbed(verb, *acts)
    else:
        np.testing.assert_array_equal(disturbed(verb, *acts).labels, clean)


def test_the_next_run_is_of_what_is_there_then(mortal, shared_engine, volume, model, clean):
    folder = model.folder
    finish(segment(volume, model, THREE, engine=mortal))
    card = write_model(folder, random_unet(seed=1), input={"spacing": (1.0, 1.0, 1.0), "flip_axes": (2,)}).card
    assert card.weights.sha256 != model.card.weights.sha256
    labels = finish(segment(volume, open_model(folder), THREE, engine=mortal))[1].labels
    expected = finish(segment(volume, open_model(folder), THREE, engine=shared_engine))[1].labels
    np.testing.assert_array_equal(labels, expected)
    assert not np.array_equal(labels, clean)
