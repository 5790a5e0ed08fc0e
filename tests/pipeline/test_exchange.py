"""Arrays reach the engine whole, a full disk is told, and nothing stays."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.pipeline import exchange
from napari_vol3d.pipeline.exchange import hand_over, shared_array

GEOMETRY = Geometry.from_spacing((1.0, 1.0, 1.0))


@pytest.mark.parametrize("dtype", ["u1", ">i2", "f4", "f8", "?"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
@pytest.mark.parametrize("slab", [1, 10_000])
def test_the_scan_arrives_as_it_is_stored(tmp_path, monkeypatch, dtype, channels, slab):
    monkeypatch.setattr(exchange, "SLAB_BYTES", slab)
    data = np.random.default_rng(0).integers(0, 2, (5, 4, 3, *channels)).astype(dtype)
    reports = list(hand_over(Volume(data=data, geometry=GEOMETRY), tmp_path / "scan.npy"))
    held = np.load(tmp_path / "scan.npy")
    assert (held.shape, held.dtype) == ((5, 4, 3, *(channels or (1,))), data.dtype)
    np.testing.assert_array_equal(held.reshape(data.shape), data)
    assert (reports[-1].done, reports[-1].total) == (5, 5)
    assert len(reports) == (5 if slab == 1 else 1)


def test_both_sides_see_the_same_array(tmp_path):
    ours = shared_array(tmp_path / "labels.npy", np.dtype(np.uint8), (3, 4, 5))
    assert not ours.any()
    theirs = np.load(tmp_path / "labels.npy", mmap_mode="r+")
    theirs[1, 2, 3] = 7
    assert ours[1, 2, 3] == 7


def test_the_files_of_a_run_go_with_it(tmp_path):
    with exchange.exchange(tmp_path) as files, exchange.exchange(tmp_path) as others:
        for path in (files.scan, files.labels, others.scan):
            shared_array(path, np.dtype(np.uint8), (2, 2, 2))
        assert len(list(tmp_path.iterdir())) == 3  # two runs never share a name
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
