"""Labels that grow on disk: a kill at any file operation costs the box in work and never counts what is not there."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.storage import LocalStore

from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import SaveProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.core.volume import Geometry
from napari_vol3d.io import label_store, progress_file
from napari_vol3d.io.label_store import PROGRESS, LabelSpec, LabelStore, partial_of
from napari_vol3d.io.registry import is_volume_file, read_volume
from tests.io.nifti_phantom import affine_for, phantom, save

SHAPE = (21, 34, 17)
IDS = np.random.default_rng(0).integers(0, 4, SHAPE, dtype=np.uint8) * 70
BOXES = [tile.core for tile in TilePlan(shape=SHAPE, patch_size=(12, 16, 12), halo=2, multiple=2)]
CLASSES = (LabelClass(id=70, name="left <kidney>", color="#e69f00"), LabelClass(id=210, name="脾", color="#0080ff"))
SPEC = LabelSpec(
    geometry=Geometry.from_spacing((2.5, 0.5, 0.25), unit="um", origin=(7.0, -8.0, 9.5)),
    shape=SHAPE, dtype=np.dtype(np.uint8), classes=CLASSES, run="model+scan+plan", chunks=(8, 10, 16),
)  # fmt: skip


def fill(store: LabelStore, ids=IDS, boxes=BOXES) -> LabelStore:
    done = set(store.finished)
    for box in boxes:
        if box not in done:
            store.write(box, ids[box.slices])
    return store


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_boxes_that_cut_chunks_make_the_whole(tmp_path):
    store = LabelStore.create(tmp_path / "labels.ome.zarr", SPEC)
    assert names_in(tmp_path) == ["labels.ome.zarr.partial"]
    assert not is_volume_file(store.partial)
    fill(store)
    assert store.finished == BOXES
    assert store.finish() == tmp_path / "labels.ome.zarr"
    assert names_in(tmp_path) == ["labels.ome.zarr"]
    volume = read_volume(tmp_path / "labels.ome.zarr")
    np.testing.assert_array_equal(volume.data, IDS)
    assert (volume.shape, volume.data.dtype, volume.is_labels) == (SHAPE, np.uint8, True)
    assert volume.classes == CLASSES
    assert (volume.geometry.unit, volume.name) == ("um", "labels")
    np.testing.assert_array_equal(volume.geometry.affine, SPEC.geometry.affine)
    assert not list((tmp_path / "labels.ome.zarr").rglob(PROGRESS))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    shape=st.tuples(*[st.integers(1, 14)] * 3), patch=st.tuples(*[st.sampled_from((6, 8, 10))] * 3),
    chunks=st.tuples(*[st.integers(1, 9)] * 3), order=st.randoms(use_true_random=False),
)  # fmt: skip
def test_any_plan_in_any_order_on_any_chunks(tmp_path, shape, patch, chunks, order):
    ids = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    boxes = [tile.core for tile in TilePlan(shape=shape, patch_size=patch, halo=2, multiple=2)]
    order.shuffle(boxes)
    spec = replace(SPEC, shape=shape, dtype=np.dtype(np.uint16), chunks=chunks)
    target = tmp_path / "a.zarr"
    fill(LabelStore.create(target, spec, overwrite=True), ids, boxes).finish()
    np.testing.assert_array_equal(read_volume(target).data, ids)


def test_other_programs_find_an_ome_label_image(tmp_path):
    path = fill(LabelStore.create(tmp_path / "a.zarr", SPEC)).finish()
    group = zarr.open_group(LocalStore(path), mode="r")
    ome = group.attrs["ome"]
    (image,) = ome["multiscales"]
    assert (ome["version"], group.metadata.zarr_format) == ("0.5", 3)
    assert image["axes"] == [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    assert image["datasets"] == [
        {
            "path": "0",
            "coordinateTransformations": [
                {"type": "scale", "scale": [2.5, 0.5, 0.25]}, {"type": "translation", "translation": [7.0, -8.0, 9.5]},
            ],
        }
    ]  # fmt: skip
    assert ome["image-label"] == {
        "colors": [{"label-value": 70, "rgba": [230, 159, 0, 255]}, {"label-value": 210, "rgba": [0, 128, 255, 255]}],
        "properties": [{"label-value": 70, "name": "left <kidney>"}, {"label-value": 210, "name": "脾"}],
    }
    assert "napari_vol3d" not in group.attrs
    np.testing.assert_array_equal(group["0"][...], IDS)


@pytest.mark.parametrize("code", ["RAS", "PIR", "LSA"])
@pytest.mark.parametrize("degrees", [0, 17])
def test_patients_keep_their_place(tmp_path, code, degrees):
    scan = read_volume(save(tmp_path / "scan.nii.gz", phantom(), affine_for(code, degrees)))
    spec = replace(SPEC, geometry=scan.geometry, shape=scan.shape)
    store = LabelStore.create(tmp_path / "a.zarr", spec)
    store.write(Box.of(scan.shape), scan.data)
    found = read_volume(store.finish())
    np.testing.assert_array_equal(found.geometry.affine, scan.geometry.affine)
    assert (found.geometry.anatomical, found.geometry.unit) == (True, "mm")
    assert found.geometry.matches(scan.geometry)


def test_real_scans_keep_their_place(shared_data, tmp_path):
    for path in sorted((shared_data / "scans").glob("*.nii.gz")):
        scan = read_volume(path)
        spec = replace(SPEC, geometry=scan.geometry, shape=scan.shape)
        found = read_volume(LabelStore.create(tmp_path / f"{path.name}.zarr", spec).finish())
        np.testing.assert_array_equal(found.geometry.affine, scan.geometry.affine, err_msg=path.name)
        assert (found.shape, found.geometry.spacing) == (scan.shape, scan.geometry.spacing)


def test_a_voxel_size_that_another_program_changed_counts(tmp_path):
    scan = read_volume(save(tmp_path / "scan.nii.gz", phantom(), affine_for("RAS", 17)))
    path = LabelStore.create(tmp_path / "a.zarr", replace(SPEC, geometry=scan.geometry)).finish()
    group = zarr.open_group(LocalStore(path), mode="r+")
    ome = dict(group.attrs["ome"])
    ome["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"] = [3, 2, 1]
    group.attrs["ome"] = ome
    assert read_volume(path).geometry.spacing == (3, 2, 1)


def test_a_run_is_continued_where_it_was_left(tmp_path):
    target = tmp_path / "a.zarr"
    fill(LabelStore.create(target, SPEC), boxes=BOXES[:5])
    store = LabelStore.resume_or_create(target, SPEC)
    assert store.finished == BOXES[:5]
    fill(store, boxes=BOXES[5:]).finish()
    np.testing.assert_array_equal(read_volume(target).data, IDS)


@pytest.mark.parametrize(
    "change", [{"run": "another"}, {"shape": (21, 34, 18)}, {"dtype": np.dtype(np.uint16)}], ids=lambda c: next(iter(c))
)
def test_another_run_starts_anew(tmp_path, change):
    fill(LabelStore.create(tmp_path / "a.zarr", SPEC), boxes=BOXES[:5])
    spec = replace(SPEC, **change)
    store = LabelStore.resume_or_create(tmp_path / "a.zarr", spec)
    assert store.finished == []
    assert (store.shape, store.dtype) == (spec.shape, spec.dtype)
    assert not np.asarray(read_volume(store.finish()).data).any()


def test_lines_that_were_cut_or_damaged_do_not_count(tmp_path):
    target = tmp_path / "a.zarr"
    fill(LabelStore.create(target, SPEC), boxes=BOXES[:4])
    log = partial_of(target) / PROGRESS
    lines = log.read_bytes().splitlines(keepends=True)
    for content, counted in (
        (b"".join(lines[:4]) + lines[4][:-1], 3), (b"".join(lines[:4]) + b'{"sta', 3), (b"".join(lines) + b"\0" * 9, 4),
        (b"".join([*lines[:2], b"x\n", *lines[3:]]), 3), (b"".join([*lines, b'{"start":[0,0,0]}\n', b"7\n"]), 4),
        (b"".join([*lines, b'{"start":[0,0,0],"stop":[99,1,1],"crc32":1}\n']), 4), (lines[0], 0), (lines[0][:-1], 0),
        (b"", 0), (b"nothing\n", 0),
    ):  # fmt: skip
        log.write_bytes(content)
        store = LabelStore.resume_or_create(target, SPEC)
        assert len(store.finished) == counted
        fill(store, boxes=BOXES[4:5])  # the next line begins a line of its own
        assert len(LabelStore.resume_or_create(target, SPEC).finished) == counted + 1


@pytest.mark.parametrize("kind", ["lost", "changed"])
def test_a_chunk_that_is_lost_or_changed_is_noticed_and_written_again(tmp_path, kind):
    target = tmp_path / "a.zarr"
    store = fill(LabelStore.create(target, SPEC))
    chunk = store.partial / "0" / "c" / "2" / "3" / "1"
    damaged = bytearray(chunk.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    chunk.write_bytes(damaged)
    if kind == "lost":
        chunk.unlink()
    with pytest.raises(SaveProblem, match=r"1 of its parts did not read back the same.* Run it again"):
        store.finish()
    assert not target.exists()
    again = LabelStore.resume_or_create(target, SPEC)
    assert 0 < len(again.finished) < len(BOXES)
    fill(again).finish()
    np.testing.assert_array_equal(read_volume(target).data, IDS)


def test_a_box_may_be_written_again(tmp_path):
    store = fill(LabelStore.create(tmp_path / "a.zarr", SPEC))
    store.write(BOXES[3], np.zeros_like(IDS[BOXES[3].slices]))
    assert len(store.finished) == len(BOXES)
    store.finish()
    meant = IDS.copy()
    meant[BOXES[3].slices] = 0
    np.testing.assert_array_equal(read_volume(tmp_path / "a.zarr").data, meant)


def test_what_does_not_fit_is_refused_and_not_counted(tmp_path):
    store = LabelStore.create(tmp_path / "a.zarr", SPEC)
    box = Box(start=(0, 0, 0), stop=(2, 3, 4))
    for where, ids in (
        (box, np.zeros((2, 3, 5), int)), (box, np.full((2, 3, 4), 256)), (box, np.full((2, 3, 4), -1)),
        (box, np.full((2, 3, 4), 0.5)), (box.shifted((-1, 0, 0)), np.zeros((2, 3, 4), int)),
        (box.shifted((20, 0, 0)), np.zeros((2, 3, 4), int)), (Box.of((0, 3, 4)), np.zeros((0, 3, 4), int)),
    ):  # fmt: skip
        with pytest.raises(Vol3dError):
            store.write(where, ids)
    assert store.finished == []
    store.write(box, np.full((2, 3, 4), 255.0))
    with pytest.raises(Vol3dError, match="disjoint"):
        store.write(box.shifted((1, 0, 0)), np.zeros((2, 3, 4), int))
    assert store.finished == [box]
    with pytest.raises(Vol3dError, match="unsigned"):
        LabelStore.create(tmp_path / "b.zarr", replace(SPEC, dtype=np.dtype(np.int16)))


def test_what_stands_in_the_way_is_left_alone(tmp_path):
    target, picture = tmp_path / "a.zarr", tmp_path / "a.zarr" / "picture.png"
    target.mkdir()
    picture.write_bytes(b"dear")
    for overwrite in (False, True):
        with pytest.raises(SaveProblem, match=r"a\.zarr was not saved"):
            LabelStore.create(target, SPEC, overwrite=overwrite)
    assert picture.read_bytes() == b"dear"
    partial = partial_of(tmp_path / "b.zarr")
    partial.mkdir()
    (partial / "mine.txt").write_bytes(b"dear")
    with pytest.raises(SaveProblem, match="in the way"):
        LabelStore.resume_or_create(tmp_path / "b.zarr", SPEC)
    assert (partial / "mine.txt").read_bytes() == b"dear"
    with pytest.raises(SaveProblem, match="folder that exists"):
        LabelStore.create(tmp_path / "none" / "c.zarr", SPEC)


def test_an_older_result_is_replaced_only_on_request_and_in_the_end(tmp_path):
    target = tmp_path / "a.zarr"
    fill(LabelStore.create(target, SPEC), IDS // 70).finish()
    with pytest.raises(SaveProblem, match="already there"):
        LabelStore.create(target, SPEC)
    store = fill(LabelStore.create(target, SPEC, overwrite=True))
    np.testing.assert_array_equal(read_volume(target).data, IDS // 70)
    store.finish()
    np.testing.assert_array_equal(read_volume(target).data, IDS)
    assert names_in(tmp_path) == ["a.zarr"]


def test_a_result_that_appeared_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "a.zarr"
    store = fill(LabelStore.create(target, SPEC))
    target.mkdir()
    with pytest.raises(SaveProblem, match="already there"):
        store.finish()
    target.rmdir()
    store.finish()


def test_a_rename_that_fails_puts_the_older_result_back(tmp_path, monkeypatch):
    target = tmp_path / "a.zarr"
    fill(LabelStore.create(target, SPEC), IDS // 70).finish()
    store = fill(LabelStore.create(target, SPEC, overwrite=True))
    rename = Path.rename

    def refuse(path, to):
        if path == store.partial:
            raise OSError(errno.EACCES, "Permission denied")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(SaveProblem, match="Permission denied"):
        store.finish()
    monkeypatch.undo()
    np.testing.assert_array_equal(read_volume(target).data, IDS // 70)
    store.finish()
    np.testing.assert_array_equal(read_volume(target).data, IDS)


def test_a_full_disk_is_said_and_what_was_counted_stays(tmp_path, monkeypatch):
    target = tmp_path / "a.zarr"
    store = fill(LabelStore.create(target, SPEC), boxes=BOXES[:3])

    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(label_store, "make_durable", full)
    monkeypatch.setattr(progress_file, "make_durable", full)
    with pytest.raises(SaveProblem, match=r"No space left on device.* Free some space"):
        store.write(BOXES[3], IDS[BOXES[3].slices])
    monkeypatch.undo()
    assert LabelStore.resume_or_create(target, SPEC).finished == BOXES[:3]
    fill(LabelStore.resume_or_create(target, SPEC)).finish()
    np.testing.assert_array_equal(read_volume(target).data, IDS)


# One process that forks for each kill, before zarr has threads: the file operation at which the child kills itself is
# counted by an audit hook. What a resumed run leaves is compared byte for byte with what an uninterrupted one leaves.
KILLS = """
import json, os, signal, sys
from pathlib import Path
from tests.io.test_label_store import BOXES, IDS, SPEC, LabelStore, fill, partial_of

