"""The read-out tells the value in the file and the true place in the patient, as other programs know them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from napari.components import ViewerModel
from napari.layers import Image

from napari_vol3d.core.onto import Onto
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.bench.readout import Reading, describe, many_lines, one_line
from napari_vol3d.gui.layers import to_layer
from napari_vol3d.gui.space import in_space, reference_of
from napari_vol3d.io.registry import read_volume

MM = 1e-3  # how far a place may be from that of another program


def add(viewer: ViewerModel, volume: Volume, *, as_labels: bool = False) -> Any:
    """Put a volume into a viewer, as the reader does."""
    shown = in_space(volume, reference_of(viewer), as_labels=as_labels)
    data, keywords, kind = to_layer(shown.volume, as_labels=as_labels, frame=shown.frame)
    return getattr(viewer, f"add_{kind}")(data, **keywords)


def voxels_of(layer: Image, count: int = 40) -> list[tuple[int, ...]]:
    rng = np.random.default_rng(7)
    return [tuple(rng.integers(0, layer.data.shape).tolist()) for _ in range(count)]


def by_nibabel(path: Path, place: Sequence[float]) -> tuple[Any, np.ndarray]:
    """The value that nibabel has at a place, and where the middle of that voxel is."""
    image: Any = nib.load(path)
    index = np.round(np.linalg.solve(image.affine, (*place, 1))[:3]).astype(int)
    return image.dataobj[tuple(index)], (image.affine @ (*index, 1))[:3]


@pytest.mark.parametrize("name", ["chris_t1", "chris_PD", "MR_Gd", "CT_AVM", "spmMotor"])
def test_value_and_place_are_those_of_nibabel(shared_data: Path, name: str) -> None:
    path = shared_data / "scans" / f"{name}.nii.gz"
    viewer = ViewerModel()
    layer = add(viewer, read_volume(path))
    for held in voxels_of(layer):
        reading = describe(viewer, layer.data_to_world(held))
        assert reading.voxel == held[::-1]
        assert reading.place is not None
        value, centre = by_nibabel(path, reading.place)
        np.testing.assert_allclose(reading.place, centre, atol=MM)
        assert reading.value == pytest.approx(float(value), rel=1e-6, abs=1e-9)
        assert (reading.unit, reading.anatomical) == ("mm", True)


def test_an_oblique_dicom_series_is_where_simpleitk_has_it(shared_data: Path) -> None:
    folder = shared_data / "dicom" / "t1post_oblique"
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    judge = reader.Execute()
    viewer = ViewerModel()
    layer = add(viewer, read_volume(folder))
    for held in voxels_of(layer):
        reading = describe(viewer, layer.data_to_world(held))
        assert reading.place is not None
        lps = np.array(reading.place) * (-1, -1, 1)
        index = judge.TransformPhysicalPointToIndex(lps.tolist())
        np.testing.assert_allclose(judge.TransformIndexToPhysicalPoint(index), lps, atol=MM)
        assert reading.value == judge[index]


@pytest.mark.parametrize("names", [("chris_t1", "chris_PD"), ("chris_PD", "chris_t1")])
def test_of_a_scan_on_another_grid_the_place_is_true(shared_data: Path, names: tuple[str, str]) -> None:
    paths = [shared_data / "scans" / f"{name}.nii.gz" for name in names]
    viewer = ViewerModel()
    first, second = (add(viewer, read_volume(path)) for path in paths)
    assert isinstance(second.data, Onto)
    grid: Any = nib.load(paths[0])
    for held in voxels_of(second):
        reading = describe(viewer, first.data_to_world(held))
        assert reading.image == names[1]
        assert reading.place is not None
        index = np.linalg.solve(grid.affine, (*reading.place, 1))[:3]
        np.testing.assert_allclose(index, np.round(index), atol=MM)  # a voxel's middle of the grid it is shown on
        assert reading.value == second.data[held]
        second.visible = False
        below = describe(viewer, first.data_to_world(held))
        assert below.place == pytest.approx(reading.place, abs=MM)
        assert below.value == by_nibabel(paths[0], reading.place)[0]
        second.visible = True


def test_between_voxels_the_place_moves_as_far_as_the_mouse(shared_data: Path) -> None:
    viewer = ViewerModel()
    layer = add(viewer, read_volume(shared_data / "scans" / "MR_Gd.nii.gz"))
    start = np.array(layer.data_to_world((60, 70, 80)))
    first = describe(viewer, tuple(start)).place
    for step in ((3.3, 0, 0), (0, -2.7, 0), (0, 0, 5.1), (1.1, 2.2, -3.3)):
        moved = describe(viewer, tuple(start + step)).place
        assert first is not None
        assert moved is not None
        assert np.linalg.norm(np.subtract(moved, first)) == pytest.approx(np.linalg.norm(step), abs=MM)


def test_labels_tell_their_class(shared_data: Path) -> None:
    viewer = ViewerModel()
    scan = add(viewer, read_volume(shared_data / "scans" / "example_ct_sm.nii.gz"))
    path = shared_data / "scans" / "example_seg.nii.gz"
    labels = add(viewer, read_volume(path), as_labels=True)
    at = tuple(int(i) for i in np.argwhere(labels.data == 5)[0])
    reading = describe(viewer, labels.data_to_world(at), is_ct=lambda image: image is scan)
    assert (reading.class_id, reading.class_name, reading.value_unit) == (5, "liver", "HU")
    assert reading.place is not None
    assert by_nibabel(path, reading.place)[0] == 5
    assert reading.value == scan.data[at]
    labels.features = {"index": [5], "name": ["organ"]}
    assert describe(viewer, labels.data_to_world(at)).class_name == "organ"
    nothing = tuple(int(i) for i in np.argwhere(labels.data == 0)[0])
    assert describe(viewer, labels.data_to_world(nothing)).class_id == 0


def test_series_and_channels_tell_which_one_is_shown() -> None:
    data = np.random.default_rng(0).normal(size=(4, 5, 6, 2, 3)).astype(np.float32)
    volume = Volume(data=data, geometry=Geometry.from_spacing((2, 1, 1)), channels=("flair", "t1"), timed=True)
    viewer = ViewerModel()
    layer = add(viewer, volume)
    reading = describe(viewer, layer.data_to_world((2, 1, 3, 2, 4)))
    assert reading.value == data[3, 2, 4, 1, 2]
    assert (reading.channel, reading.time_point, reading.voxel) == ("t1", 2, (4, 2, 3))


def test_beside_the_scan_only_the_place_is_told() -> None:
    viewer = ViewerModel()
    volume = Volume(data=np.zeros((4, 5, 6), np.uint8), geometry=Geometry.from_spacing((2, 1, 1)))
    layer = add(viewer, volume)
    reading = describe(viewer, layer.data_to_world((2, 2, 70)))
    assert (reading.voxel, reading.value, reading.place) == (None, None, (70, 2, 4))
    assert one_line(reading) == "x 70.0 y 2.0 z 4.0 mm"
    assert one_line(describe(ViewerModel(), (0.0, 0.0))) == ""


def test_colours_are_told_one_by_one() -> None:
    viewer = ViewerModel()
    layer = viewer.add_image(np.full((4, 5, 6, 3), (10, 20, 30), np.uint8), rgb=True)
    assert describe(viewer, layer.data_to_world((1, 2, 3))).value == (10, 20, 30)


def test_an_object_is_told_once_it_is_known() -> None:
    viewer = ViewerModel()
    labels = viewer.add_labels(np.full((3, 3, 3), 2, np.uint8), name="mine")
    asked: list[Any] = []

    def find(layer: Any, index: Any, class_id: int) -> tuple[int, str] | None:
        asked.append((layer, index, class_id))
        return (4, "1.7 mL") if len(asked) > 1 else None

    assert describe(viewer, (1, 1, 1), find_object=find).object_number is None
    assert one_line(describe(viewer, (1, 1, 1), find_object=find)).startswith("class 2 · object 4: 1.7 mL")
    assert asked == [(labels, (1, 1, 1), 2)] * 2


def test_the_line_reads_as_people_do() -> None:
    reading = Reading(
        voxel=(93, 128, 95), place=(12.34, -4.5, -0.04), unit="mm", anatomical=True, image="head", value=142.0,
        value_unit="HU", labels="mine", class_id=1, class_name="grey matter", object_number=2, object_size="1.7 mL",
    )  # fmt: skip
    line = "142 HU · grey matter (1) · R 12.3 A -4.5 S 0.0 mm · voxel 93, 128, 95 · object 2: 1.7 mL"
    assert one_line(reading) == line
    assert many_lines(reading).splitlines() == [
        "head: 142 HU", "mine: grey matter (1), object 2: 1.7 mL", "R 12.3 A -4.5 S 0.0 mm", "voxel 93, 128, 95",
    ]  # fmt: skip
    series = Reading(image="run", value=-0.00037, channel="t1", time_point=3, place=(1, 2, 3), unit="voxels")
    assert one_line(series) == "-0.00037 (t1) at time point 3"


def test_of_several_images_each_value_has_its_name() -> None:
    """The topmost first; names of files are cut, so that the place is seen."""
    viewer = ViewerModel()
    viewer.add_image(np.full((3, 3, 3), 7.123456, np.float32), name="T1_N4_noneck_reduced_winsor")
    viewer.add_image(np.full((3, 3, 3), 9, np.uint8), name="hidden", visible=False)
    viewer.add_image(np.full((3, 3, 3), 210, np.uint8), name="FLAIR")
    reading = describe(viewer, (1, 1, 1))
    assert [name for name, _ in reading.also] == ["T1_N4_noneck_reduced_winsor"]
    assert one_line(reading).startswith("FLAIR 210 · T1_N4_noneck_… 7.123 · ")
