"""A checkpoint gives back what was put in, or says clearly that it can't."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.checkpoint import TrainingState, read_checkpoint, write_checkpoint

ARRAYS = {
    "network": [np.arange(6, dtype=np.float32).reshape(2, 3), np.float32(4)],
    "optimizer": [np.array(i, np.int64) for i in range(12)],
}


@pytest.fixture
def written(tmp_path):
    state = TrainingState(epoch=3, best=0.5, best_epoch=2, history=[{"epoch": 1, "loss": float("nan")}])
    write_checkpoint(tmp_path / "checkpoint.npz", state, ARRAYS)
    return tmp_path / "checkpoint.npz", state


def test_round_trip(written):
    path, state = written
    back, arrays = read_checkpoint(path)
    assert (back.epoch, back.best, back.best_epoch) == (state.epoch, state.best, state.best_epoch)
    assert back.history[0]["epoch"] == 1
    assert np.isnan(back.history[0]["loss"])
    for group, values in ARRAYS.items():
        for value, found in zip(values, arrays[group], strict=True):
            np.testing.assert_array_equal(found, value)
            assert found.dtype == np.asarray(value).dtype


def test_a_run_without_any_best_yet(tmp_path):
    write_checkpoint(tmp_path / "c.npz", TrainingState(), {})
    assert read_checkpoint(tmp_path / "c.npz") == (TrainingState(), {})


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.999])
def test_a_half_file_is_refused(written, share):
    path, _ = written
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(ModelProblem, match=r"checkpoint\.npz"):
        read_checkpoint(path)


def test_flipped_bits_are_refused(written):
    path, _ = written
    whole = bytearray(path.read_bytes())
    at = whole.index(np.arange(6, dtype=np.float32).tobytes())
    whole[at] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ModelProblem):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04 and then nothing", b"not a checkpoint", b"\x93NUMPY" + bytes(100)])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "c.npz").write_bytes(content)
    with pytest.raises(ModelProblem):
        read_checkpoint(tmp_path / "c.npz")


def test_an_archive_of_something_else_is_refused(tmp_path):
    np.savez(tmp_path / "c.npz", a=np.zeros(3))
    with pytest.raises(ModelProblem):
        read_checkpoint(tmp_path / "c.npz")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelProblem):
        read_checkpoint(tmp_path / "c.npz")
