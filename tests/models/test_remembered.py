"""What was decided is kept; a damaged file decides nothing."""

from __future__ import annotations

import logging

from napari_vol3d.models.remembered import FILE, Decisions, decide, decisions


def test_kept_and_damaged(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path))
    assert decisions() == Decisions()
    decide(default="net")
    assert decisions().default == "net"
    (tmp_path / FILE).write_text('{"default": {"')
    with caplog.at_level(logging.WARNING):
        assert decisions() == Decisions()
    assert "can't be read" in caplog.text