folder = Path(sys.argv[1])
WATCHED = ("open", "os.rename", "os.mkdir", "os.remove", "os.truncate", "shutil.rmtree", "os.rmdir")

def in_child(work):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)

def run(target, kill_at=None):
    seen = 0
    def watch(event, arguments):
        nonlocal seen
        if event in WATCHED and str(folder) in str(arguments):
            seen += 1
            if seen == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
    if kill_at:
        sys.addaudithook(watch)
    fill(LabelStore.resume_or_create(target, SPEC)).finish()

def tree(target):
    return {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()}

assert in_child(lambda: run(folder / "whole.zarr")) == 0
whole = {name: content.replace(b"whole", b"other") for name, content in tree(folder / "whole.zarr").items()}
told = {"killed": 0, "equal": 0, "counted": []}
for kill_at in json.loads(sys.argv[2]):
    target = folder / str(kill_at) / "other.zarr"
    target.parent.mkdir()
    code = in_child(lambda: run(target, kill_at))
    told["killed"] += code == -signal.SIGKILL
    log = partial_of(target) / "napari_vol3d_progress.jsonl"
    told["counted"].append(log.read_bytes().count(b"crc32") if log.exists() else -1)
    if not target.exists():  # else the kill came after the last rename
        assert in_child(lambda: run(target)) == 0
    left = tree(target)
    left.pop("napari_vol3d_progress.jsonl", None)
    told["equal"] += left == whole
print(json.dumps(told))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills itself in a fork")
def test_a_kill_at_any_file_operation_costs_no_voxel(tmp_path):
    moments = [*range(1, 26, 6), *range(31, 700, 60)]
    ran = subprocess.run(
        [sys.executable, "-c", KILLS, str(tmp_path), json.dumps(moments)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["equal"] == len(moments)
    assert len(moments) > told["killed"] > 10  # the last moments lie behind the end
    assert len(set(told["counted"])) > 6  # before the store was there, in the middle, near the end
