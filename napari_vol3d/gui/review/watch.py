"""What a session does by the clock: where the person is, how long they work, what others have done meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from napari_vol3d.gui.review.clock import ActiveClock
from napari_vol3d.gui.review.holding import is_free

if TYPE_CHECKING:
    from napari_vol3d.gui.review.session import Session
    from napari_vol3d.review.project.records import Row

SEEN_MS = 300  # until keys judge what is shown
PLACE_MS = 2_000  # after the last move; who is killed comes back there
STOCK_MS = 20_000
Place = Callable[[], Mapping[str, Any]]


class Watch(QObject):
    """Runs while a case is on the canvas.

    Attributes
    ----------
    seen : bool
        Whether the case has been on the screen for a moment: a key that was hit before was not meant for it.
    """

    def __init__(self, session: Session, place: Place) -> None:
        super().__init__(session)
        self._session, self._place = session, place
        self._kept: Mapping[str, Any] = {}
        self.seen = False
        self.clock = ActiveClock(session.desk.viewer.window._qt_window, parent=self)
        self._look, self._stock = self._timer(PLACE_MS, self._look_around), self._timer(STOCK_MS, self._take_stock)
        self._seen = self._timer(SEEN_MS, self._on_seen)
        self._seen.setSingleShot(True)

    def start(self) -> None:
        """Begin with a case that has just come."""
        self._kept = self._place()
        for timer in (self._look, self._stock, self._seen):
            timer.start()
        self.clock.take()
        self.clock.start()

    def stop(self) -> None:
        """Keep where the person is and how long they were there, while the case is still on the canvas."""
        self.seen = False
        for timer in (self._look, self._stock, self._seen):
            timer.stop()
        self._keep_place()
        self.keep_seconds()
        self.clock.stop()

    def keep_seconds(self) -> None:
        """Count the time since this was last done."""
        session, seconds = self._session, self.clock.take()
        if session.shown is not None and seconds > 0 and session.held is None:
            session.clerk.do(partial(session.project.add_seconds, session.current, seconds))
            session.refresh_row(session.current)

    def _look_around(self) -> None:
        """Keep where the person is; of a case that somebody else has, see whether they still do."""
        session = self._session
        if session.held is not None:
            asked = session.current
            session.clerk.do(partial(is_free, session.project, asked), partial(self._on_free, asked))
        self._keep_place()

    def _on_free(self, reading: str, free: bool) -> None:
        session = self._session
        if free and reading == session.current and session.held is not None:
            session.again(reading, None)

    def _take_stock(self) -> None:
        """Count the time, and hear what others have done."""
        self.keep_seconds()
        session = self._session
        session.clerk.do(partial(session.project.rows, session.reader), self._on_rows)

    def _on_rows(self, rows: Sequence[Row]) -> None:
        known = self._session.rows
        for row in rows:
            if row.reading.key in known and row != known[row.reading.key]:
                self._session.set_row(row)

    def _on_seen(self) -> None:
        self.seen = True

    def _keep_place(self) -> None:
        session, shown = self._session, self._session.shown
        if shown is None or session.held is not None or shown.labels not in session.desk.viewer.layers:
            return  # who took the layers away has left no slice to come back to
        place = self._place()
        if place != self._kept:
            self._kept = place
            session.clerk.do(partial(session.project.keep_place, session.current, place))

    def _timer(self, milliseconds: int, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.timeout.connect(then)
        return timer
