"""Scratch arrays take room only where they are written, and none after the program's end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.scratch import scratch_array


@pytest.fixture
def temp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def room(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("shape", [(2, 70, 130, 140), (1, 1, 1, 1), (3, 5, 1, 200)])
def test_what_is_written_is_read_back_and_the_rest_is_zero(temp_folder: Path, shape: tuple[int, int, int, int]) -> None:
    array = scratch_array(shape, np.dtype(np.uint8))
    expected = np.random.default_rng(0).integers(1, 255, shape).astype(np.uint8)
    expected[:, shape[1] // 2 :] = 0
    array[:, : shape[1] // 2] = expected[:, : shape[1] // 2]
    assert (array.shape, array.dtype) == (shape, np.dtype(np.uint8))
    np.testing.assert_array_equal(array[...], expected)


def test_only_what_is_written_takes_room(temp_folder: Path) -> None:
    array = scratch_array((4, 1000, 2000, 2000), np.dtype(np.uint8))
    assert room(temp_folder) < 10_000
    array[2, 500:510, 7:9, 100:300] = np.random.default_rng(0).integers(0, 255, (10, 2, 200))
    assert 0 < room(temp_folder) < 2_000_000


def test_two_arrays_never_share_a_place(temp_folder: Path) -> None:
    first, second = (scratch_array((1, 4, 4, 4), np.dtype(np.uint8)) for _ in range(2))
    first[...] = 7
    assert not second[...].any()


def test_nothing_is_left_when_the_program_ends(tmp_path: Path) -> None:
    code = (
        "import numpy as np, os\n"
        "from napari_vol3d.io.scratch import scratch_array\n"
        "scratch_array((1, 4, 4, 4), np.dtype(np.uint8))[...] = 5\n"
        "print(len(os.listdir(os.environ['TMPDIR'])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "TEMP": str(tmp_path), "TMP": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.strip() == "1"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(temp_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(temp_folder / "gone"))
    with pytest.raises(SaveProblem, match="No room for probabilities"):
        scratch_array((1, 4, 4, 4), np.dtype(np.uint8))
