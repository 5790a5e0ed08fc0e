"""Seconds of work in a real window, by a clock of the test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from napari import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QShortcut, QWheelEvent
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

from napari_vol3d.gui.review.clock import GRACE_SECONDS, PAUSE_SECONDS, ActiveClock

SHORT, LONG = PAUSE_SECONDS / 2, 10 * PAUSE_SECONDS


class Time:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(qtbot: Any, viewer: Viewer, time: Time) -> Iterator[ActiveClock]:
    """A clock that was started; napari's window is the active one."""
    activate(qtbot, window_of(viewer))
    made = ActiveClock(window_of(viewer), now=time)
    made.start()
    yield made
    made.stop()


def window_of(viewer: Viewer) -> QMainWindow:
    """Give napari's main window; a fixture that holds it would keep it from ending."""
    return viewer.window._qt_window


def activate(qtbot: Any, window: QWidget) -> None:
    window.show()
    qtbot.give_the_keyboard(window)
    QApplication.processEvents()


def canvas(viewer: Viewer) -> QWidget:
    return viewer.window._qt_viewer.canvas.native


def move_to(widget: QWidget, x: int, y: int = 50) -> None:
    place = QPoint(x, y)
    send(widget, QMouseEvent(
        QEvent.Type.MouseMove, QPointF(place), QPointF(widget.mapToGlobal(place)), Qt.MouseButton.NoButton,
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
    ))  # fmt: skip


def wheel(widget: QWidget) -> None:
    middle = QPointF(widget.rect().center())
    send(widget, QWheelEvent(
        middle, QPointF(widget.mapToGlobal(middle.toPoint())), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    ))  # fmt: skip


def send(widget: QWidget, event: QEvent) -> None:
    QApplication.sendEvent(widget, event)


def press_mouse(qtbot: Any, widget: QWidget) -> None:
    qtbot.mousePress(widget, Qt.MouseButton.RightButton)


def press_key(qtbot: Any, widget: QWidget) -> None:
    qtbot.keyPress(widget, Qt.Key.Key_F12)


def turn_wheel(qtbot: Any, widget: QWidget) -> None:
    wheel(widget)


def move_mouse(qtbot: Any, widget: QWidget) -> None:
    move_to(widget, 71)


@pytest.mark.parametrize("act", [press_mouse, press_key, turn_wheel, move_mouse])
def test_what_a_person_does_ends_a_pause(
    qtbot: Any, viewer: Viewer, clock: ActiveClock, time: Time, act: Callable[[Any, QWidget], None]
) -> None:
    """A short pause counts whole once something is done after it; until then, only its first seconds."""
    time.pass_by(SHORT)
    assert clock.seconds == GRACE_SECONDS
    act(qtbot, canvas(viewer))
    assert clock.seconds == SHORT
    time.pass_by(3)
    assert clock.seconds == SHORT + 3


def test_a_long_pause_counts_with_its_first_seconds(viewer: Viewer, clock: ActiveClock, time: Time) -> None:
    for turn, (seconds, counted) in enumerate(
        [(LONG, GRACE_SECONDS), (PAUSE_SECONDS, PAUSE_SECONDS), (PAUSE_SECONDS + 0.1, GRACE_SECONDS)]
    ):
        before = clock.seconds
        time.pass_by(seconds)
        move_to(canvas(viewer), 50 + turn)
        assert clock.seconds - before == pytest.approx(counted)


def test_the_sum_never_falls_and_is_that_of_the_gaps(viewer: Viewer, clock: ActiveClock, time: Time) -> None:
    """Whatever the gaps are, and however often one asks; what was taken is the same sum."""
    rng = np.random.default_rng(3)
    gaps = rng.gamma(0.6, 40.0, 300)
    read, taken = [clock.seconds], 0.0
    for turn, gap in enumerate(gaps):
        for share in rng.dirichlet(np.ones(4)):
            time.pass_by(float(gap * share))
            read.append(clock.seconds)
            taken += clock.take() if rng.random() < 0.3 else 0.0
        move_to(canvas(viewer), 10 + turn % 2)
    wanted = np.where(gaps <= PAUSE_SECONDS, gaps, GRACE_SECONDS).sum()
    assert 0 < (gaps > PAUSE_SECONDS).sum() < 200
    assert clock.seconds == pytest.approx(wanted)
    assert (np.diff(read) >= -1e-9).all()
    assert taken + clock.take() == pytest.approx(wanted)
    assert clock.take() == 0


