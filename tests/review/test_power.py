"""Some power cuts, here and now; two hundred are in benchmarks/power_cuts.py."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.review.power import cut_in_a_child

CUTS = 12


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("cc") is None,
    reason="needs a C compiler, and Linux: calls are recorded by a library that is loaded first",
)
def test_no_cut_loses_what_was_acknowledged_and_without_flushing_some_do(tmp_path: Path) -> None:
    counts = cut_in_a_child(CUTS, tmp_path, seed=1)
    assert (counts["cuts"], counts["lost"], counts["unreadable"]) == (CUTS, 0, 0)
    assert counts["acknowledged"] > CUTS
    assert counts["control_unreadable"] + counts["control_lost"] > CUTS / 8  # or the harness proves nothing
