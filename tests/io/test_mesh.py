"""Surfaces in files, as other libraries read them: closed, in LPS, one file or group a class, never a half one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import meshio
import numpy as np
import pytest
import trimesh

from napari_vol3d.core.errors import FileProblem, SaveProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io import gate, mesh
from napari_vol3d.io.mesh import write_mesh
from tests.core.watched import geometry

SHAPE = (26, 44, 40)
OBLIQUE = geometry(17, (1.5, 0.7, 0.9))
CLASSES = (
    LabelClass(id=2, name="left  lobe", color="#d55e00"), LabelClass(id=300, name="Milz / 脾", color="#0072b2"),
    LabelClass(id=4, name="absent", color="#009e73"),
)  # fmt: skip


def centre_of(where: Geometry) -> np.ndarray:
    return where.affine[:3, :3] @ ((np.array(SHAPE) - 1) / 2) + where.affine[:3, 3]


def ball(where: Geometry = OBLIQUE, *, classes: int = 1) -> Volume:
    """A ball of radius 10 in the middle; of two classes, the upper part is the second."""
    world = where.affine[:3, :3] @ np.indices(SHAPE).reshape(3, -1) + where.affine[:3, 3:]
    data = (np.linalg.norm(world - centre_of(where)[:, None], axis=0) <= 10).reshape(SHAPE) * np.uint16(2)
    if classes == 2:
        data[SHAPE[0] // 2 :][data[SHAPE[0] // 2 :] > 0] = 300
    return Volume(data=data, geometry=where, is_labels=True, classes=CLASSES)


def with_meshio(path: Path) -> tuple[np.ndarray, np.ndarray]:
    found = meshio.read(path)
    return found.points, np.concatenate([cells.data for cells in found.cells])


@pytest.mark.parametrize("name", ["ball.stl", "ball.obj", "BALL.STL"])
def test_a_ball_as_another_library_reads_it(tmp_path: Path, name: str) -> None:
    volume = ball()
    assert write_mesh(tmp_path / name, volume) == tmp_path / name
    points, faces = with_meshio(tmp_path / name)
    found = trimesh.Trimesh(points, faces)  # merges the corners that an STL repeats
    assert found.is_watertight
    assert found.volume == pytest.approx((volume.data > 0).sum() * 1.5 * 0.7 * 0.9, rel=0.02)
    assert found.volume == pytest.approx(4 / 3 * np.pi * 1000, rel=0.02)
    np.testing.assert_allclose(found.center_mass, centre_of(OBLIQUE) * (-1, -1, 1), atol=0.1)


@pytest.mark.parametrize(("anatomical", "says"), [(True, b"napari-vol3d. SPACE=LPS;UNIT=mm"), (False, b"UNIT=um")])
def test_the_file_says_which_space_it_is_in(tmp_path: Path, anatomical: bool, says: bytes) -> None:
    where = OBLIQUE if anatomical else Geometry.from_spacing((1.5, 0.7, 0.9), unit="um", origin=(5.0, 6.0, 7.0))
    for name, length in (("a.stl", 80), ("a.obj", 60)):
        start = write_mesh(tmp_path / name, ball(where)).read_bytes()[:length]
        assert says in start
        assert (b"SPACE" in start) is anatomical
        assert not start.startswith(b"solid")  # then it would be taken for a text
        points, _ = with_meshio(tmp_path / name)
        middle = (points.min(axis=0) + points.max(axis=0)) / 2
        np.testing.assert_allclose(middle, centre_of(where) * ((-1, -1, 1) if anatomical else 1), atol=1)


def test_an_obj_holds_each_class_as_a_closed_group(tmp_path: Path) -> None:
    volume = ball(classes=2)
    path = write_mesh(tmp_path / "both.obj", volume)
    groups = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("g ")]
    assert groups == ["left_lobe", "Milz_/_脾"]  # the absent class has no surface
    points, _ = with_meshio(path)
    for cells, class_id in zip(meshio.read(path).cells, (2, 300), strict=True):
        found = trimesh.Trimesh(points, cells.data)
        assert found.is_watertight
        assert found.volume == pytest.approx((volume.data == class_id).sum() * 1.5 * 0.7 * 0.9, rel=0.03)


def test_several_classes_are_several_stl_files(tmp_path: Path) -> None:
    volume = ball(classes=2)
    assert write_mesh(tmp_path / "liver.stl", volume) == tmp_path / "liver_left_lobe.stl"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["liver_Milz_脾.stl", "liver_left_lobe.stl"]
    for name, class_id in (("left_lobe", 2), ("Milz_脾", 300)):
        found = trimesh.Trimesh(*with_meshio(tmp_path / f"liver_{name}.stl"))
        assert found.volume == pytest.approx((volume.data == class_id).sum() * 1.5 * 0.7 * 0.9, rel=0.03)


def test_no_file_of_another_name_than_was_typed_is_ever_replaced(tmp_path: Path) -> None:
    (tmp_path / "liver_Milz_脾.stl").write_bytes(b"precious")
    with pytest.raises(SaveProblem, match="there already") as caught:
        write_mesh(tmp_path / "liver.stl", ball(classes=2))
    assert caught.value.hint
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"]


@pytest.mark.parametrize("names", [("a/b", "a b"), ("A", "a"), ("", "b"), ("..", "b")])
def test_names_that_are_no_file_names_get_their_number(tmp_path: Path, names: tuple[str, str]) -> None:
    classes = tuple(LabelClass(id=i, name=name, color="#ffffff") for i, name in zip((2, 300), names, strict=True))
    write_mesh(tmp_path / "x.stl", ball(classes=2).with_data(ball(classes=2).data, classes=classes))
    found = sorted(path.name for path in tmp_path.iterdir())
    assert len(found) == 2
    assert {path.removesuffix(".stl").rsplit("_", 1)[1] for path in found} == {"2", "300"}


@pytest.mark.parametrize("name", ["x.obj", "x.stl"])
def test_what_no_text_can_hold_is_left_out_of_a_name(tmp_path: Path, name: str) -> None:
    classes = tuple(LabelClass(id=i, name=f"li\ud800ver\n{i}\0", color="#ffffff") for i in (2, 300))
    path = write_mesh(tmp_path / name, ball(classes=2).with_data(ball(classes=2).data, classes=classes))
    if name == "x.obj":
        text = path.read_text(encoding="utf-8")
        assert [line for line in text.splitlines() if line.startswith("g ")] == ["g liver_2", "g liver_300"]
    bare = tuple(LabelClass(id=i, name="\ud800", color="#ffffff") for i in (2, 300))
    write_mesh(tmp_path / f"bare_{name}", ball(classes=2).with_data(ball(classes=2).data, classes=bare))


def test_an_id_without_a_name_is_written_too(tmp_path: Path) -> None:
    path = write_mesh(tmp_path / "x.obj", ball(classes=2).with_data(ball(classes=2).data, classes=()))
    assert "g class_2\n" in path.read_text()
    assert "g class_300\n" in path.read_text()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (np.zeros(SHAPE, np.uint8), "no voxel is labelled"), (np.ones((*SHAPE, 2), np.uint8), "one volume"),
        (np.full(SHAPE, 0.5), "not whole"), (np.full(SHAPE, -1), "negative"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["x.stl", "x.obj"])
def test_what_has_no_surface_is_refused_in_one_sentence(tmp_path: Path, name: str, data: Any, says: str) -> None:
    (tmp_path / name).write_bytes(b"older")
    with pytest.raises(Vol3dError, match=says):
        write_mesh(tmp_path / name, ball().with_data(data))
    assert (tmp_path / name).read_bytes() == b"older"


def test_memory_is_asked_for_before_it_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gate.LIMIT_VARIABLE, "1e-6")
    with pytest.raises(FileProblem, match="Too large"):
        write_mesh(tmp_path / "x.stl", ball())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "where", "reader"), [("x.stl", trimesh, "load_mesh"), ("x.obj", mesh, "_crc_of")])
def test_a_file_that_does_not_read_back_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, where: Any, reader: str
) -> None:
    real = getattr(where, reader)

    def damaged(path: Path, **how: Any) -> Any:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 50 * 50 + 34])  # a disk that loses the end
        return real(path, **how)

    monkeypatch.setattr(where, reader, damaged)
    with pytest.raises(SaveProblem):
        write_mesh(tmp_path / name, ball())
    assert not list(tmp_path.iterdir())


def test_small_numbers_keep_their_digits(tmp_path: Path) -> None:
    where = Geometry.from_spacing((0.03, 0.008, 0.008), unit="um", origin=(12345.0, 0.0, 0.0))
    diagonal = Volume(data=np.eye(8, dtype=np.uint8)[None], geometry=where)
    points, faces = with_meshio(write_mesh(tmp_path / "x.obj", diagonal))
    assert trimesh.Trimesh(points, faces, process=False).is_watertight
    assert np.ptp(points[:, 0]) == pytest.approx(8 * 0.008, rel=1e-3)
