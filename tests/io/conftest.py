"""What the tests of files share."""

from __future__ import annotations

import pytest

from napari_vol3d.io import npy


@pytest.fixture(autouse=True)
def small_files_are_mapped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small files be mapped, as large ones are: what is mapped must be what is read."""
    monkeypatch.setattr(npy, "MAPPED_FROM", 0)
