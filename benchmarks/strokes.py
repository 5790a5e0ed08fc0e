"""How soon a stroke is on the screen: our ball brush, and napari's own brush, on labels of 512^3 voxels.

Run by hand: `python benchmarks/strokes.py [--json FILE] [--quick] [--repeats N]`; where there is no display the window
opens in a virtual one (xvfb-run). Strokes are real mouse events on the canvas; the time is from a move of the mouse to
the first drawing of that canvas after its voxels have changed there, medians and the 95th percentile over all moves:

- `brush_ms`, `brush_p95_ms`: our ball of 20 voxels across, one view; `press_ms`: the press that begins a stroke
- `brush_four_ms`: with the four views open; `brush_sagittal_ms`: in the sagittal one of them
- `napari_ms`: napari's brush of the same size in the same window, one view
- `release_ms`: the release that ends a stroke: the step is in the history, and on its way to the journal
- `first_release_ms`: the first of all, which also hands the labels as they were to the journal
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from typing import TYPE_CHECKING, Any

from common import Figures, arguments, finish, machine, tell
from reading import EDGE, QUICK_EDGE, SCREEN, WINDOW, events, phantom, wait

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_vol3d.gui.bench.view import View

MOVES, SETTLE_S, ACROSS = 25, 3.0, 20
STEP = 9  # pixels between moves
LONGEST_S = 5.0


def main() -> None:
    """Open a window, paint, print what was measured."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.execvp(SCREEN[0], [*SCREEN, sys.executable, *sys.argv])
    edge = QUICK_EDGE if chosen.quick else EDGE
    if chosen.quick:
        tell(f"Quick: a volume of {edge}^3 instead of {EDGE}^3.")
    figures: Figures = machine("napari", "vispy", "PyQt5") | {"edge": edge, "repeats": chosen.repeats, "moves": MOVES}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VOL3D_JOURNALS"] = folder
        found = measure(edge, chosen.repeats)
    finish(figures | found, chosen.json)


def measure(edge: int, repeats: int) -> Figures:
    """Measure one window."""
    import napari

    from napari_vol3d.gui.bench.planes import Plane
    from napari_vol3d.gui.workbench import Workbench

    viewer = napari.Viewer(title="strokes")
    viewer.window.resize(*WINDOW)
    scan, labels = phantom(edge)
    viewer.add_image(scan, contrast_limits=(-1000, 1000), units="mm")
    layer = viewer.add_labels(labels.astype("uint16"), units="mm")
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, name="Vol3D", area="right")
    room = bench.correct()
    bench.reading.bench.close()
    wait(SETTLE_S)
    own = bench.reading.bench.views[0]
    layer.selected_label, layer.brush_size, layer.mode = 2, ACROSS, "paint"
    theirs = [paint(own, layer) for _ in range(repeats)]
    room.panel.take("BallBrush")
    room.panel.tools["BallBrush"].size_form.setValue(float(ACROSS))
    ours = [paint(own, layer) for _ in range(repeats)]
    bench.reading.bench.show_only(None)
    wait(SETTLE_S)
    four = [paint(bench.reading.bench.view(Plane.AXIAL), layer) for _ in range(repeats)]
    side = [paint(bench.reading.bench.view(Plane.SAGITTAL), layer) for _ in range(repeats)]
    steps = len(room.desk.record.history.steps)
    bench.let_go()
    viewer.close()
    moves = [ms for stroke in ours for ms in stroke[1]]
    return {
        "steps": steps,
        "brush_ms": statistics.median(moves),
        "brush_p95_ms": sorted(moves)[int(0.95 * len(moves))],
        "press_ms": statistics.median(stroke[0] for stroke in ours),
        "release_ms": statistics.median(stroke[2] for stroke in ours),
        "first_release_ms": theirs[0][2],
        "brush_four_ms": median_move(four),
        "brush_sagittal_ms": median_move(side),
        "napari_ms": median_move(theirs),
        "ratio_to_napari": statistics.median(moves) / median_move(theirs),
    }


Stroke = tuple[float, list[float], float]


def median_move(strokes: list[Stroke]) -> float:
    """Give the median time of a move."""
    return statistics.median(ms for stroke in strokes for ms in stroke[1])


def paint(view: View, layer: Labels) -> Stroke:
    """Paint one stroke across the middle of a view; give the ms of the press, of each move, of the release."""
    from qtpy.QtCore import QEvent, QPoint

    layer.selected_label = 3 if layer.selected_label == 4 else 4  # or there would be nothing to change
    size = view.native.size()
    start = QPoint(size.width() // 2 - STEP * MOVES // 2, size.height() // 2)
    send(view, QEvent.Type.MouseMove, start, held=False)
    wait(0.3)
    press = timed(view, layer, QEvent.Type.MouseButtonPress, start)
    moves = [
        timed(view, layer, QEvent.Type.MouseMove, start + QPoint(STEP * k, 2 * (k % 3))) for k in range(1, MOVES + 1)
    ]
    began = time.perf_counter()
    send(view, QEvent.Type.MouseButtonRelease, start + QPoint(STEP * MOVES, 0), held=False)
    events()
    release = 1000 * (time.perf_counter() - began)
    wait(0.5)
    return press, moves, release


def timed(view: View, layer: Labels, kind: Any, place: Any) -> float:
    """Send an event, and give the ms until its canvas is drawn with other voxels."""
    changed: list[float] = []
    drawn: list[float] = []

    def hear(event: object) -> None:
        changed.append(time.perf_counter())

    def note(event: object) -> None:
        if changed:
            drawn.append(time.perf_counter())

    shown, canvas = view.shows(layer), view.qt_viewer.canvas._scene_canvas
    wait(0.02)  # what else there is to draw
    shown.events.labels_update.connect(hear)
    canvas.events.draw.connect(note, position="last")
    began = time.perf_counter()
    send(view, kind, place, held=True)
    while not drawn:
        events()
        if time.perf_counter() > began + LONGEST_S:
            raise SystemExit("The stroke changed nothing that is drawn.")
    canvas.events.draw.disconnect(note)
    shown.events.labels_update.disconnect(hear)
    return 1000 * (drawn[-1] - began)


def send(view: View, kind: Any, place: Any, *, held: bool) -> None:
    """Send an event of the left button to a canvas, as Qt does."""
    from qtpy.QtCore import QPointF, Qt
    from qtpy.QtGui import QMouseEvent
    from qtpy.QtWidgets import QApplication

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if "Move" in str(kind) or kind == 5 else left
    event = QMouseEvent(
        kind, QPointF(place), QPointF(view.native.mapToGlobal(place)), button, left if held else none,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(view.native, event)


if __name__ == "__main__":
    main()
