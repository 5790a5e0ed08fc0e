"""What is loaded when: the window opens without TensorFlow, the command line answers without a window."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from napari_vol3d.cli.main import parser

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "napari_vol3d" / "napari.yaml"
TENSORFLOW = {"tensorflow", "keras"}
SCREEN = {"napari", "qtpy", "superqt", "vispy", "PyQt5", "PyQt6", "PySide6"}
# The last line printed: the top-level modules that are loaded at the end.
TELL = "import json, sys; print(); print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"


def loaded_by(code: str) -> set[str]:
    """Run code in a process of its own and give the top-level modules that it loaded."""
    ran = subprocess.run([sys.executable, "-c", f"{code}\n{TELL}"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


def commands() -> list[str]:
    """Names of the command line's commands, as its own parser has them."""
    return [name for action in parser()._actions for name in (action.choices or ()) if isinstance(action.choices, dict)]


def python_names() -> list[str]:
    """Everything that the manifest names, as "module:name"."""
    contributions = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["contributions"]
    return [command["python_name"] for command in contributions["commands"]]


def test_what_the_manifest_names_loads_no_tensorflow() -> None:
    names = [name.split(":") for name in python_names()]
    code = "\n".join(f"import importlib; importlib.import_module({m!r}).{attribute}" for m, attribute in names)
    loaded = loaded_by(code)
    assert "napari_vol3d" in loaded
    assert not loaded & TENSORFLOW


def test_the_manifest_is_valid() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", "--imports", str(MANIFEST)], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "valid" in ran.stdout


def test_napari_finds_the_manifest_of_the_installed_package() -> None:
    (entry,) = importlib.metadata.entry_points(group="napari.manifest", name="napari-vol3d")
    package, _, file = entry.value.partition(":")
    assert (ROOT / package / file) == MANIFEST


@pytest.mark.parametrize("arguments", [[], *([command] for command in commands())], ids=lambda a: " ".join(a) or "top")
def test_help_is_quick_because_it_loads_nothing_big(arguments: list[str]) -> None:
    loaded = loaded_by(
        "import contextlib\n"
        "from napari_vol3d.cli.main import main\n"
        f"with contextlib.suppress(SystemExit): main({[*arguments, '--help']!r})"
    )
    assert "napari_vol3d" in loaded
    assert not loaded & (TENSORFLOW | SCREEN)


def test_the_engine_package_and_its_messages_load_no_tensorflow() -> None:
    assert not loaded_by("import napari_vol3d.engine.messages") & TENSORFLOW
