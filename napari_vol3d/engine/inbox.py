"""The engine's ear: requests as they come down the pipe."""

from __future__ import annotations

import os
import queue
import shutil
import threading
from typing import TextIO

from napari_vol3d.engine.messages import REQUEST, Cancel, Fit, Focus, LoadModel, Segment


class Inbox:
    """Requests as they come: `Cancel` and `Focus` act at once, the others wait their turn.

    Attributes
    ----------
    waiting : SimpleQueue
        Work to do, in order.
    cancelled : Event
        Set when the running work should stop.
    focus : tuple of float or None
        Scan voxel (z, y, x) that the person looks at.
    """

    def __init__(self, source: TextIO, folder: str | None = None) -> None:
        self.waiting: queue.SimpleQueue[LoadModel | Segment | Fit] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self.focus: tuple[float, float, float] | None = None
        self._folder = folder
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def _read(self, source: TextIO) -> None:
        try:
            for line in source:
                self._take(line)
        finally:
            # The parent is gone, or talks nonsense: whatever is running is for nobody. A parent that was killed left
            # its folder, with the scan in it.
            if self._folder:
                shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(0)

    def _take(self, line: str) -> None:
        request = REQUEST.validate_json(line)
        if isinstance(request, Cancel):
            self.cancelled.set()
        elif isinstance(request, Focus):
            self.focus = request.point
        else:
            self.waiting.put(request)
