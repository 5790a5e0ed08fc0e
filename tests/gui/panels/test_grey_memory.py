"""Windows survive the session; a damaged file costs nothing but itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Image

from napari_vol3d.core.volume import Geometry
from napari_vol3d.core.windows import Window
from napari_vol3d.gui.layers import KEY, Origin
from napari_vol3d.gui.panels.grey_memory import MOST, keep_windows, key_of, memory_file, read_windows


def test_what_is_kept_is_read() -> None:
    assert read_windows() == {}
    keep_windows({"a": Window(0.0, 80.0), "b": Window(-1350.5, 150.0)})
    keep_windows({"a": Window(1.0, 2.0)})
    assert read_windows() == {"b": Window(-1350.5, 150.0), "a": Window(1.0, 2.0)}
    assert list(read_windows()) == ["b", "a"]  # the latest last


def test_the_longest_unchanged_go_first() -> None:
    keep_windows({f"scan {k}": Window(k, k + 1.0) for k in range(MOST)})
    keep_windows({"scan 0": Window(7.0, 8.0), "new": Window(1.0, 2.0)})
    known = read_windows()
    assert len(known) == MOST
    assert "scan 1" not in known
    assert known["scan 0"] == Window(7.0, 8.0)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", '{"windows": {"a": [1]}}', '{"windows": {"a": [2, 1]}}', '{"windows": {"a": [0, NaN]}}',
        '{"others": 1}', "\ufffd\x00",
    ],
)  # fmt: skip
def test_a_damaged_file_is_ignored_and_replaced(text: str) -> None:
    memory_file().parent.mkdir(parents=True, exist_ok=True)
    memory_file().write_bytes(text.encode("utf-16"))
    assert read_windows() == {}
    memory_file().write_text(text, encoding="utf-8")
    assert read_windows() == {}
    keep_windows({"a": Window(0.0, 1.0)})
    assert read_windows() == {"a": Window(0.0, 1.0)}


def test_a_place_that_cannot_be_written_to_costs_nothing() -> None:
    memory_file().parent.parent.mkdir(parents=True, exist_ok=True)
    memory_file().parent.write_text("a file where the folder should be")
    keep_windows({"a": Window(0.0, 1.0)})
    assert read_windows() == {}


def test_scans_of_one_file_are_told_apart_and_copies_of_one_are_not() -> None:
    origin = Origin(geometry=Geometry(affine=np.eye(4)), source=Path("/data/two.h5"))
    one, again, other = (
        Image(np.zeros((3, 3, 3)), name=name, metadata={KEY: origin}) for name in ("two raw", "two raw [1]", "two mask")
    )
    assert key_of(one) == key_of(again) != key_of(other)
    elsewhere = Image(np.zeros((3, 3, 3)), name="two raw", metadata={KEY: replace(origin, source=Path("/data/b.h5"))})
    assert key_of(elsewhere) != key_of(one)
    assert key_of(Image(np.zeros((3, 3, 3)))) is None
