"""Motions in files: ITK's text format (.tfm), as 3D Slicer, ANTs and SimpleITK read and write it.

What such a file holds leads from the fixed scan to the moving one, in LPS: it is what resampling asks. Ours leads the
other way, in RAS: it is what happens to the scan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.volume import Affine
from napari_vol3d.io.safe_write import write_safely

EXTENSIONS = (".tfm", ".txt")
MOST_BYTES = 1 << 20
LPS = np.diag((-1.0, -1.0, 1.0, 1.0))
KIND, NUMBERS, FIXED = "Transform", "Parameters", "FixedParameters"


def write_transform(path: Path, matrix: Affine) -> Path:
    """Write a motion, safely; it is read back before it is believed.

    Parameters
    ----------
    matrix : ndarray of float64, shape (4, 4)
        From the moving world to the fixed one, RAS, in mm.

    Raises
    ------
    SaveProblem
        If it can't be written; what was there before is untouched.
    """
    if not path.name.lower().endswith(EXTENSIONS):
        raise SaveProblem(f"{path.name!r} is no name of a transform.", hint="Let it end in .tfm.")
    text = _text(matrix)

    def write(beside: Path) -> None:
        beside.write_text(text, encoding="ascii", newline="\n")

    def check(beside: Path) -> None:
        if not np.allclose(read_transform(beside), matrix, atol=1e-9):
            raise FileProblem(f"{path.name} holds another motion than was meant.")

    return write_safely(path, write, check)


def read_transform(path: Path) -> Affine:
    """Read one affine, Euler or versor transform; give it from the moving world to the fixed one, RAS, in mm.

    Raises
    ------
    FileProblem
        If it is no such file, or holds a transform that is not linear, or several.
    """
    fields = _fields(path)
    kind, read = next(((kind, read) for kind, read in KINDS.items() if fields[KIND].startswith(kind)), ("", None))
    if read is None:
        raise FileProblem(f"{path.name} holds a {fields[KIND]}, which is not linear.", hint="Save it as an affine one.")
    numbers, fixed = _numbers(path, fields[NUMBERS]), _numbers(path, fields[FIXED])
    if len(numbers) != COUNTS[kind] or len(fixed) < 3:
        raise FileProblem(f"{path.name} holds {len(numbers)} numbers; {COUNTS[kind]} were expected of a {kind}.")
    matrix, centre = np.eye(4), fixed[:3]
    matrix[:3, :3] = read(numbers, fixed)
    matrix[:3, 3] = numbers[-3:] + centre - matrix[:3, :3] @ centre
    if not abs(np.linalg.det(matrix)) > 0:
        raise FileProblem(f"{path.name} holds a transform that can't be turned round.")
    return np.asarray(np.linalg.inv(LPS @ matrix @ LPS))


def _affine(numbers: Affine, fixed: Affine) -> Affine:
    return numbers[:9].reshape(3, 3)


def _versor(numbers: Affine, fixed: Affine) -> Affine:
    real = math.sqrt(max(0.0, 1 - float(numbers[:3] @ numbers[:3])))
    return np.asarray(Rotation.from_quat([*numbers[:3], real]).as_matrix())


def _euler(numbers: Affine, fixed: Affine) -> Affine:
    """Turn about z, x, y, or about z, y, x where the fourth fixed number says so; the last one acts first."""
    x, y, z = numbers[:3]
    zyx = len(fixed) > 3 and bool(fixed[3])
    turns = Rotation.from_euler("ZYX", (z, y, x)) if zyx else Rotation.from_euler("ZXY", (z, x, y))
    return np.asarray(turns.as_matrix())


KINDS: dict[str, Callable[[Affine, Affine], Affine]] = {
    "AffineTransform": _affine, "MatrixOffsetTransformBase": _affine, "VersorRigid3DTransform": _versor,
    "Euler3DTransform": _euler,
}  # fmt: skip
COUNTS = {
    "AffineTransform": 12, "MatrixOffsetTransformBase": 12, "VersorRigid3DTransform": 6, "Euler3DTransform": 6,
}  # fmt: skip


def _text(matrix: Affine) -> str:
    itk = np.linalg.inv(LPS @ matrix @ LPS)
    numbers = " ".join(repr(float(value)) for value in (*itk[:3, :3].ravel(), *itk[:3, 3]))
    return (
        "#Insight Transform File V1.0\n#Transform 0\n"
        f"{KIND}: AffineTransform_double_3_3\n{NUMBERS}: {numbers}\n{FIXED}: 0 0 0\n"
    )


def _fields(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise _no_transform(path) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pairs = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if not text.startswith("#Insight Transform File") or not {KIND, NUMBERS, FIXED} <= {name for name, _ in pairs}:
        raise _no_transform(path)
    if sum(name == KIND for name, _ in pairs) > 1:
        raise FileProblem(f"{path.name} holds several transforms.", hint="Save them as one.")
    return dict(pairs)


def _numbers(path: Path, text: str) -> Affine:
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError as error:
        raise _no_transform(path) from error
    if not np.isfinite(numbers).all():
        raise _no_transform(path)
    return numbers


def _no_transform(path: Path) -> FileProblem:
    return FileProblem(f"{path.name} is no transform in ITK's text format.", hint="Choose a .tfm file.")
