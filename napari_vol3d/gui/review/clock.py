"""How long a person has worked: seconds of activity in napari's window, without those in which nothing was done.

One who looks at a slice without a move is at work too, for a while: a pause counts whole if it is short, and with its
first seconds only if it is long. A pause that is still going on counts with its first seconds until it has ended, so
the sum never falls.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable

from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QPointF
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

PAUSE_SECONDS = 60.0  # a longer one is no work
GRACE_SECONDS = 10.0  # what counts of such a one

# The keys of shortcuts come as overrides and as no press. Those that are held repeat themselves.
KINDS = frozenset({
    QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel,
    QEvent.Type.KeyPress, QEvent.Type.KeyRelease, QEvent.Type.ShortcutOverride, QEvent.Type.TabletPress,
    QEvent.Type.TabletMove, QEvent.Type.TabletRelease, QEvent.Type.TouchBegin, QEvent.Type.TouchUpdate,
    QEvent.Type.TouchEnd, QEvent.Type.NativeGesture,
})  # fmt: skip


class ActiveClock(QObject):
    """Counts while it is started and the window, or one that belongs to it, is the active one.

    Parameters
    ----------
    window : QWidget
        napari's main window; not kept alive.
    now : callable
        Gives seconds that never fall.
    pause, grace : float
        A pause of more than `pause` seconds counts `grace` seconds.
    """

    def __init__(
        self, window: QWidget, *, now: Callable[[], float] = time.monotonic, pause: float = PAUSE_SECONDS,
        grace: float = GRACE_SECONDS, parent: QObject | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._window, self._now = weakref.ref(window), now
        self._pause, self._grace = pause, grace
        self._counted = self._taken = 0.0
        self._last: float | None = None  # of the last thing that was done; None while nothing counts
        self._mouse: QPointF | None = None
        self._started = False

    def start(self) -> None:
        """Count from now on."""
        if self._started:
            return
        self._started = True
        program = QApplication.instance()
        program.installEventFilter(self)
        program.focusWindowChanged.connect(self._on_focus)
        self._last = self._now() if self._is_active() else None

    def stop(self) -> None:
        """Count no more; what was counted stays."""
        if not self._started:
            return
        self._started = False
        program = QApplication.instance()
        program.removeEventFilter(self)
        program.focusWindowChanged.disconnect(self._on_focus)
        self._counted, self._last, self._mouse = self.seconds, None, None

    @property
    def seconds(self) -> float:
        """All that was counted so far, over all starts."""
        return self._counted + min(self._since_last(), self._grace)

    def take(self) -> float:
        """Give the seconds that were counted since this was last asked."""
        seconds = self.seconds
        new, self._taken = seconds - self._taken, seconds
        return new

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """See what is done anywhere in the program; stops nothing."""
        kind = event.type()
        if kind in KINDS or (kind == QEvent.Type.MouseMove and self._has_moved(event)):
            self._done()
        return False

    def _done(self) -> None:
        """Something was done: the pause before it has ended."""
        if self._is_active():
            self._end_pause()
            self._last = self._now()

    def _on_focus(self, window: object) -> None:
        """Begin and end with the window's being the active one."""
        self._end_pause()
        self._last = self._now() if self._is_active() else None

    def _end_pause(self) -> None:
        since = self._since_last()
        self._counted += since if since <= self._pause else self._grace

    def _since_last(self) -> float:
        return 0.0 if self._last is None else self._now() - self._last

    def _has_moved(self, event: QMouseEvent) -> bool:
        """Whether the mouse is elsewhere: Qt tells of one that rests, too, when something opens under it."""
        place = event.globalPosition()
        moved = place != self._mouse
        self._mouse = place
        return moved

    def _is_active(self) -> bool:
        """Whether the window has the keyboard, or a view, dock or dialog of its own has."""
        window, active = self._window(), QApplication.activeWindow()
        if window is None or not isalive(window):
            return False
        while active is not None and active is not window:
            active = active.parentWidget()
        return active is not None
