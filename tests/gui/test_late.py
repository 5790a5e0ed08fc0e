"""What a room needs comes in a thread: once, whole, and without a word where nobody waits any more."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication

from napari_vol3d.gui.late import Coming, Late

WAIT_MS, GATE_S = 15_000, 30
GATE = "import threading\nbegun, go, thread = threading.Event(), threading.Event(), []\n"
SLOW = f"import gate_of_late, threading\ngate_of_late.begun.set()\ngate_of_late.go.wait({GATE_S})\nwhole = True\n"
THREAD = "import gate_of_late, threading\ngate_of_late.thread.append(threading.get_ident())\n"
NAMES = ("gate_of_late", "slow_of_late", "quick_of_late", "broken_of_late")
ROOMS = ("napari_vol3d.gui.correcting_room", "napari_vol3d.gui.review_room")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """Modules of our own: one that is loaded as slowly as the test wants, one that says in which thread."""
    for name, text in zip(NAMES, (GATE, SLOW, THREAD, "1 / 0\n"), strict=True):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    gate = import_module(NAMES[0])
    yield gate
    gate.go.set()
    for name in NAMES:
        sys.modules.pop(name, None)


@pytest.fixture
def owner(qapp: QApplication) -> QObject:
    return QObject()


def begun(late: Late) -> list[int]:
    """Begin, and note in which thread each end is told."""
    told: list[int] = []
    late.loaded.connect(lambda: told.append(threading.get_ident()))
    assert not late.begin()
    return told


def ended(qtbot: Any, late: Late) -> None:
    assert late.job is not None
    qtbot.waitUntil(lambda: not late.job.running, timeout=WAIT_MS)


def test_modules_are_loaded_in_a_thread_and_told_in_the_windows(
    qtbot: Any, gate: ModuleType, owner: QObject
) -> None:
    late = Late("quick_of_late", parent=owner)
    told = begun(late)
    ended(qtbot, late)
    (thread,) = gate.thread
    assert thread != threading.get_ident()
    assert told == [threading.get_ident()]
    assert late.begin()
    assert late.there


def test_a_module_that_is_half_loaded_is_not_there(qtbot: Any, gate: ModuleType, owner: QObject) -> None:
    late = Late("slow_of_late", "quick_of_late", parent=owner)
    told = begun(late)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT_MS)
    assert "slow_of_late" in sys.modules
    assert not late.there
    gate.go.set()
    ended(qtbot, late)
    assert late.there
    assert sys.modules["slow_of_late"].whole
    assert len(told) == 1


def test_who_asks_again_meanwhile_waits_for_the_same(qtbot: Any, gate: ModuleType, owner: QObject) -> None:
    late = Late("slow_of_late", parent=owner)
    told = begun(late)
    job = late.job
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT_MS)
    assert not late.begin()
    assert late.job is job
    gate.go.set()
    ended(qtbot, late)
    assert len(told) == 1


def test_the_window_turns_while_a_module_is_loaded(qtbot: Any, gate: ModuleType, owner: QObject) -> None:
    late = Late("slow_of_late", parent=owner)
    begun(late)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT_MS)  # the window's thread is here, and the module is not loaded
    assert not late.there
    assert late.job is not None
    assert late.job.running


def test_a_window_that_is_closed_meanwhile_hears_nothing(qtbot: Any, gate: ModuleType, owner: QObject) -> None:
    late = Late("slow_of_late", "quick_of_late", parent=owner)
    told = begun(late)
    qtbot.waitUntil(gate.begun.is_set, timeout=WAIT_MS)
    late.let_go()
    gate.go.set()
    ended(qtbot, late)
    assert not told
    assert "quick_of_late" not in sys.modules  # nothing more is begun


def test_a_module_that_fails_is_told_and_tried_again(qtbot: Any, gate: ModuleType, owner: QObject) -> None:
    notification_manager.records.clear()
    late = Late("broken_of_late", parent=owner)
    told = begun(late)
    ended(qtbot, late)
    assert not told
    assert not late.there
    first = late.job
    assert not late.begin()
    assert late.job is not first
    ended(qtbot, late)
    assert [str(record.severity) for record in notification_manager.records] == ["error", "error"]
    notification_manager.records.clear()


def test_the_rooms_can_be_loaded_in_a_thread_they_make_no_widget_and_load_no_tensorflow() -> None:
    code = (
        "import sys, threading\n"
        "from importlib import import_module\n"
        "from qtpy.QtWidgets import QApplication\n"
        f"thread = threading.Thread(target=lambda: [import_module(name) for name in {ROOMS!r}])\n"
        "thread.start(); thread.join()\n"
        f"assert all(name in sys.modules for name in {ROOMS!r})\n"
        "assert QApplication.instance() is None\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    assert "QObject" not in ran.stderr


def test_what_stands_in_a_rooms_place_says_what_is_opened_and_needs_no_width(qtbot: Any) -> None:
    coming = Coming()
    qtbot.addWidget(coming)
    assert coming.text() == "Opening this tab ..."
    coming.say("a study with quite a long name of many words that has to be broken")
    assert coming.text().startswith("Opening a study")
    assert coming.minimumSizeHint().width() <= 320
