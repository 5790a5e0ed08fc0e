"""A model of several channels is run again in a box: it sees the layers that a whole run saw, on whatever grids."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from napari.layers import Image, Labels
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.joined import join_channels
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.correct.channels import Channels, seen_by
from napari_vol3d.gui.correct.tools.predict_here import PredictHere
from napari_vol3d.gui.correcting_room import CorrectingRoom
from napari_vol3d.gui.layers import labels_layer, to_layer, to_volume
from napari_vol3d.gui.workbench import Workbench
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import finish, write_model
from tests.channel_cases import CHANNELS, GRIDS, SHAPE, Saved, save
from tests.gui.bench.conftest import opened
from tests.gui.conftest import PLUGIN, RUN_MS, press_segment
from tests.gui.correct.predicting import rectangle

WAIT_MS = 20_000
RANDOM = """
import sys

import keras
import numpy as np

keras.utils.set_random_seed(5)
given = keras.Input((None, None, None, 3))
values = keras.layers.Conv3D(8, 3, padding="same", activation="relu")(given)
values = keras.layers.Conv3D(8, 3, padding="same", activation="relu")(values)
head = keras.layers.Conv3D(3, 1, use_bias=False)
network = keras.Model(given, head(values))
weights = np.random.default_rng(5).normal(size=(1, 1, 1, 8, 3)).astype(np.float32)
head.set_weights([weights - weights.mean(axis=(3, 4), keepdims=True)])
network.save(sys.argv[1])
"""


@pytest.fixture(scope="module")
def trio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    wanted = {"channels": CHANNELS, "intensity": IntensityScheme(kind="zscore"), "multiple": 1}
    write_model(folder / "trio", Saved(RANDOM), name="trio", input=wanted, inference={"halo": 2})
    return folder


@pytest.fixture
def trio(trio_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    monkeypatch.setenv("VOL3D_MODELS", str(trio_folder))
    return find_model("trio")


def write_case(folder: Path, name: str, seed: int) -> list[Path]:
    """Write three images of one case: one grid, one as fine again that begins elsewhere, and one half as fine."""
    rng = np.random.default_rng(seed)

    def noise(shape: tuple[int, ...]) -> NDArray[Any]:
        return np.rint(ndimage.gaussian_filter(rng.normal(size=shape), 1.5) * 2000 + 500).astype(np.int16)

    return [
        save(folder / f"{name}_{channel}.nii.gz", noise(shape), spacing=spacing, start=start)
        for channel, (spacing, start, shape) in GRIDS.items()
    ]


def open_case(viewer: Viewer, folder: Path, name: str, seed: int = 0) -> list[Image]:
    return [layer for path in write_case(folder, name, seed) for layer in viewer.open(path, plugin=PLUGIN)]


@pytest.fixture
def case(bench: Workbench, viewer: Viewer, trio: Model, tmp_path: Path) -> list[Image]:
    """The images of a case, the T1 of which is to be segmented with the model of three channels."""
    images = open_case(viewer, tmp_path, "p01")
    bench.segment.reload_models("trio")
    bench.segment.ui.pick_scan(images[1])
    return images


def whole_run(qtbot: Any, bench: Workbench, viewer: Viewer, image: Image) -> tuple[NDArray[Any], Labels]:
    """Segment, and give what was found, and a layer of such labels that is empty: nobody has corrected it."""
    press_segment(qtbot, bench)
    (found,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    viewer.layers.remove(found)
    return found.data, empty_labels(viewer, image)


def empty_labels(viewer: Viewer, image: Image) -> Labels:
    model = find_model("trio")
    layer = labels_layer(
        np.zeros(SHAPE, np.uint16), to_volume(image), model.card.output.classes, name=f"{image.name} labels",
        model=f"{model.card.name} {model.card.version}", like=image,
    )  # fmt: skip
    viewer.add_layer(layer)
    viewer.layers.selection.active = layer
    return layer


def take(bench: Workbench) -> tuple[CorrectingRoom, PredictHere]:
    room = bench.correct()
    room.panel.take("PredictHere")
    tool = room.panel.tools["PredictHere"]
    assert isinstance(tool, PredictHere)
    opened(room.desk.bench)
    return room, tool


def predict(qtbot: Any, room: CorrectingRoom, tool: PredictHere) -> tuple[slice, slice, slice]:
    """Draw a box on two slices, and run the model in it."""
    rectangle(room.desk, Plane.AXIAL, (9, 6, 5), (9, 17, 16))
    rectangle(room.desk, Plane.AXIAL, (13, 6, 5), (13, 17, 16))
    assert tool.box is not None
    said: list[str] = []
    runner = room.panel.runner
    room.desk.said.connect(said.append)
    runner.apply()
    qtbot.waitUntil(lambda: not runner.busy, timeout=RUN_MS)
    assert "voxels changed" in said[-1]
    return tool.box.slices


def test_in_the_box_it_finds_what_a_whole_run_finds(
    qtbot: Any, bench: Workbench, viewer: Viewer, case: list[Image]
) -> None:
    whole, layer = whole_run(qtbot, bench, viewer, case[1])
    room, tool = take(bench)
    box = predict(qtbot, room, tool)
    outside = np.ones(SHAPE, bool)
    outside[box] = False
    assert len(np.unique(whole[box])) == 3
    np.testing.assert_array_equal(layer.data[box], whole[box])
    assert not layer.data[outside].any()


def test_images_of_another_case_are_not_mixed_in(
    qtbot: Any, bench: Workbench, viewer: Viewer, case: list[Image], tmp_path: Path
) -> None:
    """Segment holds the images of one case, and labels of another are corrected: it is theirs that are seen."""
    panel = bench.segment
    qtbot.waitUntil(lambda: panel.ui.channels.value() == tuple(case), timeout=WAIT_MS)
    images = open_case(viewer, tmp_path, "p02", seed=1)
    panel.ui.pick_scan(case[1])
    layer = empty_labels(viewer, images[1])
    room, tool = take(bench)
    box = predict(qtbot, room, tool)
    seen = join_channels(to_volume(images[1]), [to_volume(image) for image in images], CHANNELS)
    _, meant = finish(segment(seen, find_model("trio"), SegmentSettings(device="cpu", cache=False)))
    np.testing.assert_array_equal(layer.data[box], meant.labels[box])


def test_a_channel_without_a_layer_is_told(bench: Workbench, viewer: Viewer, case: list[Image]) -> None:
    empty_labels(viewer, case[1])
    room, tool = take(bench)
    task = room.desk.task()
    assert task is not None
    tool.verb(task).close()
    viewer.layers.remove(case[2])
    with pytest.raises(ScanMismatch, match=r"^No layer for T2: Tiny wants 3 channels\."):
        tool.verb(task)
    bench.segment.reload_models("hippocampus-t1")  # by names then
    with pytest.raises(ScanMismatch, match="No layer for T2"):
        tool.verb(task)


def test_channels_in_one_layer_are_seen_as_they_are(bench: Workbench, viewer: Viewer, trio: Model) -> None:
    """An image that has all channels in it is no image on the grid of its labels for other tools."""
    data = np.random.default_rng(0).random((*SHAPE, 3)).astype(np.float32)
    volume = Volume(data=data, geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), name="all", channels=CHANNELS)
    layer_data, keywords, _ = to_layer(volume, as_labels=False)
    image = viewer.add_image(layer_data, **keywords)
    empty_labels(viewer, image)
    room, tool = take(bench)
    assert room.desk.image is None
    found = seen_by(trio.card, tool._image(), Channels())
    np.testing.assert_array_equal(found.data, data)
