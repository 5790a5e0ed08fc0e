"""Fifty kills, here and now; a thousand are in benchmarks/kills.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KILLS = 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills are made by fork and SIGKILL")
def test_no_kill_loses_what_was_acknowledged_and_the_plain_file_does(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.review.killing", "--kills", str(KILLS), "--folder", str(tmp_path)]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    counts = json.loads(told.stdout)
    assert (counts["kills"], counts["lost"], counts["unreadable"]) == (KILLS, 0, 0)
    assert counts["acknowledged"] > KILLS
    assert counts["control_unreadable"] + counts["control_lost"] > 0  # or the harness proves nothing
