"""What all tests share: the real data, folders of their own, and the rule that nothing may be left behind."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
ENDS_WITHIN_SECONDS = 20.0  # a child that was told to end, and a thread whose work is done

# napari reads NAPARI_CONFIG once, when its settings are imported, and plugins of pytest may import napari: so here.
_HOME = Path(tempfile.mkdtemp(prefix="vol3d-tests-"))
os.environ["NAPARI_CONFIG"] = str(_HOME / "napari" / "settings.yaml")
os.environ["KERAS_BACKEND"] = "tensorflow"
# What fixtures of a whole session do belongs to no test, and not in a person's folders either.
PERSONAL = tuple(f"XDG_{kind}_HOME" for kind in ("CONFIG", "DATA", "CACHE", "STATE"))
os.environ |= {name: str(_HOME / name.lower()) for name in PERSONAL}

# CI judges a change and not a draw: its examples are the same each time. A person's runs look for new ones.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("REQUIRE_DATA") == "1":
    hypothesis.settings.load_profile("ci")


# scripts/run_pytest.py looks here which test a crash was in, and shows at the end which ones failed.
_NOW, _LAST_WORDS = (os.environ.pop(name, None) for name in ("VOL3D_TEST_NOW", "VOL3D_LAST_WORDS"))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Keep the name of the test that begins."""
    if _NOW:
        Path(_NOW).write_text(nodeid)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the name of one that fails."""
    if _LAST_WORDS and report.failed:
        with open(_LAST_WORDS, "a") as file:
            file.write(f"failed at {report.when}: {report.nodeid}\n")


def pytest_unconfigure() -> None:
    """Remove the folder of napari's settings, and the name of the test that was the last."""
    shutil.rmtree(_HOME, ignore_errors=True)
    if _NOW:
        Path(_NOW).unlink(missing_ok=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse the one mixture that would end in a segmentation fault without a word."""
    window = any(ROOT / "tests" / "gui" in item.path.parents for item in session.items)
    if window and "tensorflow" in sys.modules and sys.platform.startswith("linux"):
        pytest.exit(
            "TensorFlow and OpenGL cannot share a process on Linux. Run `pytest tests --ignore=tests/gui` and "
            "`pytest tests/gui` one after the other, as `make test` does.",
            returncode=pytest.ExitCode.USAGE_ERROR,
        )


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real scans, labels and models, or a skip that says how to get it."""
    folder = Path(os.environ.get("VOL3D_DATA", ROOT.parent / "shared" / "data")).resolve()
    if not (folder / "README.md").is_file():
        if os.environ.get("REQUIRE_DATA") == "1":
            pytest.fail(f"REQUIRE_DATA=1, but there is no data at {folder}")
        pytest.skip(f"real scans are not at {folder}; set VOL3D_DATA to their folder")
    return folder


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give each test settings, data and caches of its own: none sees a person's, or another test's."""
    home = tmp_path_factory.mktemp("home")
    for name in PERSONAL:
        monkeypatch.setenv(name, str(home / name.lower()))


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """Fail a test that leaves a process, a thread that would hold the program, a widget, or TensorFlow in a window."""
    children, threads, widgets = _children(), set(threading.enumerate()), _widgets()
    yield
    left = [
        *_processes_left(children),
        *_threads_left(threads),
        *(f"widget {widget!r}" for widget in _widgets() if not any(widget is old for old in widgets)),
    ]
    assert not left, f"left behind: {', '.join(left)}"


def _children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _processes_left(before: list[psutil.Process]) -> list[str]:
    """Name the children that did not end, and end them: the next test must not pay for this one."""
    _, alive = psutil.wait_procs([p for p in _children() if p not in before], timeout=ENDS_WITHIN_SECONDS)
    names = []
    for process in alive:
        names.append(f"process {process.pid} ({process.name()})")
        process.kill()
    psutil.wait_procs(alive, timeout=ENDS_WITHIN_SECONDS)
    return names


def _threads_left(before: set[threading.Thread]) -> list[str]:
    new = [thread for thread in threading.enumerate() if thread not in before and not thread.daemon]
    for thread in new:
        thread.join(ENDS_WITHIN_SECONDS)
    return [f"thread {thread.name}" for thread in new if thread.is_alive()]


def _widgets() -> list[Any]:
    """Top-level widgets, after all that waits to be deleted is; none where this test run has no Qt."""
    if "qtpy.QtWidgets" not in sys.modules:
        return []
    from qtpy.QtCore import QEvent
    from qtpy.QtWidgets import QApplication

    if QApplication.instance() is None:
        return []
    gc.collect()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    return list(QApplication.topLevelWidgets())
