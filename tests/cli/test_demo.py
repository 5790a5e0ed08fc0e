"""`demo`'s arguments; what it does in the window is tested with the window."""

from __future__ import annotations


def test_help_says_what_will_happen(command):
    done = command("demo", "--help")
    assert done.returncode == 0
    for words in ("--headless", "--out", "napari", "screenshot"):
        assert words in done.stdout
