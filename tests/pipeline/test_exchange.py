"""Arrays are the same on both sides, a full disk is told, and nothing stays."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from napari_vol3d.core.errors import EngineProblem
from napari_vol3d.pipeline import exchange
from napari_vol3d.pipeline.exchange import exchange_dtype, shared_array


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        ("?", "u1"), ("u1", "u1"), ("i1", "i1"), ("<i2", "i2"), (">i2", "i2"), (">u4", "u4"), (">f4", "f4"),
        ("f2", "f2"), ("f8", "f4"), (">f8", "f4"), ("i8", "f4"), ("u8", "f4"),
    ],
)  # fmt: skip
def test_voxels_travel_as_they_are_but_never_wider_than_32_bits(stored, sent):
    kind = exchange_dtype(np.dtype(stored))
    assert kind == np.dtype(sent)
    assert kind.isnative


def test_both_sides_see_the_same_array(tmp_path):
    ours = shared_array(tmp_path / "labels.npy", np.dtype(np.uint8), (3, 4, 5))
    assert not ours.any()
    code = "import sys, numpy as np; np.load(sys.argv[1], mmap_mode='r+')[1, 2, 3] = 7"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "labels.npy")], check=True)
    assert ours[1, 2, 3] == 7
    assert ours.sum() == 7


def test_the_files_of_a_run_go_with_it(tmp_path):
    with exchange.exchange(tmp_path) as files, exchange.exchange(tmp_path) as others:
        for path in (files.inputs, files.outputs, files.probabilities, others.inputs):
            shared_array(path, np.dtype(np.uint8), (2, 2, 2))
        assert len(list(tmp_path.iterdir())) == 4  # two runs never share a name
    assert list(tmp_path.iterdir()) == []


def test_they_go_too_where_the_run_failed_and_never_made_them(tmp_path):
    def run():
        with exchange.exchange(tmp_path) as files:
            shared_array(files.outputs, np.dtype(np.uint8), (2, 2, 2))
            raise EngineProblem("The engine stopped.")

    with pytest.raises(EngineProblem):
        run()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on file sizes, and room that is really reserved")
def test_room_is_reserved_and_a_lack_of_it_is_told(tmp_path):
    shared_array(tmp_path / "a.npy", np.dtype(np.uint8), (100, 100, 100))
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= 1_000_000
    code = (
        "import resource, sys, numpy as np\n"
        "from pathlib import Path\n"
        "from napari_vol3d.core.errors import EngineProblem\n"
        "from napari_vol3d.pipeline.exchange import shared_array\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
        "try:\n"
        "    shared_array(Path(sys.argv[1]), np.dtype(np.uint8), (100, 100, 100))\n"
        "except EngineProblem as problem:\n"
        "    print(problem.message)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "b.npy")], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout.startswith("No room for the scan")
