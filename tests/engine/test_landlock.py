"""Rights that a Linux process gives up are gone for good, and those that it keeps are kept."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_vol3d.engine import landlock

here = pytest.mark.skipif(landlock.find_abi() < 1, reason="this kernel, or its container, has no Landlock")
RESTRICT = """
import sys
from pathlib import Path
from napari_vol3d.engine.landlock import EVERYTHING, READ, restrict
open_folder, readable, abi = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
restrict([(str(open_folder), EVERYTHING), (str(readable / "file"), READ), ("/no/such/place", READ)], abi)
(open_folder / "new").write_text((readable / "file").read_text())
(open_folder / "new").rename(open_folder / "newer")
for attempt in ((readable / "file").write_text, (readable / "other").write_text, open_folder.with_name("x").write_text):
    try:
        attempt("x")
    except PermissionError:
        print("refused")
"""


@here
@pytest.mark.parametrize("abi", sorted({1, 2, 3, 4, 5, 6, landlock.find_abi()}))
def test_older_kernels_are_asked_for_what_they_know(tmp_path, abi):
    if abi > landlock.find_abi():
        pytest.skip(f"this kernel knows Landlock {landlock.find_abi()} only")
    folders = tmp_path / "open", tmp_path / "readable"
    for folder in folders:
        folder.mkdir()
    (folders[1] / "file").write_text("what is there")
    done = subprocess.run(
        [sys.executable, "-c", RESTRICT, *map(str, folders), str(abi)], capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout.split() == ["refused"] * 3
    assert (folders[1] / "file").read_text() == (folders[0] / "newer").read_text() == "what is there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["open", "readable"]


def test_rights_are_those_of_the_version():
    assert landlock._known(landlock.EVERYTHING, 1) == 2**13 - 1
    assert landlock._known(landlock.EVERYTHING, 2) == 2**14 - 1
    assert landlock._known(landlock.EVERYTHING, 4) == 2**15 - 1
    assert landlock._known(landlock.EVERYTHING, 9) == 2**16 - 1


def test_other_systems_have_none(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert landlock.find_abi() == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux' system calls")
def test_what_the_kernel_refuses_is_an_error():
    with pytest.raises(OSError, match="Bad file descriptor"):
        landlock.call_kernel(landlock.RESTRICT_SELF, -1, 0)
