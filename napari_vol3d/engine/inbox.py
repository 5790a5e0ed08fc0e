"""The engine's ear: requests as they come down the pipe."""

from __future__ import annotations

import os
import queue
import threading
from typing import TextIO

from napari_vol3d.engine.broom import Broom
from napari_vol3d.engine.messages import OUT_OF_MEMORY, REQUEST, Cancel, Request


class Inbox:
    """Requests as they come: a `Cancel` acts at once, and waits its turn too, to be answered when all is quiet.

    Attributes
    ----------
    waiting : SimpleQueue
        Work to do, in order.
    cancelled : Event
        Set from the moment a `Cancel` arrives until its turn has come: what runs should stop, what waits be dropped.
    """

    def __init__(self, source: TextIO, broom: Broom | None = None) -> None:
        self.waiting: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self._broom = broom
        threading.Thread(target=self._read, args=(source,), daemon=True).start()

    def _read(self, source: TextIO) -> None:
        try:
            for line in source:
                self._take(line)
        except MemoryError:  # the parent goes on, with another process in the same folder
            os._exit(OUT_OF_MEMORY)
        finally:
            # The parent is gone, or talks nonsense: whatever is running is for nobody. A parent that was killed left
            # its folder, with the scan in it.
            if self._broom:
                self._broom.sweep()
            os._exit(0)

    def _take(self, line: str) -> None:
        request = REQUEST.validate_json(line)
        if isinstance(request, Cancel):
            self.cancelled.set()
        self.waiting.put(request)
