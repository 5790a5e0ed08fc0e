"""`demo`'s arguments, and what it refuses before a window opens; what it does in the window is tested with that."""

from __future__ import annotations

import pytest


@pytest.fixture
def blind(monkeypatch):
    """No display, as on a server."""
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_help_says_what_will_happen(command):
    done = command("demo", "--help")
    assert done.returncode == 0
    for words in ("--headless", "--out", "napari", "screenshot"):
        assert words in done.stdout


@pytest.mark.parametrize("display", [None, ":9", "offscreen"], ids=["none", "dead", "offscreen"])
def test_without_a_display_it_says_so_in_a_line(command, blind, tmp_path, display):
    if display is not None:
        blind.setenv("QT_QPA_PLATFORM" if display == "offscreen" else "DISPLAY", display)
    done = command("demo", "--headless", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for words in ("xvfb-run", "make demo"):
        assert words in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("blind")
def test_what_it_is_given_is_looked_at_first(command, tmp_path):
    assert command("demo", tmp_path / "nosuch.nii.gz").returncode == 4
    (tmp_path / "broken.nii.gz").write_bytes(b"no")
    assert command("demo", tmp_path / "broken.nii.gz").returncode == 4
    assert command("demo", "--model", "nosuch").returncode == 3
