"""Motions in files: SimpleITK is the judge of both directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.volume import Affine
from napari_vol3d.io.transforms import read_transform, write_transform

POINT = (12.0, -30.0, 55.0)
numbers = st.floats(-300, 300)


def motion(angles: tuple[float, ...] = (10, -20, 30), shift: tuple[float, ...] = (5, 6, -7)) -> Affine:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return matrix


def flipped(point: tuple[float, ...]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in point[:3])
    return -x, -y, z


def test_itk_takes_a_point_of_the_fixed_scan_to_the_moving_one(tmp_path: Path) -> None:
    matrix = motion()
    path = write_transform(tmp_path / "b onto a.tfm", matrix)
    fixed = tuple((matrix @ (*POINT, 1))[:3])
    there = sitk.ReadTransform(str(path)).TransformPoint(flipped(fixed))
    np.testing.assert_allclose(flipped(there), POINT, atol=1e-9)


@given(st.tuples(numbers, numbers, numbers), st.tuples(numbers, numbers, numbers))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, angles: tuple[float, ...],
                                  shift: tuple[float, ...]) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("motion") / "m.tfm"
    matrix = motion(angles, shift)
    np.testing.assert_allclose(read_transform(write_transform(path, matrix)), matrix, atol=1e-9)


@pytest.mark.parametrize("kind", ["affine", "versor", "euler", "euler zyx"])
def test_what_itk_wrote_is_read(kind: str, tmp_path: Path) -> None:
    if kind == "affine":
        transform = sitk.AffineTransform(3)
        transform.SetMatrix((1.1, 0.1, 0, 0.2, 0.9, 0, 0, 0.05, 1.2))
    elif kind == "versor":
        transform = sitk.VersorRigid3DTransform()
        transform.SetRotation((1, 2, 3), 0.7)
    else:
        transform = sitk.Euler3DTransform()
        transform.SetRotation(0.1, 0.5, -0.3)
        transform.SetComputeZYX(kind == "euler zyx")
    transform.SetCenter((10, 20, 30))
    transform.SetTranslation((3, 2, 1))
    sitk.WriteTransform(transform, str(tmp_path / "theirs.tfm"))
    matrix = read_transform(tmp_path / "theirs.tfm")
    there = transform.TransformPoint(flipped(POINT))  # of the moving scan
    np.testing.assert_allclose((matrix @ (*flipped(there), 1))[:3], POINT, atol=1e-9)


def test_what_is_no_linear_transform_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tfm"
    head = "#Insight Transform File V1.0\n#Transform 0\n"
    for text, words in (
        ("hello", "no transform"),
        (f"{head}Transform: BSplineTransform_double_3_3\nParameters: 1\nFixedParameters: 0 0 0\n", "not linear"),
        (f"{head}Transform: AffineTransform_double_3_3\nParameters: 1 2\nFixedParameters: 0 0 0\n", "holds 2 numbers"),
        (f"{head}Transform: AffineTransform_double_3_3\nParameters: 1 x\nFixedParameters: 0 0 0\n", "no transform"),
        (f"{head}Transform: AffineTransform_double_3_3\nParameters: {'0 ' * 12}\nFixedParameters: 0 0 0\n", "turned"),
        (2 * f"{head}Transform: A\nParameters: 1\nFixedParameters: 0\n", "several"),
    ):
        path.write_text(text)
        with pytest.raises(FileProblem, match=words):
            read_transform(path)
    with pytest.raises(FileProblem):
        read_transform(tmp_path / "missing.tfm")


def test_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SaveProblem, match=r"\.tfm"):
        write_transform(tmp_path / "scan.nii.gz", motion())
    assert not list(tmp_path.iterdir())
