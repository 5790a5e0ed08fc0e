"""One entry point: help for strangers, exit codes, and quiet when the reader has gone."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from napari_vol3d import __version__
from napari_vol3d.core import errors

COMMANDS = ("segment", "info", "models", "evaluate", "train", "review", "demo")
BASE = [sys.executable, "-m", "napari_vol3d.cli.main"]


def test_help_names_every_command_and_code(command):
    done = command("--help")
    assert done.returncode == 0
    assert all(name in done.stdout for name in COMMANDS)
    codes = {kind.exit_code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "exit_code")}
    told = {int(number) for number in re.findall(r"\b(\d+) [a-z]", done.stdout.split("exit codes:")[1])}
    assert codes <= told
    assert "research use only" in done.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(command, name):
    done = command(name, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 5


def test_the_version(command):
    assert command("--version").stdout == f"napari-vol3d {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("dance",), ("info",)])
def test_wrong_usage(command, arguments):
    done = command(*arguments)
    assert done.returncode == 2
    assert "usage: napari-vol3d" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["models", "info", "hippocampus-t1", "--json"], ["--help"], ["segment", "--help"]]
)
def test_a_reader_that_has_gone_is_no_error(arguments):
    # Like `| head -1`, but sure: nobody reads from the start.
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run([*BASE, *arguments], stdout=gone, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_where_progress_can_not_be_told_a_run_that_did_not_end_is_no_success(cli_model, cli_scan, tmp_path):
    reader, writer = os.pipe()
    os.close(reader)
    arguments = ["segment", str(cli_scan), "--model", str(cli_model.folder), "--out", str(tmp_path / "out")]
    with os.fdopen(writer, "wb") as gone:
        done = subprocess.run([*BASE, *arguments], stdout=subprocess.PIPE, stderr=gone, check=False)
    assert (done.returncode, (tmp_path / "out").exists()) == (1, False)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with head")
def test_the_first_line_alone():
    line = f"'{sys.executable}' -m napari_vol3d.cli.main models info hippocampus-t1 --json | head -1"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_light_commands_load_neither_tensorflow_nor_napari():
    code = (
        "import sys\n"
        "from napari_vol3d.cli.main import main\n"
        "try:\n"
        "    main(['models'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "print({'tensorflow', 'keras', 'napari', 'qtpy'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
