"""How fast the reading bench turns slices: a 512^3 int16 scan with labels, in all three planes.

Run by hand: `python benchmarks/reading.py [--json FILE] [--quick] [--repeats N]`; where there is no display the window
opens in a virtual one (xvfb-run). Each slice is drawn before the next is asked for; medians over the repeats:

- `slices_per_s_axial`, `_coronal`, `_sagittal`: one view is turned in an open bench; `slices_per_s` is the slowest
- `slices_per_s_all`: the crosshair moves along all three axes at once, so that all three views turn
- `slices_per_s_napari`: napari's own view alone, as large as the bench, before that
- `open_s`: until the four views are drawn; `stall_ms`: the longest step on the way
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from common import Figures, arguments, finish, machine, tell
from numpy.typing import NDArray

if TYPE_CHECKING:
    import napari

    from napari_vol3d.gui.bench.bench import Bench

EDGE, QUICK_EDGE = 512, 128
STEPS, QUICK_STEPS = 120, 20
WINDOW = (1600, 950)
LONGEST_S = 120.0  # until something is so
SETTLE_S = 3.0  # layers are added, surfaces made, and napari's first toast is gone
SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
FLAT = {"axial": 0, "coronal": 1, "sagittal": 2}  # the axis that each cuts


def main() -> None:
    """Open a window, turn slices, print what was measured."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    chosen = parser.parse_args()
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.execvp(SCREEN[0], [*SCREEN, sys.executable, *sys.argv])
    edge, steps = (QUICK_EDGE, QUICK_STEPS) if chosen.quick else (EDGE, STEPS)
    if chosen.quick:
        tell(f"Quick: a volume of {edge}^3 instead of {EDGE}^3, {steps} slices a view instead of {STEPS}.")
    figures: Figures = machine("napari", "vispy", "PyQt5") | {"edge": edge, "slices": steps, "repeats": chosen.repeats}
    finish(figures | measure(edge, steps, chosen.repeats), chosen.json)


def measure(edge: int, steps: int, repeats: int) -> Figures:
    """Measure one window with a scan of `edge`^3 voxels."""
    import napari

    from napari_vol3d.gui.bench.renderer import budget_of
    from napari_vol3d.gui.reading_room import ReadingRoom

    viewer = napari.Viewer(title="reading")
    viewer.window.resize(*WINDOW)
    scan, labels = phantom(edge)
    viewer.add_image(scan, contrast_limits=(-1000, 1000), units="mm")
    viewer.add_labels(labels, units="mm")
    wait(SETTLE_S)
    alone = [per_second(steps, along_napari(viewer, steps)) for _ in range(repeats)]
    room = ReadingRoom(viewer)
    viewer.window.add_dock_widget(room.panel, name="Read", area="right")
    room.bench.close()
    wait(SETTLE_S)
    opened = [open_and_close(room.bench) for _ in range(repeats)]
    room.bench.show_only(None)
    wait(SETTLE_S)
    software = budget_of(room.bench.views[0]).software
    views = {
        name: statistics.median(per_second(steps, along(room.bench, [axis], steps)) for _ in range(repeats))
        for name, axis in FLAT.items()
    }
    together = [3 * per_second(steps, along(room.bench, [0, 1, 2], steps)) for _ in range(repeats)]
    room.let_go()
    viewer.close()
    return {
        "opengl": "software" if software else "graphics card",
        **{f"slices_per_s_{name}": found for name, found in views.items()},
        "slices_per_s": min(views.values()),
        "slices_per_s_all": statistics.median(together),
        "slices_per_s_napari": statistics.median(alone),
        "open_s": statistics.median(seconds for seconds, _ in opened),
        "stall_ms": statistics.median(stall for _, stall in opened),
    }


def phantom(edge: int) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Make a scan with something on each slice, and labels of two classes in it."""
    line = np.arange(edge, dtype=np.int32)
    scan = np.empty((edge,) * 3, np.int16)
    for z in range(edge):
        scan[z] = (3 * line[:, None] + 5 * line + 7 * z) % 2000 - 1000
    labels = np.zeros((edge,) * 3, np.uint8)
    outer, inner = slice(edge // 5, 4 * edge // 5), slice(2 * edge // 5, 3 * edge // 5)
    labels[outer, outer, outer] = 1
    labels[inner, inner, inner] = 2
    return scan, labels


def along_napari(viewer: napari.Viewer, steps: int) -> Callable[[int], None]:
    """Give what turns napari's own view."""
    first = (viewer.dims.nsteps[0] - steps) // 2

    def turn(step: int) -> None:
        viewer.dims.set_current_step(0, first + step)

    return turn


def along(bench: Bench, axes: Sequence[int], steps: int) -> Callable[[int], None]:
    """Give what turns the views that cut these axes."""
    ranges = bench.viewer.dims.range

    def turn(step: int) -> None:
        point = list(bench.point)
        for axis in axes:
            middle = (ranges[axis].start + ranges[axis].stop) / 2
            point[axis] = round(middle) + (step - steps // 2) * ranges[axis].step
        bench.go_to(point)

    return turn


def per_second(steps: int, turn: Callable[[int], None]) -> float:
    """Turn slice by slice, each drawn before the next; and give how many that are a second."""
    turn(0)
    wait(0.5)
    began = time.perf_counter()
    for step in range(1, steps):
        turn(step)
        events()
    return (steps - 1) / (time.perf_counter() - began)


def open_and_close(bench: Bench) -> tuple[float, float]:
    """Open the bench until it is drawn; give the seconds, and the longest step on the way in ms."""
    began = last = time.perf_counter()
    bench.open()
    longest, quiet = 0.0, 0
    while quiet < 3:  # three turns of the event loop with nothing much to do
        events()
        now = time.perf_counter()
        longest, quiet, last = max(longest, now - last), quiet + 1 if now - last < 0.005 else 0, now
        time.sleep(0.001)
    seconds = last - began
    wait(1.0)
    bench.close()
    wait(0.5)
    return seconds, 1000 * longest


def events() -> None:
    """Let Qt do what is to be done, drawing included."""
    from qtpy.QtWidgets import QApplication

    QApplication.processEvents()


def wait(seconds: float) -> None:
    """Let the window live for a while."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        events()
        time.sleep(0.001)


def until(condition: Callable[[], bool]) -> None:
    """Let the window live until something is so."""
    end = time.perf_counter() + LONGEST_S
    while not condition():
        events()
        time.sleep(0.001)
        if time.perf_counter() > end:
            raise SystemExit("The window did not get there.")


if __name__ == "__main__":
    main()
