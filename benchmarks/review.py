"""How quick a project is: 2,000 cases to open, filter and search; from one 512^3 scan to the next.

Run by hand: `python benchmarks/review.py [--json FILE] [--quick] [--repeats N]`; where there is no display the window
opens in a virtual one (xvfb-run). The project has a prediction for each case and 300 accepted versions, each with a
correction in the journal. Medians over the repeats; times end when what changed is drawn.

- `open_s`: the file is opened, and all rows are read; `list_s`: from there to the worklist on the screen in a window,
  opening included (target 2 s)
- `filter_ms`, `search_ms`, `sort_ms`: another status, words, order (target 100 ms); a search begins 150 ms after the
  last letter, which is not counted
- `switch_s`, `switch_p95_s`: from the key to the next scan, its labels under correction, once both are preloaded
  (target 1 s). Of that `claim_s`: until the last scan is gone from the canvas and the next is this person's; `show_s`:
  its layers are made; `draw_s`: the rest. `settle_s`: from the key until nothing more is done
- `switch_four_s`, `settle_four_s`: the same with the four views open
- `preload_s`: a scan and its prediction are read, in a thread meanwhile
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from common import Figures, arguments, finish, machine, tell
from numpy.typing import NDArray
from reading import EDGE, QUICK_EDGE, SCREEN, WINDOW, events, until, wait

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume

if TYPE_CHECKING:
    from napari_vol3d.gui.review.session import Session
    from napari_vol3d.gui.review_room import ReviewRoom
    from napari_vol3d.review.project.records import Row
    from napari_vol3d.review.project.store import Project

CASES, QUICK_CASES, ACCEPTED = 2_000, 200, 0.15
SMALL = (24, 40, 32)
SCANS = (".nii.gz", ".nii.gz", ".nii")  # files; cases take turns with them
SWITCHES, FOUR = 10, 4  # in one view, and in four
CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))


def main() -> None:
    """Make two projects, open a window for each, print what was measured."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    chosen = parser.parse_args()
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.execvp(SCREEN[0], [*SCREEN, sys.executable, *sys.argv])
    count, edge = (QUICK_CASES, QUICK_EDGE) if chosen.quick else (CASES, EDGE)
    if chosen.quick:
        tell(f"Quick: {count} cases instead of {CASES:,}, scans of {edge}^3 instead of {EDGE}^3.")
    figures: Figures = machine("napari", "sqlalchemy", "PyQt5") | {"cases": count, "edge": edge}
    with tempfile.TemporaryDirectory(prefix="vol3d-bench-") as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "settings.yaml")
        os.environ["VOL3D_JOURNALS"] = str(Path(folder) / "journals")
        figures |= worklist(many(Path(folder) / "many", count), chosen.repeats)
        figures |= switching(large(Path(folder) / "large", edge))
    finish(figures, chosen.json)


# ---- projects -------------------------------------------------------------------------------------------------------


def many(folder: Path, count: int) -> Path:
    """Make a project of many small cases, some of them corrected and accepted; gives its file."""
    from napari_vol3d.review.project.records import Case, ImageRef
    from napari_vol3d.review.project.store import Project

    tell(f"Making a project of {count:,} cases.")
    names = [f"sub-{number:05d}_T1w" for number in range(count)]
    cases = [Case(name=name, code=name, images=(ImageRef(path=f"images/{name}.nii.gz"),)) for name in names]
    project = Project.create(folder / "many.vol3d", name="many", cases=cases, classes=CLASSES)
    rng = np.random.default_rng(3)
    for place, row in enumerate(project.rows()):
        labels = blocks(SMALL, rng)
        predicted(project, row, labels, score=float(rng.random()))
        if place < ACCEPTED * count:
            corrected(project, row, labels.astype(np.uint16))
    return project.path


def large(folder: Path, edge: int) -> Path:
    """Make a project of large scans, each with a prediction; gives its file."""
    from napari_vol3d.io.nifti import write_nifti
    from napari_vol3d.review.project.records import Case, ImageRef
    from napari_vol3d.review.project.store import Project

    tell(f"Making scans of {edge}^3.")
    rng = np.random.default_rng(4)
    (folder / "images").mkdir(parents=True)
    base = rng.integers(-200, 200, (edge,) * 3, np.int16)
    files = []
    for number, suffix in enumerate(SCANS):
        scan = Volume(data=base + np.int16(number), geometry=Geometry.from_spacing((0.5,) * 3), name=f"scan {number}")
        files.append(write_nifti(folder / "images" / f"scan_{number}{suffix}", scan).name)
    cases = [
        Case(name=f"case {place}", code=f"case_{place}", images=(ImageRef(path=f"images/{files[place % len(files)]}"),))
        for place in range(SWITCHES + FOUR + 1)
    ]
    project = Project.create(folder / "large.vol3d", name="large", cases=cases, classes=CLASSES)
    for row in project.rows():
        predicted(project, row, blocks((edge,) * 3, rng), score=0.5)
    return project.path


