"""Labels of the sample, and the tool that runs the model again: for the tests of what is drawn and of what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.runner import Runner
from napari_vol3d.gui.correct.tools.predict_here import PredictHere
from napari_vol3d.gui.engines import EngineKeeper
from napari_vol3d.gui.layers import labels_layer, to_volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.gui.bench.conftest import add, view_of
from tests.gui.correct.mousing import drag, go_to, pixel_of

SAMPLE = Path(__file__).parents[3] / "sample_data" / "hippocampus_average.nii.gz"
SHAPE = (35, 50, 34)
MODEL = find_model("hippocampus-t1")


class Sleeper(EngineKeeper):
    """Starts no process; for what is tried before there is anything to compute."""

    def get(self, device: str, precision: str = "auto") -> Any:
        return None


@pytest.fixture
def keeper(request: pytest.FixtureRequest) -> Iterator[EngineKeeper]:
    made: EngineKeeper = getattr(request, "param", Sleeper)()
    yield made
    made.close()


@pytest.fixture
def predicted(viewer: Viewer) -> Labels:
    """Labels of the sample, empty as those of a model that found nothing."""
    scan = add(viewer, read_volume(SAMPLE))
    layer = labels_layer(
        np.zeros(SHAPE, np.uint16), to_volume(scan), MODEL.card.output.classes, name="scan labels",
        model="hippocampus-t1 1.0", like=scan,
    )  # fmt: skip
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    return layer


class Chosen:
    """What is chosen in Segment."""

    def __init__(self) -> None:
        self.model: Model | None = MODEL

    def __call__(self) -> Model | None:
        return self.model


@pytest.fixture
def chosen() -> Chosen:
    return Chosen()


@pytest.fixture
def runner(desk: Desk) -> Iterator[Runner]:
    made = Runner(desk)
    yield made
    made.let_go()


@pytest.fixture
def tool(
    qtbot: Any, desk: Desk, runner: Runner, predicted: Labels, keeper: EngineKeeper, chosen: Chosen
) -> PredictHere:
    made = PredictHere(keeper, chosen, lambda: SegmentSettings(device="cpu"))
    qtbot.addWidget(made)
    desk.choose(made)
    made.show()
    return made


def rectangle(desk: Desk, plane: Plane, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    """Drag one between the middles of two voxels."""
    view, record = view_of(desk.bench, plane), desk.record
    assert record is not None
    go_to(desk.bench, record, first)
    middle = tuple((a + b) / 2 for a, b in zip(first, last, strict=True))
    drag(view, [pixel_of(view, record, voxel) for voxel in (first, middle, last)])
