"""How soon a person sees, stops, and moves on: first slice, cancel to quiet, stalls of the window.

Run by hand: `python benchmarks/latency.py [--json FILE] [--quick]` in an environment that holds napari and PyQt; where
there is no display the window opens in a virtual one (xvfb-run).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import psutil
from common import (
    KEPT,
    QUICK_STEPS,
    REPO,
    STEPS,
    Figures,
    arguments,
    arrange_cache,
    finish,
    kept_model,
    machine,
    nuclei_volume,
    run_to_end,
    tell,
    variant,
)

from napari_vol3d.core.focus import Focus
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

WINDOW_SECONDS = 0.1  # a process is quiet from the start of the first such stretch ...
MOST_TICKS = 0.011  # ... in which it uses no more CPU than one tick of the kernel's clock
GIVE_UP_SECONDS = 20.0
GUI_SECONDS = 900  # the longest that the window may take


class Clock:
    """Notes when every voxel of the slice in focus has arrived."""

    def __init__(self, volume: Volume) -> None:
        z, y, x = volume.shape
        self.level = int(0.4 * z)
        self.focus = Focus(point=(float(self.level), y / 2, x / 2), axis=0)
        self._arrived = np.zeros((y, x), bool)
        self._began = time.perf_counter()
        self.first_slice: float | None = None

    def look(self) -> Focus:
        """Give where a person would look."""
        return self.focus

    def note(self, progress: Progress) -> None:
        """Take a report."""
        box = progress.finished
        if self.first_slice is None and box is not None and box.start[0] <= self.level < box.stop[0]:
            self._arrived[box.slices[1:]] = True
            if self._arrived.all():
                self.first_slice = self.seconds

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.perf_counter() - self._began


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--cancels", type=int, help="random moments; 100, or 10 with --quick")
    parser.add_argument("--repeats", type=int, help="runs for the first slice; 5, or 2 with --quick")
    parser.add_argument("--edge", type=int, help="of the volume; 224, or 112 with --quick")
    parser.add_argument("--memory-gb", type=float, default=None, help="our memory budget; what a person gets if absent")
    chosen = parser.parse_args()
    arrange_cache()
    cancels, repeats = chosen.cancels or (10 if chosen.quick else 100), chosen.repeats or (2 if chosen.quick else 5)
    edge = chosen.edge or (112 if chosen.quick else 224)
    settings = SegmentSettings() if chosen.memory_gb is None else SegmentSettings(memory_gb=chosen.memory_gb)
    if chosen.quick:
        tell(f"Quick: a volume of {edge}^3 instead of 224^3, and {cancels} cancels instead of 100.")
    model = kept_model(steps=QUICK_STEPS if chosen.quick else STEPS)
    volume = nuclei_volume((edge,) * 3)
    figures: Figures = machine("napari") | {"edge": edge, "cancels": cancels}
    figures |= first_slices(volume, model, settings, repeats)
    figures |= bundled_slice(settings, repeats)
    figures |= cancelling(volume, model, settings, cancels, float(figures["run_s"] or 0))
    figures |= stalls(volume, model)
    figures |= {f"four_{key}": value for key, value in stalls(variant(volume, 2), model, "four").items()}
    finish(figures, chosen.json)


# ---- first slice ----------------------------------------------------------------------------------------------------


def first_slices(volume: Volume, model: Model, settings: SegmentSettings, repeats: int) -> Figures:
    """Time the slice in focus against the whole run; the engine is warm."""
    slices, wholes = timed(volume, model, settings, repeats)
    share = statistics.median(a / b for a, b in zip(slices, wholes, strict=True))
    tell(f"first slice after {share:.0%} of the run")
    return {"first_slice_share": share, "run_s": statistics.median(wholes)}


def bundled_slice(settings: SegmentSettings, repeats: int) -> Figures:
    """Time the slice in focus of the bundled model on its sample; the engine is warm."""
    sample = read_volume(REPO / "sample_data" / "hippocampus_average.nii.gz")
    slices, wholes = timed(sample, find_model("hippocampus-t1"), settings, repeats)
    return {"first_slice_s": statistics.median(slices), "sample_run_s": statistics.median(wholes)}


def timed(volume: Volume, model: Model, settings: SegmentSettings, repeats: int) -> tuple[list[float], list[float]]:
    """Give the seconds to the full slice in focus and to the end, of each run but the first, which warms up."""
    slices, wholes = [], []
    engine = Engine(device=settings.device)
    try:
        for turn in range(repeats + 1):
            scan = variant(volume, turn)
            clock = Clock(scan)
            run_to_end(segment(scan, model, settings, focus=clock.look, engine=engine), clock.note)
            whole = clock.seconds
            slices.append(whole if clock.first_slice is None else clock.first_slice)
            wholes.append(whole)
    finally:
        engine.close()
    return slices[1:], wholes[1:]


# ---- cancel ---------------------------------------------------------------------------------------------------------


def cancelling(volume: Volume, model: Model, settings: SegmentSettings, count: int, run_s: float) -> Figures:
    """Close the verb at random moments of a run, and time until the engine is quiet.

    An engine that was killed to be quiet is quiet; how often that was needed is told, since the next run waits for
    a new one.
    """
    moments = np.random.default_rng(0).uniform(0, run_s, count)
    delays, kills = [], 0
    engine = warm(volume, model, settings)
    try:
        for turn, moment in enumerate(moments):
            delays.append(cancel_once(variant(volume, 1 + turn), model, settings, engine, float(moment)))
            if not engine.alive:
                kills += 1
                engine.close()
                engine = warm(volume, model, settings)
            if turn % 10 == 9:
                tell(f"{turn + 1} cancels, the slowest {max(delays):.3f} s, engine killed {kills} times")
    finally:
        engine.close()
    return {
        "cancel_max_s": max(delays), "cancel_median_s": statistics.median(delays),
        "cancel_p95_s": float(np.percentile(delays, 95)), "cancel_kills": kills,
    }  # fmt: skip


def warm(volume: Volume, model: Model, settings: SegmentSettings) -> Engine:
    """Give an engine that has computed this shape once."""
    engine = Engine(device=settings.device)
    run_to_end(segment(volume, model, settings, engine=engine))
    return engine


def cancel_once(volume: Volume, model: Model, settings: SegmentSettings, engine: Engine, moment: float) -> float:
    """Run until `moment` (s), cancel, and give the seconds until the engine is quiet.

    A verb can be stopped when it reports: waiting for its next report is part of the time.
    """
    began = time.perf_counter()
    with closing(segment(volume, model, settings, engine=engine)) as verb:
        for _ in verb:
            if time.perf_counter() - began >= moment:
                break
        asked = min(began + moment, time.perf_counter())
    return quiet_at(engine.process.pid) - asked


def quiet_at(pid: int) -> float:
    """Wait until the process is gone or idle; give when it became so."""
    start = time.perf_counter()
    try:
        process = psutil.Process(pid)
        used = busy(process)
        while time.perf_counter() - start < GIVE_UP_SECONDS:
            window = time.perf_counter()
            before = used
            time.sleep(WINDOW_SECONDS)
            used = busy(process)
            if used - before <= MOST_TICKS:
                return window
    except psutil.NoSuchProcess:
        return start
    return time.perf_counter()


def busy(process: psutil.Process) -> float:
    """Give the CPU seconds that it has used; a zombie uses none."""
    times = process.cpu_times()
    return float(times.user + times.system)


# ---- window ---------------------------------------------------------------------------------------------------------


def stalls(volume: Volume, model: Model, *views: str) -> Figures:
    """Segment in a real window, in a process without TensorFlow, and give the gaps between ticks of a 10 ms timer.

    `four`: with the four views of the reading bench, drawn.
    """
    with tempfile.TemporaryDirectory() as folder:
        scan = Path(folder) / "scan.npy"
        np.save(scan, volume.data)
        command = [sys.executable, str(Path(__file__).with_name("window.py")), str(scan), model.card.name, *views]
        environment = os.environ | {"VOL3D_MODELS": str(KEPT)}
        if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            if shutil.which("xvfb-run") is None:
                tell("No display and no xvfb-run: stalls of the window are not measured.")
                return {"gui_stall_p99_ms": None}
            command = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command]
            environment["QT_QPA_PLATFORM"] = "xcb"
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=GUI_SECONDS)
    if done.returncode:
        tell(f"The window did not run, its stalls are not measured: {done.stderr.strip().splitlines()[-1:]}")
        return {"gui_stall_p99_ms": None}
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