def blocks(shape: tuple[int, int, int], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Give sparse labels: two blocks."""
    labels = np.zeros(shape, np.uint8)
    for class_id in (1, 2):
        start = [int(rng.integers(n // 8, n // 2)) for n in shape]
        labels[tuple(slice(a, a + n // 4) for a, n in zip(start, shape, strict=True))] = class_id
    return labels


def predicted(project: Project, row: Row, labels: NDArray[np.uint8], *, score: float) -> None:
    """Keep a prediction with the places that go with it."""
    from napari_vol3d.review.project.foreseen import keep_prediction
    from napari_vol3d.review.project.records import Foreseen

    place = {"words": "uncertain border of anterior, z 12", "score": score, "centre": [12.0, 20.0, 16.0],
             "start": [8, 16, 12], "stop": [16, 24, 20], "class_id": 1, "voxels": 120}  # fmt: skip
    made = Foreseen(case=row.case.key, model="m 1.0", model_sha256="ab" * 32, score=score, places=(place,) * 10)
    keep_prediction(project, made, labels)


def corrected(project: Project, row: Row, labels: NDArray[np.uint16]) -> None:
    """Correct a case in the journal, and accept it."""
    from napari_vol3d.core.edits import Edit
    from napari_vol3d.review.project.accepting import accept
    from napari_vol3d.review.project.records import Version
    from napari_vol3d.review.records import Layer

    layer = Layer(scan="", name=f"{row.case.name} labels", shape=labels.shape, dtype="uint16", key=row.reading.key)
    project.journal.add_layer(layer, base=labels)
    edit = Edit.between("Paint", labels[2:4].copy(), np.ones_like(labels[2:4]), start=(2, 0, 0))
    if edit is None:
        raise SystemExit("Nothing was corrected.")
    token = project.journal.append(layer, edit)
    edit.apply(labels)
    project.add_seconds(row.reading.key, 90.0)
    accept(project, Version(reading=row.reading.key, number=0, who="ann", cursor=token), labels)


# ---- the worklist ---------------------------------------------------------------------------------------------------


def worklist(path: Path, repeats: int) -> Figures:
    """Open a project of many cases, and use its list."""
    from napari_vol3d.gui.forms.worklist_order import Column
    from napari_vol3d.review.project.store import Project

    opened = [timed(lambda: Project.open(path).rows()) for _ in range(repeats)]
    with window() as room:
        listed = [timed(lambda: listing(room, path)) for _ in range(repeats)]
        form = room.panel.ui.worklist
        filters = [timed(lambda name=name: choose(form, name)) for name in ("accepted", "predicted", "all") * repeats]
        words = [timed(lambda text=text: look_for(form, text)) for text in ("sub 19", "sub-0007", "") * repeats]
        orders = [timed(lambda order=order: sort_by(form, order)) for order in (Column.SCORE, Column.NAME) * repeats]
    return {
        "open_s": statistics.median(opened), "list_s": statistics.median(listed), "list_first_s": listed[0],
        "filter_ms": 1000 * statistics.median(filters), "search_ms": 1000 * statistics.median(words),
        "sort_ms": 1000 * statistics.median(orders), "slowest_ms": 1000 * max(*filters, *words, *orders),
    }  # fmt: skip


def listing(room: ReviewRoom, path: Path) -> None:
    """Open a project until its list is drawn."""
    room.close_project()
    room.open_project(path)
    until(lambda: room.session is not None and bool(room.panel.ui.worklist.shown()))
    room.panel.ui.worklist.view.viewport().repaint()


def choose(form: Any, name: str) -> None:
    """List what has a status."""
    form.choice.setCurrentIndex(form.choice.findData(name))
    form.choice.activated.emit(form.choice.currentIndex())
    form.view.viewport().repaint()


def look_for(form: Any, text: str) -> None:
    """List what has these words; the pause after the last letter is over."""
    form.search.setText(text)
    form._want()
    form.view.viewport().repaint()


def sort_by(form: Any, order: Any) -> None:
    """Sort by a column."""
    form.view.horizontalHeader().sectionClicked.emit(int(order))
    form.view.viewport().repaint()


# ---- switching ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Switch:
    """Seconds of one switch, from the key on."""

    claimed: float
    shown: float
    drawn: float
    settled: float


def switching(path: Path) -> Figures:
    """Go from scan to scan, each when the next is there."""
    preloads: list[float] = []
    with window() as room:
        room.open_project(path)
        until(lambda: room.session is not None and bool(room.session.rows))
        session = room.session
        if session is None:
            raise SystemExit("The project was closed.")
        first, *others = session.rows
        session.open(first)
        until(lambda: session.shown is not None)
        switches = [go_on(room, session, key, preloads) for key in others[:SWITCHES]]
        room._bench.show_only(None)
        wait(3.0)
        four = [go_on(room, session, key, preloads) for key in others[SWITCHES:]]
    drawn = [one.drawn for one in switches]
    return {
        "switches": len(switches),
        "switch_s": statistics.median(drawn),
        "switch_p95_s": float(np.percentile(drawn, 95)),
        "claim_s": statistics.median(one.claimed for one in switches),
        "show_s": statistics.median(one.shown - one.claimed for one in switches),
        "draw_s": statistics.median(one.drawn - one.shown for one in switches),
        "settle_s": statistics.median(one.settled for one in switches),
        "switch_four_s": statistics.median(one.drawn for one in four),
        "settle_four_s": statistics.median(one.settled for one in four),
        "preload_s": statistics.median(preloads),
    }


def go_on(room: ReviewRoom, session: Session, key: str, preloads: list[float]) -> Switch:
    """Go to the next scan once it is there; `preloads` gets the seconds until it was."""
    preloads.append(timed(lambda: preloaded(room, key)))
    wait(1.0)
    return switch(room, session, key)


def preloaded(room: ReviewRoom, key: str) -> None:
    """Wait until the next scan is in memory."""
    ahead = room.ahead
    until(lambda: ahead._ready is not None and ahead._ready.row.reading.key == key)


def switch(room: ReviewRoom, session: Session, key: str) -> Switch:
    """Press the key for the next scan; give the seconds until it is claimed, shown, drawn, and all is quiet."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    canvas = room._viewer.window._qt_viewer.canvas
    marks: dict[str, float] = {}
    show = session._show

    def noted(*values: Any) -> None:
        marks["claimed"] = time.perf_counter()
        show(*values)
        marks["shown"] = time.perf_counter()

    def note(event: object) -> None:
        if "shown" in marks:
            marks.setdefault("drawn", time.perf_counter())

    session._show = noted
    canvas._scene_canvas.events.draw.connect(note, position="last")
    began = time.perf_counter()
    QTest.keyClick(canvas.native, Qt.Key.Key_PageDown)
    until(lambda: "drawn" in marks)
    settled = quiet()
    canvas._scene_canvas.events.draw.disconnect(note)
    session._show = show
    if session.shown is None or session.shown.loaded.row.reading.key != key:
        raise SystemExit("The key opened another scan.")
    return Switch(*(marks[name] - began for name in ("claimed", "shown", "drawn")), settled - began)


# ---- the window -----------------------------------------------------------------------------------------------------


@contextmanager
def window() -> Iterator[ReviewRoom]:
    """A window with the worklist in it."""
    import napari

    from napari_vol3d.gui.workbench import Workbench

    viewer = napari.Viewer(title="review")
    viewer.window.resize(*WINDOW)
    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, name="Vol3D", area="right")
    bench._show_review()
    room = bench.review()
    viewer.window._qt_window.activateWindow()
    wait(3.0)
    yield room
    bench.let_go()
    viewer.close()
    wait(0.5)


def timed(what: Callable[[], object]) -> float:
    """Give the seconds that something takes, until what is to be drawn is drawn."""
    began = time.perf_counter()
    what()
    events()
    return time.perf_counter() - began


def quiet() -> float:
    """Let the window live until nothing is done for three turns; give when the last thing ended."""
    last, calm = time.perf_counter(), 0
    while calm < 3:
        began = time.perf_counter()
        events()
        ended = time.perf_counter()
        calm, last = (calm + 1, last) if ended - began < 0.005 else (0, ended)
        time.sleep(0.001)
    return last


if __name__ == "__main__":
    main()
