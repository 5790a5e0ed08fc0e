"""Labels beside their image: another program finds them, and what was there before is never lost."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import label_image
from napari_vol3d.io.label_image import image_of, steps_of, write_label_image
from napari_vol3d.io.nifti import read_nifti
from napari_vol3d.io.ome_zarr import label_paths, read_levels, read_zarr
from napari_vol3d.io.times import time_step, with_time_step
from tests.io.nifti_phantom import affine_for, phantom, save
from tests.io.zarr_phantom import DATA, SCALE, SHAPE, SHIFT, axes_of, edit, write_image

CLASSES = (LabelClass(id=1, name="left <kidney>", color="#e69f00"), LabelClass(id=300, name="脾", color="#0080ff"))
IDS = np.random.default_rng(0).integers(0, 2, SHAPE).astype(np.int64)
IDS[2, 3, 4] = 300
GEOMETRY = Geometry.from_spacing((2.0, 0.5, 0.25), unit="um", origin=(1.0, 2.0, 3.0))


def files_in(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def read_elsewhere(path: Path) -> list:
    """What the reference implementation finds in a folder."""
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    return list(Reader(parse_url(str(path)))())


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_other_programs_find_them_beside_the_image(tmp_path, version):
    path = write_image(tmp_path / "scan.zarr", version=version)
    before = files_in(path)
    labels = read_zarr(path).with_data(IDS, classes=CLASSES)
    for name in ("cells", "nuclei", "cells"):
        write_label_image(path / "labels" / name, labels)
    image, _, *found = read_elsewhere(path)
    assert [node.metadata["name"] for node in found] == ["cells", "nuclei"]
    np.testing.assert_array_equal(image.data[0].compute(scheduler="synchronous"), DATA)
    for node in found:
        np.testing.assert_array_equal(node.data[0].compute(scheduler="synchronous"), IDS)
        assert node.data[0].dtype == np.uint16
        assert {key: value["name"] for key, value in node.metadata["properties"].items()} == {
            1: "left <kidney>", 300: "脾"
        }  # fmt: skip
        np.testing.assert_allclose(np.array(node.metadata["color"][300]) * 255, [0, 128, 255, 255])
        scale, shift = node.metadata["coordinateTransformations"][0]
        assert (scale["scale"], shift["translation"]) == (SCALE, SHIFT)
        assert [axis["unit"] for axis in node.metadata["axes"]] == ["micrometer"] * 3
    assert label_paths(path) == (path / "labels" / "cells", path / "labels" / "nuclei")
    assert (path / "labels" / "cells" / "zarr.json").is_file() == (version == "0.5")
    after = files_in(path)
    assert {name: after[name] for name in before} == before
    assert not [name for name in after if ".saving" in name]
    volume = read_zarr(path / "labels" / "cells")
    assert (volume.is_labels, volume.classes, volume.data.dtype) == (True, CLASSES, np.uint16)
    assert volume.geometry.matches(labels.geometry)


@pytest.mark.parametrize("shape", [(9, 600, 500), (300, 300, 40), (1, 1100, 2)])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_levels_are_every_other_voxel_until_they_are_small(tmp_path, shape, version):
    ids = np.random.default_rng(0).integers(0, 9, shape).astype(np.uint8)
    image = write_image(tmp_path / "scan.zarr", version=version)
    path = write_label_image(image / "labels" / "a", Volume(data=ids, geometry=GEOMETRY))
    levels, steps = read_levels(path), steps_of(shape, GEOMETRY)
    assert len(levels) == len(steps) > 1
    assert max(levels[-1].shape[1:]) < 256 <= max(levels[-2].shape[1:])
    for level, (z, y, x) in zip(levels, steps, strict=True):
        np.testing.assert_array_equal(level.data, ids[::z, ::y, ::x])
        assert level.geometry.spacing == (2.0 * z, 0.5 * y, 0.25 * x)
    (node,) = (one for one in read_elsewhere(path) if one.metadata.get("name") == "a")
    assert [data.shape for data in node.data] == [level.shape for level in levels]


def test_voxels_become_cubes():
    assert steps_of((100, 1000, 1000), GEOMETRY) == [(1, 1, 1), (1, 1, 2), (1, 2, 4), (1, 4, 8)]
    assert steps_of((10, 255, 255), GEOMETRY) == [(1, 1, 1)]
    cubes = Geometry.from_spacing((1, 1, 1))
    assert steps_of((400, 400, 100), cubes) == [(1, 1, 1), (2, 2, 2)]
    assert steps_of((1, 400, 400), cubes)[-1] == (1, 2, 2)


@pytest.mark.parametrize("top", [1, 255, 256, 65535, 65536, 2**32 - 1])
def test_ids_are_kept_in_the_smallest_type(tmp_path, top):
    ids = IDS.copy()
    ids[0, 0, 0] = top
    ids[ids == 300] = 1
    path = write_label_image(tmp_path / "a.ome.zarr", Volume(data=ids, geometry=GEOMETRY, is_labels=True))
    found = read_zarr(path)
    assert (found.data.dtype, found.name) == (np.min_scalar_type(top), "a")
    np.testing.assert_array_equal(found.data, ids)
    (node,) = read_elsewhere(path)
    np.testing.assert_array_equal(node.data[0].compute(scheduler="synchronous"), ids)


@pytest.mark.parametrize("frames", [1, 4])
@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_with_time(tmp_path, version, frames):
    scan = np.zeros((4, *SHAPE), np.uint8)
    path = write_image(tmp_path / "scan.zarr", scan, axes=axes_of("tzyx"), version=version)
    ids = np.random.default_rng(0).integers(0, 5, (*SHAPE, frames))
    volume = Volume(data=ids, geometry=with_time_step(GEOMETRY, 2.5), timed=True)
    labels = write_label_image(path / "labels" / "a", volume)
    found = read_zarr(labels)
    assert (found.timed, time_step(found)) == (frames > 1, 2.5 if frames > 1 else None)
    np.testing.assert_array_equal(found.data, ids if frames > 1 else ids[..., 0])
    node = read_elsewhere(path)[-1]
    np.testing.assert_array_equal(node.data[0].compute(scheduler="synchronous"), np.moveaxis(ids, -1, 0))
    assert node.metadata["axes"][0] == {"name": "t", "type": "time", "unit": "second"}


@pytest.mark.parametrize("code", ["RAS", "PIR"])
def test_patients_keep_their_place(tmp_path, code):
    scan = read_nifti(save(tmp_path / "scan.nii.gz", phantom(), affine_for(code, 17)))
    found = read_zarr(write_label_image(tmp_path / "a.zarr", scan))
    np.testing.assert_array_equal(found.geometry.affine, scan.geometry.affine)
    assert found.geometry.anatomical
    np.testing.assert_array_equal(found.data, scan.data)


def test_levels_of_a_patient_lie_where_the_finest_lies(tmp_path):
    ids = np.random.default_rng(0).integers(0, 4, (280, 300, 20)).astype(np.uint8)
    scan = read_nifti(save(tmp_path / "scan.nii.gz", ids, affine_for("LSA", 17)))
    levels = read_levels(write_label_image(tmp_path / "a.zarr", scan))
    assert len(levels) > 1
    for level, steps in zip(levels, steps_of(scan.shape, scan.geometry), strict=True):
        at = np.array([n - 1 for n in level.shape])
        world = scan.geometry.affine @ [*(at * steps), 1]
        np.testing.assert_allclose(level.geometry.affine @ [*at, 1], world, atol=1e-6)
        assert level.data[tuple(at)] == scan.data[tuple(at * steps)]
        assert level.geometry.anatomical


def test_only_labels_are_replaced(tmp_path):
    path = write_image(tmp_path / "scan.zarr")
    zarr.create_array(LocalStore(tmp_path / "array.zarr"), data=DATA)
    zarr.create_group(LocalStore(path / "labels"), zarr_format=3)
    write_image(path / "labels" / "depth")
    (tmp_path / "folder.zarr").mkdir()
    before = files_in(tmp_path)
    volume = Volume(data=IDS, geometry=GEOMETRY)
    for target in (path, path / "0", path / "labels", path / "labels" / "depth", *tmp_path.glob("[af]*.zarr")):
        with pytest.raises(SaveProblem, match="was not saved"):
            write_label_image(target, volume)
    assert files_in(tmp_path) == before


def test_labels_that_are_none_are_not_saved(tmp_path):
    volume = Volume(data=np.zeros((2, 3, 4, 2), np.uint8), geometry=GEOMETRY, channels=("a", "b"))
    with pytest.raises(SaveProblem, match="several channels"):
        write_label_image(tmp_path / "a.zarr", volume)
    assert list(tmp_path.iterdir()) == []


def test_other_entries_of_the_list_stay(tmp_path):
    path = write_image(tmp_path / "scan.zarr")
    zarr.create_group(LocalStore(path / "labels"), attributes={"mine": 1, "ome": {"version": "0.5", "labels": ["x"]}})
    edit(path / "labels" / "zarr.json", lambda c: c.update(consolidated_metadata={"metadata": {}}))
    write_label_image(path / "labels" / "y", Volume(data=IDS, geometry=GEOMETRY))
    group = zarr.open_group(LocalStore(path / "labels"), mode="r")
    assert dict(group.attrs) == {"mine": 1, "ome": {"version": "0.5", "labels": ["x", "y"]}}
    assert group.metadata.consolidated_metadata is None


def test_labels_belong_to_images_only(tmp_path):
    path = write_image(tmp_path / "scan.zarr")
    assert image_of(path / "labels" / "a") == path
    for target in (path / "a", path / "0" / "labels" / "a", tmp_path / "labels" / "a.zarr"):
        assert image_of(target) is None


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_save_that_fails_leaves_what_was_there(tmp_path, monkeypatch, version):
    path = write_image(tmp_path / "scan.zarr", version=version)
    target = path / "labels" / "cells"
    write_label_image(target, Volume(data=IDS, geometry=GEOMETRY))
    before = files_in(path)
    other = Volume(data=IDS + 1, geometry=GEOMETRY)

    def full(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(label_image, "make_durable", full)
        with pytest.raises(SaveProblem, match=r"No space left.*Free some space"):
            write_label_image(target, other)
    assert files_in(path) == before
    with monkeypatch.context() as patch:
        # As on a disk that loses what was written: what is there is something else.
        level = label_image._level
        patch.setattr(label_image, "_level", lambda *what: np.where(level(*what) == 301, 0, level(*what)))
        with pytest.raises(SaveProblem, match="did not read back the same"):
            write_label_image(target, other)
    assert files_in(path) == before
    write_label_image(target, other)
    np.testing.assert_array_equal(read_zarr(target).data, IDS + 1)


def test_chunks_of_background_are_on_the_disk(tmp_path):
    path = write_label_image(tmp_path / "a.zarr", Volume(data=np.zeros(SHAPE, np.uint8), geometry=GEOMETRY))
    assert (path / "0" / "c" / "0" / "0" / "0").is_file()


def test_a_chunk_that_was_lost_does_not_pass_for_background(tmp_path):
    labels = Volume(data=np.ones((70, 10, 10), np.uint8), geometry=Geometry.from_spacing((1, 1, 1)), is_labels=True)
    path = write_label_image(tmp_path / "a.ome.zarr", labels)
    (path / "0" / "c" / "1" / "0" / "0").unlink()
    found = read_zarr(path)
    assert found.data[:60].all()
    with pytest.raises(FileProblem, match="c/1/0/0 is missing"):
        np.asarray(found.data)


def test_a_damaged_list_of_labels_is_told_before_anything_is_replaced(tmp_path):
    image = write_image(tmp_path / "i.ome.zarr")
    scan = read_zarr(image)
    target = image / "labels" / "cells"
    write_label_image(target, scan.with_data(np.full(scan.shape, 1, np.uint8), is_labels=True))
    for damage in ("{", "[]", '{"attributes": []}', '{"attributes": {"ome": {"labels": 5}}}'):
        (image / "labels" / "zarr.json").write_text(damage, encoding="utf-8")
        with pytest.raises(SaveProblem, match="cells was not saved"):
            write_label_image(target, scan.with_data(np.full(scan.shape, 2, np.uint8), is_labels=True))
        assert set(np.unique(read_zarr(target).data)) == {1}
