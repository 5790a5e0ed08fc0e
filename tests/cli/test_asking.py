"""Only a yes is a yes, and only a person says it."""

from __future__ import annotations

import io
import sys

import pytest

from napari_vol3d.cli.asking import agrees


class Terminal(io.StringIO):
    """What a person types."""

    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["y\n", " YES \n", "n\n", "\n", "", "yep\n"])
def test_only_a_yes_counts(monkeypatch, capsys, answer):
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert agrees("Go?") is (answer in ("y\n", " YES \n"))
    assert capsys.readouterr().out == "Go? [y/N] "


def test_where_nobody_sits_nobody_is_asked(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert not agrees("Go?")
    assert capsys.readouterr().out == ""
