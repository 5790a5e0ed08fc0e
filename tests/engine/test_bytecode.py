"""Modules are compiled before the cage closes where an installer left that to the first import."""

from __future__ import annotations

import os
import sys
from importlib.util import cache_from_source

import pytest

from napari_vol3d.engine import bytecode


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Stand-ins for Keras and a backend, which nobody has imported yet."""
    for name in ("keras", "fastback", "h5py"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("import os\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    return tmp_path


def test_what_is_not_compiled_is_compiled_once(packages):
    compiled = [cache_from_source(str(packages / name / "__init__.py")) for name in ("keras", "fastback")]
    assert not any(map(os.path.exists, compiled))
    assert bytecode.compile_once("fastback")
    assert all(map(os.path.exists, compiled))
    assert not bytecode.compile_once("fastback")


def test_nothing_is_started_where_it_would_not_help(packages, monkeypatch):
    (packages / "keras" / "__init__.py").unlink()
    assert not bytecode.compile_once("no_such_backend")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert not bytecode.compile_once("fastback")


def test_a_backend_that_fails_to_import_is_left_to_the_start_to_tell(packages):
    (packages / "fastback" / "__init__.py").write_text("raise RuntimeError('of the wrong make')")
    bytecode.compile_once("fastback")
