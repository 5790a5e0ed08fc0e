"""Scans of one patient share one space: what lies at one place in the body lies at one place on the canvas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from napari import Viewer
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.notifications import notification_manager
from scipy import ndimage

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import labels_layer, origin_of, to_layer, to_volume
from napari_vol3d.gui.space import in_space, on_its_scan, reference_from, reference_of
from napari_vol3d.io import gate
from napari_vol3d.io.registry import read_volume, write_labels
from tests.core.watched import geometry
from tests.gui.conftest import PLUGIN

CLASSES = (LabelClass(id=1, name="ball", color="#e69f00"),)
T1, PD = "chris_t1.nii.gz", "chris_PD.nii.gz"


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """What the person was told in this test."""
    notification_manager.records.clear()
    yield notification_manager.records
    notification_manager.records.clear()


@pytest.fixture(scope="session")
def scans(shared_data: Path) -> Path:
    """A folder with two real scans of a person, the one oblique to the other."""
    if not (shared_data / "scans" / PD).is_file():
        pytest.skip(f"{PD} is not among the shared data")
    return shared_data / "scans"


def on_canvas(layer: Any, where: Geometry, world: Any) -> np.ndarray:
    """Where a world point lies on the canvas, by a layer whose voxels lie in the world as `where` says."""
    return np.asarray(layer.data_to_world(np.linalg.solve(where.affine, (*world, 1))[:3]))


def interpolated(volume: Volume, world: np.ndarray) -> np.ndarray:
    index = np.linalg.solve(volume.geometry.affine, np.vstack([world.T, np.ones(len(world))]))[:3]
    return ndimage.map_coordinates(np.asarray(volume.data, float), index, order=1)


def inside(volume: Volume, world: np.ndarray) -> np.ndarray:
    index = np.linalg.solve(volume.geometry.affine, np.vstack([world.T, np.ones(len(world))]))[:3]
    return ((index >= 0) & (index <= np.array(volume.shape)[:, None] - 1)).all(axis=0)


def add(viewer: ViewerModel, volume: Volume, *, as_labels: bool = False) -> Any:
    """Put a volume into a viewer, as the reader does."""
    shown = in_space(volume, reference_of(viewer), as_labels=as_labels)
    data, keywords, kind = to_layer(shown.volume, as_labels=as_labels, frame=shown.frame)
    return getattr(viewer, f"add_{kind}")(data, **keywords)


# ---- real scans in a real window -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(T1, PD), (PD, T1)])
def test_an_oblique_scan_is_seen_where_it_lies_in_the_body(
    viewer: Viewer, scans: Path, told: list[Any], order: tuple[str, str]
) -> None:
    for name in order:
        viewer.open(scans / name, plugin=PLUGIN)
    first, second = viewer.layers
    grid, source = read_volume(scans / order[0]), read_volume(scans / order[1])
    assert isinstance(second.data, Onto)
    assert second.data.shape == grid.shape == first.data.shape
    index = np.stack([np.random.default_rng(0).integers(0, n, 4000) for n in grid.shape], axis=1)
    world = index @ grid.geometry.affine[:3, :3].T + grid.geometry.affine[:3, 3]
    index, world = index[inside(source, world)], world[inside(source, world)]
    assert len(world) > 1000
    whole = np.asarray(second.data)
    assert np.abs(whole[tuple(index.T)] - interpolated(source, world)).max() <= 0.5 + 1e-6  # rounded to its own type
    for at in index[:20]:
        np.testing.assert_allclose(second.data_to_world(at), first.data_to_world(at))
    (note,) = [record.message for record in told if "grid of" in record.message]
    assert order[1].removesuffix(".nii.gz") in note


@pytest.mark.parametrize("shown", [(1, 2), (0, 2), (0, 1)])
def test_scrolling_shows_slice_after_slice(viewer: Viewer, scans: Path, shown: tuple[int, int]) -> None:
    viewer.open([str(scans / T1), str(scans / PD)], plugin=PLUGIN)
    first, second = viewer.layers
    axis = ({0, 1, 2} - set(shown)).pop()
    viewer.dims.order = (axis, *shown)
    for step in (70, 90, 91):
        viewer.dims.set_current_step(axis, step)
        for layer in (first, second):
            seen = np.asarray(layer._slice.image.raw)
            np.testing.assert_array_equal(seen, np.asarray(layer.data[(slice(None),) * axis + (step,)]))
        assert seen.std() > 5


def test_the_same_ball_in_both_scans_is_one_place_on_the_canvas(viewer: Viewer, scans: Path, tmp_path: Path) -> None:
    place, found = np.array([12.0, -8.0, 5.0]), []  # mm, in the body
    for name in (T1, PD):
        header = nib.load(scans / name)
        index = np.indices(header.shape).reshape(3, -1)
        world = header.affine[:3, :3] @ index + header.affine[:3, 3:]
        ball = (np.linalg.norm(world - place[:, None], axis=0) < 15).reshape(header.shape) * 200.0
        ball += np.random.default_rng(0).uniform(0, 20, header.shape)  # a scan, not a label map
        nib.save(nib.Nifti1Image(ball.astype(np.uint8), header.affine), tmp_path / name)
        viewer.open(tmp_path / name, plugin=PLUGIN)
    for layer in viewer.layers:
        middle = ndimage.center_of_mass(np.asarray(layer.data) > 110)
        found.append(np.asarray(layer.data_to_world(middle)))
    expected = (place[2], -place[1], -place[0])  # upright: the first scan's axes are the body's
    np.testing.assert_allclose(found[0], expected, atol=0.2)
    np.testing.assert_allclose(found[1], expected, atol=0.44)  # half a voxel of the first scan


@pytest.mark.parametrize("name", [T1, PD])
def test_a_crop_with_other_spacing_keeps_its_voxels_and_lies_right(
    viewer: Viewer, scans: Path, tmp_path: Path, name: str, told: list[Any]
) -> None:
    image = nib.load(scans / name)
    part = np.asarray(image.dataobj)[20:150:2, 10:200, 5:50:3]
    step = np.array([[2, 0, 0, 20], [0, 1, 0, 10], [0, 0, 3, 5], [0, 0, 0, 1.0]])
    nib.save(nib.Nifti1Image(part, image.affine @ step), tmp_path / "crop.nii.gz")
    viewer.open([str(scans / name), str(tmp_path / "crop.nii.gz")], plugin=PLUGIN)
    first, crop = viewer.layers
    stored = read_volume(tmp_path / "crop.nii.gz")
    assert type(crop.data) is np.ndarray
    np.testing.assert_array_equal(crop.data, stored.data)
    for world in ((0.0, 0.0, 0.0), (10.0, -20.0, 15.0), (-40.0, 30.0, 25.0)):
        here = on_canvas(first, read_volume(scans / name).geometry, world)
        np.testing.assert_allclose(on_canvas(crop, stored.geometry, world), here, atol=1e-3)
    back = to_volume(crop).geometry
    np.testing.assert_array_equal(back.affine, stored.geometry.affine)
    assert back.anatomical
    labels = labels_layer(np.ones(crop.data.shape, np.uint8), to_volume(crop), CLASSES, name="l", model="", like=crop)
    saved = write_labels(tmp_path / "labels.nii.gz", to_volume(labels))
    np.testing.assert_array_equal(nib.load(saved).affine, nib.load(tmp_path / "crop.nii.gz").affine)
    assert not [record for record in told if "grid of" in record.message]


@pytest.mark.parametrize("over", [0, 1])
def test_labels_are_saved_on_the_references_grid_bit_for_bit(
    viewer: Viewer, scans: Path, tmp_path: Path, over: int
) -> None:
    viewer.open([str(scans / T1), str(scans / PD)], plugin=PLUGIN)
    like = viewer.layers[over]
    labels = labels_layer(
        np.zeros(like.data.shape, np.uint8), to_volume(like), CLASSES, name="l", model="", like=like
    )  # fmt: skip
    viewer.add_layer(labels)
    labels.data_setitem((np.array([100]), np.array([128]), np.array([90])), 1)
    saved = nib.load(write_labels(tmp_path / "labels.nii.gz", to_volume(labels)))
    reference = nib.load(scans / T1)
    np.testing.assert_array_equal(saved.affine, reference.affine)
    assert saved.shape == reference.shape
    for kind in ("sform", "qform"):
        assert saved.header[f"{kind}_code"] == reference.header[f"{kind}_code"]
    world = read_volume(scans / T1).geometry.affine @ (100, 128, 90, 1)
    at = np.rint(np.linalg.solve(reference.affine, world)).astype(int)[:3]
    assert np.argwhere(np.asarray(saved.dataobj)).tolist() == [at.tolist()]


def test_a_large_scan_that_arrives_later_finds_its_place(
    qtbot: Any, viewer: Viewer, scans: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_vol3d.gui import hooks

    monkeypatch.setattr(hooks, "LARGE_BYTES", 0)
    viewer.open([str(scans / T1), str(scans / PD)], plugin=PLUGIN)  # both are read at once, in threads
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=20_000)
    first, second = viewer.layers
    assert isinstance(second.data, Onto)
    assert not isinstance(first.data, Onto)
    assert second.data.shape == first.data.shape


# ---- which is the reference ----------------------------------------------------------------------------------------


def patient(degrees: float, shape: tuple[int, ...] = (12, 14, 16), name: str = "scan") -> Volume:
    data = np.random.default_rng(int(degrees)).normal(100, 20, shape).astype(np.float32)
    return Volume(data=data, geometry=geometry(degrees), name=name)


def test_the_first_patient_of_ours_that_lies_where_it_was_put_is_the_reference() -> None:
    viewer = ViewerModel()
    assert reference_of(None) is None
    assert reference_of(viewer) is None
    viewer.add_image(np.zeros((4, 5, 6)))
    cells = Volume(data=np.ones((4, 5, 6)), geometry=Geometry.from_spacing((2.0, 1.0, 1.0), unit="mm"))
    add(viewer, cells)
    assert reference_of(viewer) is None
    moved = add(viewer, patient(5, name="moved"))
    moved.translate = (1, 2, 3)
    assert reference_of(viewer) is None
    add(viewer, patient(7, name="here"))
    found = reference_of(viewer)
    assert found is not None
    assert (found.name, found.shape) == ("here", (12, 14, 16))
    assert found.geometry is found.frame


def test_what_is_no_patient_is_left_alone() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    cells = Volume(data=np.ones((4, 5, 6)), geometry=Geometry.from_spacing((2.0, 1.0, 1.0), origin=(3.0, 4.0, 5.0)))
    shown = in_space(cells, reference_of(viewer), as_labels=False)
    assert shown.volume is cells
    assert (shown.frame, shown.note) == (None, "")
    assert tuple(add(viewer, cells).translate) == (3, 4, 5)


def test_the_space_outlives_its_first_image() -> None:
    viewer = ViewerModel()
    first, frame = add(viewer, patient(7)), geometry(7)
    crop = Volume(data=np.zeros((3, 4, 5), np.float32), geometry=Geometry(affine=frame.affine @ np.diag([2, 1, 1, 1]),
                  anatomical=True), name="crop")  # fmt: skip
    add(viewer, crop)
    viewer.layers.remove(first)
    found = reference_of(viewer)
    assert found is not None
    assert found.geometry is crop.geometry
    np.testing.assert_array_equal(found.frame.affine, frame.affine)
    again = add(viewer, patient(7))
    np.testing.assert_allclose(again.translate, first.translate)


@pytest.mark.parametrize(("degrees", "resampled"), [(7.0, False), (7.03, False), (7.2, True), (30, True)])
def test_only_other_axes_are_resampled(degrees: float, resampled: bool) -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    shown = in_space(patient(degrees), reference_of(viewer), as_labels=False)
    assert isinstance(shown.volume.data, Onto) is resampled
    assert bool(shown.note) is resampled


def test_what_lies_elsewhere_keeps_its_axes_and_that_is_said() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7, name="here"))
    far = Volume(data=np.zeros((4, 5, 6)), geometry=geometry(20, origin=(1e4, 0.0, 0.0)), name="far")
    shown = in_space(far, reference_of(viewer), as_labels=False)
    assert shown.volume is far
    assert shown.frame is None
    assert shown.note.startswith("far lies elsewhere than here")


def test_what_is_left_out_is_said() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7, name="here"))
    large = Volume(data=np.zeros((24, 14, 16)), geometry=geometry(9), name="large")
    assert "% of it lies outside" in in_space(large, reference_of(viewer), as_labels=False).note


def test_micrometres_are_resampled_at_their_place() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    source = patient(20)
    meant = np.asarray(in_space(source, reference_of(viewer), as_labels=False).volume.data)
    affine = np.diag([1000.0, 1000.0, 1000.0, 1.0]) @ source.geometry.affine
    fine = source.with_data(source.data, geometry=Geometry(affine=affine, unit="um", anatomical=True))
    found = in_space(fine, reference_of(viewer), as_labels=False).volume
    assert found.geometry.unit == "mm"
    np.testing.assert_allclose(np.asarray(found.data), meant, rtol=1e-4, atol=0.01)


# ---- labels and series ---------------------------------------------------------------------------------------------


def test_a_label_map_with_other_axes_takes_the_nearest_ids_and_says_so() -> None:
    viewer = ViewerModel()
    scan = add(viewer, patient(7, name="here"))
    ids = np.zeros((12, 14, 16), np.uint16)
    ids[3:9, 3:9, 3:9], ids[5, 5, 5] = 3, 700
    source = patient(12, name="found").with_data(ids, is_labels=True)
    shown = in_space(source, reference_of(viewer), as_labels=True)
    assert "resampled" in shown.note
    assert "window of its own" in shown.note
    layer = add(viewer, source, as_labels=True)
    assert isinstance(layer, Labels)
    assert type(layer.data) is np.ndarray
    assert set(np.unique(layer.data)) <= {0, 3, 700}
    assert 3 in layer.data
    geometry_there = to_volume(layer).geometry
    assert geometry_there is to_volume(scan).geometry
    layer.data_setitem((np.array([0]), np.array([0]), np.array([0])), 3)
    assert layer.data[0, 0, 0] == 3


def test_labels_that_do_not_fit_into_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    source = patient(12).with_data(np.ones((12, 14, 16), np.uint8), is_labels=True)
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-9")
    with pytest.raises(FileProblem, match="Too large"):
        add(viewer, source, as_labels=True)


def test_a_series_with_other_axes_keeps_its_time_and_channels() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    series = patient(12, (12, 14, 16, 2, 3)).with_data(
        patient(12, (12, 14, 16, 2, 3)).data, timed=True, channels=("a", "b")
    )  # fmt: skip
    layer = add(viewer, series)
    assert isinstance(layer, Image)
    assert layer.data.shape == (3, 2, 12, 14, 16)
    back = to_volume(layer)
    assert isinstance(back.data, Onto)
    assert (back.timed, back.channels, back.shape) == (True, ("a", "b"), (12, 14, 16))
    one = Onto(series.with_data(series.data[..., 1, 2]), geometry(7), (12, 14, 16))
    one.outside = back.data.outside
    np.testing.assert_array_equal(np.asarray(layer.data[2, 1]), np.asarray(one))


def test_a_resampled_image_has_the_contrast_of_its_own_voxels() -> None:
    viewer = ViewerModel()
    add(viewer, patient(7))
    alone, _, _ = to_layer(patient(20), as_labels=False)
    limits = to_layer(patient(20), as_labels=False)[1]["contrast_limits"]
    assert tuple(add(viewer, patient(20)).contrast_limits) == limits
    assert alone.shape == (12, 14, 16)


def test_a_layer_of_ours_names_the_reference_it_would_be() -> None:
    layer = add(ViewerModel(), patient(7))
    origin = origin_of(layer)
    assert origin is not None
    found = reference_from(origin, "x")
    assert found is not None
    assert found.geometry is origin.geometry


@pytest.mark.parametrize("angle", [0, 17])
def test_labels_that_napari_made_get_their_place_in_the_patient(angle: int) -> None:
    where = geometry(angle)
    scan = Volume(data=np.zeros((6, 8, 7), np.float32), geometry=where)
    data, keywords, _ = to_layer(scan, as_labels=False)
    layer = Image(data, **keywords)
    placed = {key: getattr(layer, key) for key in ("scale", "translate", "units")}
    same = Labels(np.zeros(scan.shape, np.uint8), **placed)
    assert on_its_scan(to_volume(same), same, [layer, same]).geometry is where
    # Half as large and moved: beside the scan, where the canvas shows it.
    part = Labels(np.zeros((3, 4, 3), np.uint8), scale=layer.scale * 2, translate=layer.translate + layer.scale * 1.5)
    found = on_its_scan(to_volume(part), part, [layer, part]).geometry
    assert found.anatomical
    for index in ((0, 0, 0), (2, 3, 1)):
        on_canvas = part.data_to_world(index)
        meant = where.affine @ [*layer.world_to_data(on_canvas), 1]
        np.testing.assert_allclose(found.affine @ [*index, 1], meant, atol=1e-9)
    assert on_its_scan(to_volume(part), part, [part]).geometry.anatomical is False
