"""The command line is tested as a person meets it: a process with arguments, two streams and an exit code."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_vol3d.models.store import Model
from tests.builders import brightness_network, phantom, save_nifti, write_model

COMMAND = (sys.executable, "-m", "napari_vol3d.cli.main")
Command = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def command() -> Command:
    """Run `napari-vol3d` with these arguments."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *map(str, arguments)]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    return run


def typed(answer: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it where a person sits, who types this."""
    ours, theirs = pty.openpty()
    os.write(ours, answer.encode())
    try:
        return subprocess.run([*COMMAND, *arguments], stdin=theirs, capture_output=True, text=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.fixture(scope="session")
def cli_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A pointwise network that finds the balls of a phantom."""
    network = brightness_network(offsets=(0.0, -1.0, -4.0))
    return write_model(tmp_path_factory.mktemp("models") / "tiny", network, input={"spacing": (1.0, 1.0, 1.0)})


@pytest.fixture(scope="session")
def cli_scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A phantom as NIfTI."""
    return save_nifti(tmp_path_factory.mktemp("scans") / "ball.nii.gz", phantom((30, 34, 28))[0])