def test_a_mouse_that_rests_does_nothing(viewer: Viewer, clock: ActiveClock, time: Time) -> None:
    """Qt tells where it is when something opens under it."""
    move_to(canvas(viewer), 50)
    time.pass_by(LONG)
    move_to(canvas(viewer), 50)
    assert clock.seconds == GRACE_SECONDS
    time.pass_by(SHORT)
    assert clock.seconds == GRACE_SECONDS


def test_a_key_of_a_shortcut_is_something_done(
    qtbot: Any, viewer: Viewer, clock: ActiveClock, time: Time
) -> None:
    """Accept and next are such keys: no press is told of them."""
    hit: list[int] = []
    shortcut = QShortcut("Ctrl+Alt+F9", window_of(viewer))
    shortcut.activated.connect(lambda: hit.append(1))
    time.pass_by(SHORT)
    keys = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(window_of(viewer).windowHandle(), Qt.Key.Key_F9, keys)
    assert hit == [1]
    assert clock.seconds == SHORT
    shortcut.setParent(None)
    shortcut.deleteLater()


def test_nothing_counts_before_the_start_and_after_the_stop(qtbot: Any, viewer: Viewer, time: Time) -> None:
    """And a second start, or stop, does nothing."""
    activate(qtbot, window_of(viewer))
    clock = ActiveClock(window_of(viewer), now=time)
    time.pass_by(5)
    move_to(canvas(viewer), 50)
    assert clock.seconds == 0
    clock.start()
    time.pass_by(5)
    clock.start()
    assert clock.seconds == 5
    clock.stop()
    time.pass_by(5)
    move_to(canvas(viewer), 60)
    clock.stop()
    assert (clock.seconds, clock.take(), clock.take()) == (5, 5, 0)
    clock.start()
    time.pass_by(2)
    clock.stop()
    assert (clock.seconds, clock.take()) == (7, 2)


def test_nothing_counts_while_another_window_is_the_active_one(
    qtbot: Any, viewer: Viewer, clock: ActiveClock, time: Time
) -> None:
    """The mouse may be over ours and turn its wheel; what was before the change counts as if something was done."""
    other = QWidget()
    time.pass_by(SHORT)
    activate(qtbot, other)
    assert clock.seconds == SHORT
    time.pass_by(5)
    move_to(canvas(viewer), 60)
    wheel(canvas(viewer))
    time.pass_by(5)
    assert clock.seconds == SHORT
    activate(qtbot, window_of(viewer))
    time.pass_by(4)
    assert clock.seconds == SHORT + 4
    other.close()
    other.deleteLater()


def test_a_window_of_napari_s_window_is_napari_s(qtbot: Any, viewer: Viewer, clock: ActiveClock, time: Time) -> None:
    """A view on a second screen, a dock that floats, a dialog."""
    view = QWidget(window_of(viewer), Qt.WindowType.Window)
    activate(qtbot, view)
    time.pass_by(SHORT)
    move_to(view, 20)
    assert clock.seconds == SHORT
    view.close()
    view.deleteLater()


def test_a_window_that_is_gone_counts_nothing(qtbot: Any, time: Time) -> None:
    """But for the first seconds of the pause in which it went; nor is it kept alive."""
    window, other = QMainWindow(), QWidget()
    activate(qtbot, window)
    clock = ActiveClock(window, now=time)
    clock.start()
    time.pass_by(5)
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not isalive(window)
    activate(qtbot, other)
    time.pass_by(LONG)
    move_to(other, 20)
    assert 5 <= clock.take() <= GRACE_SECONDS
    time.pass_by(LONG)
    assert clock.take() == 0
    clock.stop()
    other.close()
    other.deleteLater()
