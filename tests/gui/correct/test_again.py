"""A model that runs again in a box finds there what a whole run finds, and leaves alone what it must."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Image, Labels

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.correct.limits import Limits
from napari_vol3d.gui.correct.again import (
    Again,
    BoxLabels,
    box_around,
    ids_in,
    maker_of,
    predict_again,
    world_of,
)
from napari_vol3d.gui.layers import labels_layer, to_layer
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

SAMPLE = Path(__file__).parents[3] / "sample_data" / "hippocampus_average.nii.gz"
BOX = Box(start=(10, 12, 5), stop=(22, 31, 24))
MODEL = find_model("hippocampus-t1")
AS_IS = {1: 1, 2: 2}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = Engine(device="cpu")
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def scan() -> Volume:
    return read_volume(SAMPLE)


@pytest.fixture(scope="module")
def whole(scan: Volume, engine: Engine) -> np.ndarray:
    """Labels of the whole scan."""
    return np.asarray(end_of(segment(scan, MODEL, SegmentSettings(), engine=engine)).labels)


def end_of(verb: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(verb)
        except StopIteration as end:
            return end.value


def run_in(scan: Volume, box: Box = BOX, ids: dict[int, int] | None = None) -> Again:
    return Again(scan=scan, model=MODEL, settings=SegmentSettings(probabilities=True), box=box, ids=ids or AS_IS)


def grey(shape: tuple[int, int, int], spacing: float = 1.0) -> Volume:
    geometry = Geometry(affine=np.diag([spacing, spacing, spacing, 1.0])[[2, 1, 0, 3]], unit="mm")
    return Volume(data=np.zeros(shape, np.uint8), geometry=geometry)


def test_in_the_box_it_finds_what_a_whole_run_finds(scan: Volume, whole: np.ndarray, engine: Engine) -> None:
    labels = np.zeros(scan.shape, np.uint16)
    edit = end_of(predict_again(labels, run_in(scan), engine=engine, name="again"))
    assert edit.name == "again"
    edit.apply(labels)
    outside = np.ones(scan.shape, bool)
    outside[BOX.slices] = False
    assert not labels[outside].any()
    assert (whole[BOX.slices] > 0).sum() > 500
    assert (labels[BOX.slices] != whole[BOX.slices]).sum() <= 2  # even scores, summed in another order


def test_corrected_voxels_locked_and_unknown_classes_stay(scan: Volume, whole: np.ndarray, engine: Engine) -> None:
    rng = np.random.default_rng(0)
    labels = rng.choice(np.array([0, 1, 2, 9], np.uint16), scan.shape)
    guarded, kept = rng.random(scan.shape) < 0.4, labels.copy()
    held: Any = {"limits": Limits(locked=frozenset({2})), "guarded": guarded}
    edit = end_of(predict_again(labels, run_in(scan), engine=engine, name="again", **held))
    np.testing.assert_array_equal(labels, kept)
    edit.apply(labels)
    stays = guarded | (kept == 9) | (kept == 2) | (whole == 2)
    stays[:10] = True
    expected = np.where(stays, kept, whole)[BOX.slices]
    assert (labels[BOX.slices] != expected).sum() <= 2
    assert (kept[BOX.slices] != expected).sum() > 100


def test_classes_may_have_other_ids_in_the_labels(scan: Volume, whole: np.ndarray, engine: Engine) -> None:
    labels = np.zeros(scan.shape, np.uint16)
    end_of(predict_again(labels, run_in(scan, ids={1: 700, 2: 1}), engine=engine, name="again")).apply(labels)
    table = np.array([0, 700, 1])
    assert (labels[BOX.slices] != table[whole[BOX.slices]]).sum() <= 2


def test_where_nothing_is_wrong_there_is_no_edit_and_a_box_beside_the_scan_is_refused(
    scan: Volume, engine: Engine
) -> None:
    labels = np.zeros(scan.shape, np.uint16)
    end_of(predict_again(labels, run_in(scan), engine=engine, name="again")).apply(labels)
    assert end_of(predict_again(labels, run_in(scan), engine=engine, name="again")) is None
    beside = Box(start=(100, 0, 0), stop=(110, 5, 5))
    with pytest.raises(ScanMismatch, match="outside"):
        end_of(predict_again(labels, run_in(scan, beside), engine=engine, name="again"))


def test_it_can_be_stopped_and_the_engine_goes_on(scan: Volume, engine: Engine) -> None:
    verb = predict_again(np.zeros(scan.shape, np.uint16), run_in(scan), engine=engine, name="again")
    next(verb)
    verb.close()
    assert engine.turn.acquire(timeout=1)
    engine.turn.release()


def test_of_a_scan_beyond_what_it_knows_the_model_sees_a_piece_as_it_was_trained_on() -> None:
    large, box = grey((200, 210, 190)), Box(start=(100, 100, 100), stop=(110, 104, 160))
    world = world_of(run_in(large, box))
    assert world.intersect(box) == box
    assert all(n >= max(f, b) for n, f, b in zip(world.shape, (46, 58, 43), box.shape, strict=True))
    assert world.shape[2] == 60
    corner = Box(start=(0, 0, 0), stop=(5, 5, 5))
    assert world_of(run_in(large, corner)).start == (0, 0, 0)
    assert world_of(run_in(grey((40, 50, 40)), box)) == box


def test_one_slice_is_as_deep_as_the_field_of_view_and_two_give_the_depth() -> None:
    scan = grey((200, 200, 200), 2.0)
    flat = Box(start=(80, 10, 20), stop=(81, 50, 60))
    found = box_around([flat], scan, MODEL.card)
    assert (found.start[1:], found.stop[1:]) == ((10, 20), (50, 60))
    assert found.centre[0] == 80
    assert 46 <= found.shape[0] * 2.0 <= 50
    lower = Box(start=(70, 15, 10), stop=(71, 40, 40))
    assert box_around([flat, lower], scan, MODEL.card) == Box(start=(70, 10, 10), stop=(81, 50, 60))
    across = Box(start=(60, 30, 20), stop=(100, 31, 60))  # drawn in another view
    assert box_around([flat, across], scan, MODEL.card) == Box(start=(60, 10, 20), stop=(100, 50, 60))
    nothing = MODEL.card.model_copy(update={"input": MODEL.card.input.model_copy(update={"field_of_view": None})})
    assert box_around([flat], scan, nothing).shape == (200, 40, 40)
    beyond = Box(start=(80, -10, 150), stop=(81, 20, 900))
    assert box_around([beyond, lower], scan, MODEL.card) == Box(start=(70, 0, 10), stop=(81, 40, 200))


BOXES = st.builds(
    lambda start, size: Box(start=start, stop=tuple(a + n for a, n in zip(start, size, strict=True))),
    st.tuples(*[st.integers(0, 6)] * 3), st.tuples(*[st.integers(1, 5)] * 3),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(wanted=BOXES, parts=st.lists(BOXES, max_size=5))
def test_a_sink_keeps_what_lies_in_its_box(wanted: Box, parts: list[Box]) -> None:
    sink, all_of_it = BoxLabels(wanted, np.dtype(np.uint8)), np.zeros((12, 12, 12), np.uint8)
    for value, part in enumerate(parts, start=1):
        labels = np.full(part.shape, value, np.uint8)
        sink.write(part, labels)
        all_of_it[part.slices] = labels
    np.testing.assert_array_equal(sink.array, all_of_it[wanted.slices])
    assert not sink.finished


def test_classes_of_another_model_are_found_by_their_names() -> None:
    def named(*names: str) -> list[LabelClass]:
        return [LabelClass(id=i, name=name, color="#112233") for i, name in enumerate(names, start=5)]

    assert ids_in(MODEL.card, named("Posterior", "tail", "anterior"), same=False) == {1: 7, 2: 5}
    assert ids_in(MODEL.card, named("head", "tail"), same=True) == {1: 1, 2: 2}
    with pytest.raises(ScanMismatch, match="no posterior") as caught:
        ids_in(MODEL.card, named("anterior"), same=False)
    assert "model that made them" in caught.value.hint


@pytest.mark.parametrize(("made", "found"), [("hippocampus-t1 1.0", MODEL), ("hippocampus-t1 0.9", None), ("", None)])
def test_the_model_that_made_labels_is_found(scan: Volume, made: str, found: Model | None) -> None:
    data, keywords, _ = to_layer(scan, as_labels=False)
    like = Image(data, **keywords)
    layer = labels_layer(np.zeros(scan.shape, np.uint8), scan, (), name="labels", model=made, like=like)
    assert maker_of(layer) == found
    assert maker_of(Labels(np.zeros((2, 2, 2), np.uint8))) is None
