"""The window of `latency.py`: opens a volume, presses Segment, and prints the gaps of a 10 ms timer as JSON.

napari's canvas is not painted, so that a software OpenGL does not count; everything else of the window is. With a third
argument, `four`, the four views of the reading bench are open and all is painted.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import napari  # noqa: TID253 - this process is for the window
import numpy as np
from common import tell
from qtpy.QtCore import Qt, QTimer  # noqa: TID253
from qtpy.QtWidgets import QApplication  # noqa: TID253

TICK_MS = 10
WAKE_MS = 250  # between looks whether the engine is awake and Segment can be pressed


class Watch:
    """Presses Segment twice - the first run warms the engine up - and notes the ticks during the second."""

    def __init__(self, viewer: napari.Viewer, panel: Any) -> None:
        self._viewer, self._panel = viewer, panel
        self._runs = 0
        self._ticks: list[float] = []
        self.outcome, self.seconds = "never started", 0.0
        self._clock = QTimer()
        self._clock.setTimerType(Qt.TimerType.PreciseTimer)
        self._clock.setInterval(TICK_MS)
        self._clock.timeout.connect(self._tick)
        self._start = QTimer()
        self._start.setInterval(WAKE_MS)
        self._start.timeout.connect(self._press)
        self._start.start()

    @property
    def gaps_ms(self) -> np.ndarray:
        """Milliseconds between ticks."""
        return np.diff(self._ticks) * 1e3

    def _tick(self) -> None:
        self._ticks.append(time.perf_counter())

    def _press(self) -> None:
        if not self._panel.ui.run.isEnabled():
            return
        self._start.stop()
        self._runs += 1
        self.outcome = "never ended"
        if self._runs == 2:
            self._clock.start()
        self._panel.ui.run.click()
        self._panel.job.succeeded.connect(self._succeeded)
        self._panel.job.failed.connect(self._failed)
        self._panel.job.ended.connect(self._ended)

    def _succeeded(self, prediction: Any) -> None:
        self.outcome, self.seconds = "succeeded", float(prediction.seconds)

    def _failed(self, problem: object) -> None:
        self.outcome = str(problem)

    def _ended(self) -> None:
        if self._runs < 2 and self.outcome == "succeeded":
            # Another scan, so that no cached result answers.
            (layer,) = [layer for layer in self._viewer.layers if layer.name == "scan"]
            layer.data = layer.data + np.uint16(1)
            self._start.start()
        else:
            self._clock.stop()
            self._viewer.close()


def main() -> None:
    """Measure and print."""
    scan, model = Path(sys.argv[1]), sys.argv[2]
    viewer = napari.Viewer()
    viewer.window.resize(1360, 860)
    _, bench = viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
    viewer.add_image(np.load(scan), name="scan", units=("mm",) * 3)
    if sys.argv[3:] == ["four"]:
        bench.reading.bench.show_only(None)
    else:
        viewer.window._qt_viewer.canvas.native.setUpdatesEnabled(False)
    bench.segment.choose_model(model)
    QApplication.processEvents()
    watch = Watch(viewer, bench.segment)
    napari.run()
    bench.let_go()
    gaps = watch.gaps_ms
    if watch.outcome != "succeeded" or not len(gaps):
        sys.exit(f"The run in the window did not succeed: {watch.outcome}")
    figures = {
        "gui_stall_p99_ms": float(np.percentile(gaps, 99)),
        "gui_stall_median_ms": float(np.median(gaps)),
        "gui_stall_max_ms": float(gaps.max()),
        "gui_ticks": len(gaps),
        "gui_run_s": watch.seconds,
    }
    tell(json.dumps(figures))


if __name__ == "__main__":
    main()
