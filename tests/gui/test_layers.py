"""Geometry, classes and colours go with the voxels, from volume to layer and back, whoever made the layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import OKABE_ITO, LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui import layers
from napari_vol3d.gui.layers import (
    PREVIEW,
    class_looks,
    classes_of,
    contrast_limits,
    guess_labels,
    is_preview,
    labels_layer,
    origin_of,
    probability_layers,
    same_grid,
    source_of,
    to_layer,
    to_volume,
    with_painted_classes,
)
from napari_vol3d.io.registry import read_volume
from tests.core.watched import Watched

SHAPE = (4, 6, 5)
OBLIQUE = "ignore:Non-orthogonal slicing:UserWarning"  # napari on every oblique layer
CLASSES = (
    LabelClass(id=2, name="left", color="#d55e00"),
    LabelClass(id=5, name="right", color="#0072b2"),
)


def patient(shape: tuple[int, ...] = SHAPE) -> Volume:
    """An oblique patient volume."""
    angle = np.deg2rad(10)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.array([[0, 0, -0.8], [0, -0.9, 0], [2.5, 0, 0]])
    affine[:3, 3] = (10, -20, 30)
    data = np.random.default_rng(0).normal(100, 20, shape).astype(np.float32)
    return Volume(data=data, geometry=Geometry(affine=affine, unit="mm", anatomical=True), name="patient")


def image(volume: Volume) -> Image:
    data, keywords, kind = to_layer(volume, as_labels=False)
    assert kind == "image"
    return Image(data, **keywords)


def labels(volume: Volume) -> Labels:
    data, keywords, kind = to_layer(volume, as_labels=True)
    assert kind == "labels"
    return Labels(data, **keywords)


def label_volume(**changes: Any) -> Volume:
    data = np.zeros(SHAPE, np.uint8)
    data[1, 2, 3], data[2] = 2, 5
    return patient().with_data(data, is_labels=True, classes=CLASSES, **changes)


# ---- scans ---------------------------------------------------------------------------------------------------------


def test_a_scan_comes_back_with_the_very_same_geometry() -> None:
    volume = replace(patient(), source=Path("folder") / "patient.nii.gz")
    back = to_volume(image(volume))
    assert back.geometry is volume.geometry
    assert back.data is volume.data
    assert (back.name, back.source, back.is_labels) == ("patient", volume.source, False)


def test_a_patient_is_shown_nose_up_at_the_scans_place() -> None:
    volume = patient()
    layer = image(volume)
    x, y, z = volume.geometry.origin
    np.testing.assert_allclose(layer.data_to_world((0, 0, 0)), (z, -y, -x))
    np.testing.assert_allclose(layer.scale, volume.geometry.spacing)
    assert [str(unit) for unit in layer.units] == ["millimeter"] * 3
    assert layer.axis_labels == ("z", "y", "x")


@pytest.mark.parametrize(("unit", "shown"), [("mm", "millimeter"), ("um", "micrometer"), ("pixel", "pixel")])
def test_units_make_the_round_trip_with_and_without_our_memory(unit: str, shown: str) -> None:
    geometry = Geometry.from_spacing((3.0, 2.0, 0.5), unit=unit, origin=(7.0, 8.0, 9.0))
    layer = image(Volume(data=np.zeros(SHAPE, np.uint8), geometry=geometry))
    assert [str(u) for u in layer.units] == [shown] * 3
    layer.metadata = {}
    back = to_volume(layer).geometry
    assert back.unit == unit
    np.testing.assert_allclose(back.affine, geometry.affine)


def test_a_scale_that_the_person_sets_is_believed() -> None:
    layer = image(patient())
    layer.scale = (5.0, 1.0, 1.5)
    back = to_volume(layer).geometry
    np.testing.assert_allclose(back.spacing, (5.0, 1.0, 1.5))
    assert back.unit == "mm"


@pytest.mark.filterwarnings(OBLIQUE)
@pytest.mark.parametrize("how", ["rotate", "shear"])
def test_a_turn_that_the_person_sets_is_believed(how: str) -> None:
    volume = Volume(data=np.zeros(SHAPE, np.uint8), geometry=Geometry.from_spacing((3.0, 2.0, 0.5)))
    layer = image(volume)
    setattr(layer, how, (30, 0, 0))
    back = to_volume(layer).geometry
    assert back.oblique
    np.testing.assert_allclose((back.affine @ (1, 2, 3, 1))[:3], layer.data_to_world((1, 2, 3))[::-1])


def test_a_unit_that_the_person_sets_is_believed() -> None:
    layer = image(Volume(data=np.zeros(SHAPE, np.uint8), geometry=Geometry.from_spacing((3.0, 2.0, 0.5), unit="pixel")))
    layer.units = ("um",) * 3
    assert to_volume(layer).geometry.unit == "um"


def test_channels_last_in_the_volume_are_a_first_slider_in_the_layer() -> None:
    volume = replace(patient((*SHAPE, 2)), channels=("T1", "FLAIR"))
    layer = image(volume)
    assert layer.data.shape == (2, *SHAPE)
    assert layer.axis_labels == ("channel", "z", "y", "x")
    back = to_volume(layer)
    np.testing.assert_array_equal(back.data, volume.data)
    assert back.geometry is volume.geometry
    assert back.channels == ("T1", "FLAIR")


@pytest.mark.parametrize(
    ("channels", "timed", "axes"),
    [
        ((), True, ("time",)), (("T1", "FLAIR"), False, ("channel",)), (("T1", "FLAIR"), True, ("time", "channel")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lazy", [False, True])
def test_time_and_channels_are_the_first_sliders(
    channels: tuple[str, ...], timed: bool, axes: tuple[str, ...], lazy: bool
) -> None:
    shape = (*SHAPE, *(2,) * bool(channels), *(3,) * timed)
    volume = replace(patient(shape), channels=channels, timed=timed)
    stored = Watched(volume.data)
    layer = image(volume.with_data(stored) if lazy else volume)
    assert layer.axis_labels == (*axes, "z", "y", "x")
    assert layer.data.shape == (*shape[:2:-1], *SHAPE)
    index = tuple(np.array(layer.data.shape[:-2]) - 1)
    seen = volume.data[index[-1], :, :, *index[:-1][::-1]]
    stored.read = 0
    np.testing.assert_array_equal(np.asarray(layer.data[index]), seen)
    assert stored.read == (seen.size if lazy else 0)
    back = to_volume(layer)
    assert back.geometry is volume.geometry
    assert (back.channels, back.timed, back.shape) == (channels, timed, SHAPE)
    np.testing.assert_array_equal(np.asarray(back.data), volume.data)
    if lazy:
        assert back.data is stored


def test_labels_of_a_series_make_the_round_trip() -> None:
    data = np.zeros((*SHAPE, 3), np.uint8)
    data[1, 2, 3, 2] = 5
    volume = label_volume(timed=True).with_data(data)
    layer = labels(volume)
    assert layer.data.shape == (3, *SHAPE)
    assert layer.data[2, 1, 2, 3] == 5
    layer.data_setitem(tuple(np.array([[0], [3], [5], [4]])), 2)
    back = to_volume(layer)
    assert back.timed
    assert back.geometry is volume.geometry
    assert back.data[3, 5, 4, 0] == 2


def test_one_axis_cut_off_leaves_the_other() -> None:
    volume = replace(patient((*SHAPE, 2, 3)), channels=("T1", "FLAIR"), timed=True)
    whole = image(volume)
    kept = {"metadata": whole.metadata, "scale": whole.scale[1:], "translate": whole.translate[1:]}
    for cut, axis, timed in ((whole.data[1], "channel", False), (whole.data[:, 1], "time", True)):
        back = to_volume(Image(cut, axis_labels=(axis, "z", "y", "x"), **kept))
        assert back.timed is timed
        assert bool(back.channels) is not timed
        assert back.geometry is volume.geometry
        with pytest.raises(ScanMismatch, match="4 axes"):  # nobody knows which of the two is left
            to_volume(Image(cut, **kept))


@pytest.mark.filterwarnings(OBLIQUE)
def test_layers_of_others_give_the_geometry_of_their_whole_transform() -> None:
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 2.0], [0, 1.5, 0], [1.0, 0, 0]]
    layer = Image(
        np.zeros(SHAPE), scale=(3, 2, 1), translate=(10, 20, 30), rotate=(0, 25, 0), affine=affine, units=("um",) * 3
    )
    geometry = to_volume(layer).geometry
    assert geometry.unit == "um"
    assert not geometry.anatomical
    for index in ((0, 0, 0), (1, 2, 3), (3, 0, 4)):
        world = geometry.affine @ (*index, 1)
        np.testing.assert_allclose(world[:3], layer.data_to_world(index)[::-1])


@pytest.mark.parametrize(
    ("units", "scale", "unit", "spacing"),
    [
        ("nm", (30, 8, 8), "um", (0.03, 0.008, 0.008)), ("cm", (0.3, 0.1, 0.1), "mm", (3, 1, 1)),
        (("mm", "um", "um"), (1, 5, 5), "um", (1000, 5, 5)), (("s", "mm", "mm"), (1, 2, 2), "pixel", (1, 2, 2)),
    ],
)  # fmt: skip
def test_lengths_of_other_readers_become_mm_or_um(units: Any, scale: Any, unit: str, spacing: Any) -> None:
    geometry = to_volume(Image(np.zeros(SHAPE), scale=scale, units=units, translate=scale)).geometry
    assert geometry.unit == unit
    np.testing.assert_allclose(geometry.spacing, spacing)
    np.testing.assert_allclose(geometry.origin, spacing[::-1])  # one voxel along each axis; the world is (x, y, z)


def test_a_stack_of_one_time_point_is_a_volume() -> None:
    layer = Image(np.zeros((1, *SHAPE)), scale=(1, 3, 2, 1), translate=(0, 5, 6, 7))
    volume = to_volume(layer)
    assert volume.shape == SHAPE
    np.testing.assert_allclose(volume.geometry.spacing, (3, 2, 1))
    assert volume.geometry.origin == (7, 6, 5)


def test_a_plane_is_a_volume_one_slice_deep() -> None:
    layer = Image(np.zeros((6, 5)), scale=(2, 0.5), translate=(3, 4))
    volume = to_volume(layer)
    assert volume.shape == (1, 6, 5)
    np.testing.assert_allclose(volume.geometry.spacing, (1, 2, 0.5))
    np.testing.assert_allclose((volume.geometry.affine @ (0, 2, 4, 1))[:3], (6, 7, 0))


def test_a_projection_that_took_our_memory_along_is_a_plane() -> None:
    layer = image(patient())
    flat = Image(layer.data.max(axis=0), scale=layer.scale[1:], translate=layer.translate[1:], metadata=layer.metadata)
    volume = to_volume(flat)
    assert volume.shape == (1, 6, 5)
    assert volume.geometry.unit == "pixel"


def test_a_pyramid_gives_its_finest_level() -> None:
    fine = np.random.default_rng(0).random((8, 16, 16))
    layer = Image([fine, fine[::2, ::2, ::2]], multiscale=True, scale=(2, 1, 1))
    volume = to_volume(layer)
    assert volume.shape == fine.shape
    np.testing.assert_allclose(volume.geometry.spacing, (2, 1, 1))
    np.testing.assert_array_equal(np.asarray(volume.data), fine)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Image(np.zeros((4, 6, 5, 3), np.uint8), rgb=True), "colours"),
        (lambda: Image(np.zeros((6, 5, 3), np.uint8), rgb=True), "colours"),
        (lambda: Image(np.zeros((3, *SHAPE))), "4 axes"),
        (lambda: Image(np.zeros((2, 3, *SHAPE))), "5 axes"),
    ],
    ids=["rgb", "2-D rgb", "time", "five axes"],
)
def test_what_is_no_scan_is_refused_with_a_way_on(make: Callable[[], Image], says: str) -> None:
    with pytest.raises(ScanMismatch, match=says) as caught:
        to_volume(make())
    assert caught.value.hint


# ---- labels --------------------------------------------------------------------------------------------------------


def test_a_label_map_comes_back_with_geometry_and_classes() -> None:
    volume = label_volume()
    layer = labels(volume)
    back = to_volume(layer)
    assert back.geometry is volume.geometry
    assert back.classes == CLASSES
    assert back.is_labels
    np.testing.assert_array_equal(back.data, volume.data)


def test_float_labels_become_integers() -> None:
    layer = labels(label_volume().with_data(label_volume().data.astype(np.float32)))
    assert layer.data.dtype == np.uint8
    np.testing.assert_array_equal(layer.data, label_volume().data)


def test_colours_are_those_of_the_classes() -> None:
    layer = labels(label_volume())
    np.testing.assert_allclose(layer.get_color(2)[:3], np.array([0xD5, 0x5E, 0]) / 255, atol=0.01)
    assert layer.get_color(0) is None


@pytest.mark.parametrize("class_id", [1, 7, 31, 32, 200])
def test_ids_painted_later_are_seen_and_become_classes(class_id: int) -> None:
    layer = labels(label_volume())
    layer.data[0, 0, 0] = class_id
    color = layer.get_color(class_id)
    assert color is not None
    assert color[3] > 0
    found = {item.id: item for item in with_painted_classes(to_volume(layer)).classes}
    assert set(found) == {2, 5, class_id}
    assert found[class_id].name == f"class {class_id}"
    if class_id <= len(OKABE_ITO):
        assert found[class_id].color == OKABE_ITO[class_id - 1]


def test_a_class_without_voxels_keeps_its_name() -> None:
    layer = labels(label_volume())
    layer.data[...] = 0
    assert classes_of(layer) == CLASSES


def test_names_in_the_features_and_colours_of_other_plugins_count() -> None:
    colors: Any = {None: "white", 0: "transparent", 4: "#112233"}
    layer = Labels(
        np.full(SHAPE, 4, np.uint8), features={"index": [0, 4], "name": ["background", "tumour"]},
        colormap=DirectLabelColormap(color_dict=colors),
    )  # fmt: skip
    assert classes_of(layer) == (LabelClass(id=4, name="tumour", color="#112233"),)


def test_features_of_another_meaning_do_no_harm() -> None:
    layer = Labels(np.full(SHAPE, 3, np.uint8), features={"area": [0.0, 17.0]})
    assert classes_of(layer) == ()
    (only,) = with_painted_classes(to_volume(layer)).classes
    assert (only.id, only.name) == (3, "class 3")


def foreign_rotated() -> Image:
    return Image(np.zeros(SHAPE), scale=(3, 2, 1), translate=(1, 2, 3), rotate=(20, 0, 40), shear=(0.1, 0, 0))


def foreign_affine() -> Image:
    affine = np.eye(4)
    affine[:3] = [[0, 0.2, 2.0, 5], [0, 1.5, 0, 6], [1.0, 0, 0, 7]]
    return Image(np.zeros(SHAPE), affine=affine, scale=(3, 2, 1), units=("um",) * 3)


def four_dimensional_affine() -> Image:
    affine = np.eye(5)
    affine[1:, 1:] = foreign_affine().affine.affine_matrix
    return Image(np.zeros((1, *SHAPE)), affine=affine, scale=(1, 3, 2, 1))


SCANS: dict[str, Callable[[], Image]] = {
    "patient": lambda: image(patient()),
    "channels": lambda: image(replace(patient((*SHAPE, 2)), channels=("T1", "FLAIR"))),
    "rotated and sheared": foreign_rotated,
    "affine": foreign_affine,
    "4-D affine": four_dimensional_affine,
    "4-D": lambda: Image(np.zeros((1, *SHAPE)), scale=(1, 3, 2, 1), translate=(0, 7, 8, 9)),
    "pyramid": lambda: Image([np.zeros((8, 12, 10)), np.zeros((4, 6, 5))], multiscale=True, scale=(3, 2, 1)),
    "plane": lambda: Image(np.zeros((6, 5)), scale=(2, 0.5), translate=(3, 4), units=("mm", "mm")),
}


@pytest.mark.filterwarnings(OBLIQUE)
@pytest.mark.parametrize("kind", SCANS)
def test_the_labels_lie_on_the_scan_voxel_by_voxel(kind: str) -> None:
    scan = SCANS[kind]()
    volume = to_volume(scan)
    layer = labels_layer(np.zeros(volume.shape, np.uint8), volume, CLASSES, name="labels", model="m 1", like=scan)
    for index in ((0, 0, 0), (0, 2, 3), (0, 5, 4)) + (((3, 1, 2),) if volume.shape[0] > 1 else ()):
        on_scan = (0,) * (scan.ndim - 3) + index[-scan.ndim :]
        expected = scan.data_to_world(on_scan)
        np.testing.assert_allclose(layer.data_to_world(index)[-len(expected[-3:]) :], expected[-3:])
    assert layer.units[-2:] == scan.units[-2:]
    saved = to_volume(layer).geometry
    np.testing.assert_allclose(saved.affine, volume.geometry.affine, atol=1e-9)


def test_labels_of_a_patient_keep_its_geometry_and_its_file() -> None:
    volume = replace(patient(), source=Path("folder") / "patient.nii.gz")
    layer = labels_layer(np.zeros(SHAPE, np.uint8), volume, CLASSES, name="labels", model="m 1", like=image(volume))
    assert to_volume(layer).geometry is volume.geometry
    assert source_of(layer) == volume.source
    origin = origin_of(layer)
    assert origin is not None
    assert origin.model == "m 1"


def test_a_viewer_with_scan_and_labels_keeps_the_unit() -> None:
    # napari drops units from the view, with a warning, where layers disagree; warnings are errors here.
    viewer = ViewerModel()
    scan = viewer.add_layer(image(patient()))
    viewer.add_layer(labels_layer(np.zeros(SHAPE, np.uint8), patient(), CLASSES, name="l", model="", like=scan))
    assert viewer.layers.extent.units is not None
    assert {str(unit) for unit in viewer.layers.extent.units} == {"millimeter"}


def test_probability_layers_are_hidden_and_lie_on_the_scan() -> None:
    scan = image(patient())
    maps = np.random.default_rng(0).integers(0, 255, (2, *SHAPE), dtype=np.uint8)
    layers = probability_layers(maps, to_volume(scan), CLASSES, like=scan)
    assert [layer.name for layer in layers] == ["patient p(left)", "patient p(right)"]
    for layer, expected in zip(layers, maps, strict=True):
        np.testing.assert_array_equal(layer.data, expected)
        np.testing.assert_allclose(layer.data_to_world((1, 2, 3)), scan.data_to_world((1, 2, 3)))
        assert not layer.visible
        assert tuple(layer.contrast_limits) == (0, 255)
        assert to_volume(layer).geometry is patient().geometry or to_volume(layer).geometry.matches(patient().geometry)


# ---- guessing and looks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("hippocampus/images/hippocampus_001.nii.gz", False),
        ("hippocampus/labels/hippocampus_001.nii.gz", True),
        ("scans/example_ct_sm.nii.gz", False),
        ("scans/example_seg.nii.gz", True),
        ("microscopy/axons/volume-0.tiff", False),
    ],
)
def test_real_files_are_taken_for_what_they_are(shared_data: Path, name: str, expected: bool) -> None:
    path = shared_data / name
    if not path.is_file():
        pytest.skip(f"{name} is not among the shared data")
    assert guess_labels(read_volume(path)) is expected


def test_what_the_file_says_comes_before_the_guess() -> None:
    noise = np.random.default_rng(0).integers(0, 200, SHAPE, dtype=np.uint8)
    assert guess_labels(patient().with_data(noise, is_labels=True)) is True
    assert guess_labels(patient().with_data(np.ones(SHAPE, np.uint8), is_labels=False)) is False


def test_of_a_large_volume_a_few_planes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for data, expected in (
        (np.random.default_rng(0).normal(100, 10, (200, 12, 10)), False),
        (np.repeat(np.arange(200) // 50, 120).reshape(200, 12, 10).astype(np.uint8), True),
    ):
        stored = Watched(data)
        volume = patient().with_data(stored, is_labels=None)
        assert guess_labels(volume) is expected
        stored.read = 0
        monkeypatch.setattr(layers, "LOOKED_THROUGH", data.nbytes - 1)
        assert guess_labels(volume) is expected
        assert to_layer(volume, as_labels=False)[1]["contrast_limits"][0] < float(data.max())
        assert 0 < stored.read < data.size / 4
        monkeypatch.undo()


def test_a_series_of_labels_is_labels() -> None:
    series = np.stack([np.zeros(SHAPE), label_volume().data, label_volume().data], axis=-1)
    assert guess_labels(patient().with_data(series, is_labels=None, timed=True)) is guess_labels(
        patient().with_data(label_volume().data, is_labels=None)
    )


def test_channels_are_never_labels() -> None:
    assert guess_labels(patient().with_data(np.ones((*SHAPE, 2), np.uint8), is_labels=None)) is False


@pytest.mark.parametrize(
    "data",
    [
        np.full(SHAPE, 7, np.uint8),
        np.full(SHAPE, np.nan, np.float32),
        np.where(np.arange(120).reshape(SHAPE) % 2, np.nan, 3.0),
        np.where(np.arange(120).reshape(SHAPE) % 2, np.inf, -np.inf),
        np.zeros((0, 6, 5), np.int16),
    ],
    ids=["constant", "nan", "constant and nan", "infinite", "empty"],
)
def test_contrast_limits_are_always_a_range(data: Any) -> None:
    low, high = contrast_limits(data)
    assert np.isfinite([low, high]).all()
    assert low < high


def test_contrast_limits_leave_out_what_glares() -> None:
    data = np.random.default_rng(0).normal(100, 10, (40, 40, 40))
    data[20, 20, 20] = 1e6
    low, high = contrast_limits(data)
    assert 60 < low < 90
    assert 110 < high < 140


def test_colours_of_a_hundred_classes_all_differ() -> None:
    classes = tuple(LabelClass(id=i, name=f"c{i}", color=f"#{i:06x}") for i in range(1, 118))
    colors = class_looks(classes)["colormap"].color_dict
    assert len({tuple(colors[item.id]) for item in classes}) == 117


def test_smaller_copies_are_shown_but_the_finest_voxels_are_the_scan() -> None:
    volume = Volume(data=np.arange(8 * 12 * 10).reshape(8, 12, 10), geometry=Geometry.from_spacing((2, 1, 1)))
    half = volume.with_data(volume.data[::2, ::2, ::2], geometry=Geometry.from_spacing((4, 2, 2)))
    data, keywords, _ = to_layer(volume, as_labels=False, coarser=[half])
    layer = Image(data, **keywords)
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(8, 12, 10), (4, 6, 5)]
    found = to_volume(layer)
    np.testing.assert_array_equal(found.data, volume.data)
    assert found.geometry is volume.geometry


PLACED: dict[str, Any] = {"scale": (2.5, 0.9, 0.8), "translate": (31.0, -57.0, 12.0), "units": ("mm",) * 3}
TURN = [[1.0, 0.0, 0.0], [0.0, 0.8, -0.6], [0.0, 0.6, 0.8]]


@pytest.mark.parametrize(("same", "others"), [
    (True, {}),
    (True, {"translate": (31.0, -57.0, 12.0 + 1e-9)}),
    (True, {"scale": (2500.0, 900.0, 800.0), "translate": (31e3, -57e3, 12e3), "units": ("um",) * 3}),
    (True, {"units": ("pixel",) * 3}),  # nobody has said what it is
    (False, {"units": ("um",) * 3}),
    (False, {"scale": (2.5, 0.9, 0.81)}),
    (False, {"translate": (31.0, -57.0, 12.4)}),
    (False, {"rotate": TURN}),
    (False, {"shear": (0.0, 0.0, 0.1)}),
    (False, {"affine": np.diag((1.0, 1.0, -1.0, 1.0))}),
])  # fmt: skip
def test_two_layers_are_on_one_grid_where_each_voxel_lies_in_the_same_place(same: bool, others: dict[str, Any]) -> None:
    """Whatever says so: napari moves voxels by units, turns and affines as well."""
    scan, other = Image(np.zeros(SHAPE), **PLACED), Labels(np.zeros(SHAPE, np.uint8), **PLACED | others)
    assert same_grid(scan, other) is same
    assert same_grid(other, scan) is same


def test_a_grid_is_that_of_the_last_three_axes_and_of_the_finest_voxels() -> None:
    scan = Image(np.zeros(SHAPE), rotate=TURN, **PLACED)
    assert not same_grid(scan, Image(np.zeros((4, 6, 6)), rotate=TURN, **PLACED))
    voxels = np.zeros(SHAPE, np.uint8)
    assert same_grid(scan, labels_layer(voxels, to_volume(scan), CLASSES, name="", model="", like=scan))
    straight = Image(np.zeros(SHAPE), **PLACED)
    series = Labels(
        np.zeros((3, *SHAPE), np.uint8), scale=(1, *PLACED["scale"]), translate=(0, *PLACED["translate"]),
        units=("s", *PLACED["units"]),
    )  # fmt: skip
    assert same_grid(straight, series)
    assert same_grid(straight, Image([np.zeros(SHAPE), np.zeros((2, 3, 3))], multiscale=True, **PLACED))


def test_a_preview_is_what_says_so() -> None:
    voxels = np.zeros(SHAPE, np.uint8)
    assert is_preview(Labels(voxels, metadata={PREVIEW: True}))
    assert not is_preview(Labels(voxels))
