"""Plates, wells and series: each image is found by its key, and none is taken in silence."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from napari_vol3d.core.errors import FileProblem
from napari_vol3d.io.ome_zarr import read_levels, read_zarr
from napari_vol3d.io.parts import SeveralParts
from tests.io.zarr_phantom import DATA, edit, write_image


def group(path, version, attributes):
    kind = 3 if version == "0.5" else 2
    told = {"ome": {"version": "0.5", **attributes}} if version == "0.5" else attributes
    zarr.create_group(LocalStore(path), zarr_format=kind, attributes=told)
    return path


def plate(path, version, fields=2):
    wells = [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}, {"path": "B/2", "rowIndex": 1, "columnIndex": 1}]
    group(path, version, {"plate": {"rows": [{"name": "A"}, {"name": "B"}], "columns": [], "wells": wells}})
    for row, well in enumerate(wells):
        images = [{"path": str(field)} for field in range(fields)]
        group(path / well["path"], version, {"well": {"images": images}})
        for field in range(fields):
            write_image(path / well["path"] / str(field), DATA + 10 * row + field, version=version)
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_each_field_of_each_well_is_a_part(tmp_path, version):
    path = plate(tmp_path / "plate.zarr", version)
    with pytest.raises(SeveralParts) as several:
        read_zarr(path)
    assert [part.key for part in several.value.parts] == ["A/1/0", "A/1/1", "B/2/0", "B/2/1"]
    assert several.value.parts[2].title == "well B2, field 0"
    volume = read_zarr(path, "B/2/1")
    assert volume.source == path / "B" / "2" / "1"
    np.testing.assert_array_equal(volume.data, DATA + 11)
    np.testing.assert_array_equal(read_levels(path, "A/1/1")[1].data, (DATA + 1)[::2, ::2, ::2])
    np.testing.assert_array_equal(read_zarr(path / "B" / "2", "1").data, DATA + 11)
    with pytest.raises(FileProblem, match="No part 'C/1/0'"):
        read_zarr(path, "C/1/0")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_one_field_opens_at_once_and_lost_wells_are_left_out(tmp_path, version):
    path = plate(tmp_path / "plate.zarr", version, fields=1)
    shutil.rmtree(path / "A")
    np.testing.assert_array_equal(read_zarr(path).data, DATA + 10)
    shutil.rmtree(path / "B")
    with pytest.raises(FileProblem, match=r"No image in plate\.zarr"):
        read_zarr(path)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_series_of_bioformats2raw(tmp_path, version, listed):
    path = group(tmp_path / "a.zarr", version, {"bioformats2raw.layout": 3})
    group(path / "OME", version, {"series": ["0", "1"]} if listed else {})
    write_image(path / "0", version=version)
    if listed:
        with pytest.raises(FileProblem, match=r"Missing image: a\.zarr has no '1'"):
            read_zarr(path, "0")
    else:
        np.testing.assert_array_equal(read_zarr(path).data, DATA)
    write_image(path / "1", DATA + 1, version=version, image={"name": "macro"})
    with pytest.raises(SeveralParts, match="2 volumes to choose from") as several:
        read_zarr(path)
    assert [(part.key, part.title) for part in several.value.parts] == [("0", "image 0"), ("1", "macro")]
    np.testing.assert_array_equal(read_zarr(path, "1").data, DATA + 1)


def test_several_multiscales_of_one_group(tmp_path):
    path = write_image(tmp_path / "a.zarr", image={"name": "raw"})

    def twice(content):
        images = content["attributes"]["ome"]["multiscales"]
        images.append({**images[0], "name": "coarse", "datasets": images[0]["datasets"][1:]})

    edit(path / "zarr.json", twice)
    with pytest.raises(SeveralParts):
        read_zarr(path)
    np.testing.assert_array_equal(read_zarr(path, "image 1").data, DATA)
    np.testing.assert_array_equal(read_zarr(path, "image 2").data, DATA[::2, ::2, ::2])


@pytest.mark.parametrize("name", ["../other.zarr", "/other.zarr"])
def test_images_outside_are_refused(tmp_path, name):
    write_image(tmp_path / "other.zarr")
    path = group(tmp_path / "a.zarr", "0.5", {"well": {"images": [{"path": name}]}})
    with pytest.raises(FileProblem, match=r"outside its folder|Missing image"):
        read_zarr(path)
    group(tmp_path / "b.zarr", "0.5", {"plate": {"wells": [{"path": "../other.zarr"}]}})
    with pytest.raises(FileProblem, match="outside its folder"):
        read_zarr(tmp_path / "b.zarr")


@pytest.mark.parametrize(
    "attributes", [{"plate": {}}, {"plate": {"wells": 3}}, {"well": {"images": [{}]}}, {"well": []}]
)
def test_damaged_metadata_are_one_sentence(tmp_path, attributes):
    with pytest.raises(FileProblem, match="Can't be read"):
        read_zarr(group(tmp_path / "a.zarr", "0.5", attributes))
