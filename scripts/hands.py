"""A person at the real window, for the pictures: tools, boxes, lists and strokes are used with mouse and keys.

Only the way to a place (slice, zoom, layer) is short: it is set.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import napari  # noqa: TID253
from napari._qt.dialogs.qt_notification import NapariQtNotification  # noqa: TID253
from napari.layers import Labels  # noqa: TID253
from PIL import Image as Picture
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt  # noqa: TID253
from qtpy.QtGui import QMouseEvent  # noqa: TID253
from qtpy.QtTest import QTest  # noqa: TID253
from qtpy.QtWidgets import QAbstractSpinBox, QApplication, QComboBox, QPushButton, QScrollArea, QWidget  # noqa: TID253
from superqt import QCollapsible  # noqa: TID253

from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import Pixel, View
from napari_vol3d.gui.forms.class_model import LOCK, NAME
from napari_vol3d.gui.hooks import get_reader

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
NO_KEYS, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier,
)  # fmt: skip
WINDOW = (1165, 820)
WIDEST, COLOURS = 900, 256  # of a picture
Voxel = Sequence[float]


class Person:
    """A window with scans in it, and hands that use it.

    Parameters
    ----------
    paths : sequence of Path
        Opened one after the other, as if dropped.
    size : tuple of int
        Of the window.
    """

    def __init__(self, *paths: Path, size: tuple[int, int] = WINDOW) -> None:
        self.viewer = napari.Viewer(title="napari-vol3d")
        self.viewer.window.resize(*size)
        _, self.dock = self.viewer.window.add_plugin_dock_widget("napari-vol3d", "Vol3D")
        self.dock.consent.hide()
        self.wait(1)
        for toast in self.viewer.window._qt_window.findChildren(NapariQtNotification):
            toast.close()  # what napari says of the version of Qt
        for path in paths:
            self.open(path)

    def __enter__(self) -> Person:
        self.wait(2)
        return self

    def __exit__(self, *_: object) -> None:
        self.dock.let_go()
        self.viewer.close()
        self.wait(1)

    def open(self, path: Path) -> None:
        """Open a file as a drop does."""
        there, read = len(self.viewer.layers), get_reader(str(path))
        if read is None:
            raise FileNotFoundError(path)
        for layer in read(str(path)):
            if layer[0] is not None:
                getattr(self.viewer, f"add_{layer[2]}")(layer[0], **layer[1])
        self.wait(60, until=lambda: len(self.viewer.layers) > there)

    # ---- what is there ----------------------------------------------------------------------------------------------

    @property
    def room(self) -> Any:
        """The tab Correct."""
        return self.dock.correct()

    @property
    def labels(self) -> Labels:
        """What is corrected."""
        return self.room.desk.record.layer

    def tool(self, name: str) -> Any:
        """The form of a tool, by the name of its class."""
        return self.room.panel.tools[name]

    def view(self, plane: Plane) -> View:
        """The view of a plane."""
        found = self.dock.reading.bench.view(plane)
        if found is None:
            raise LookupError(plane)
        return found

    def pixel(self, view: View, voxel: Voxel) -> Pixel:
        """Where a voxel (z, y, x) is on the canvas."""
        return view.to_pixel(tuple(float(v) for v in self.labels.data_to_world(tuple(voxel))))

    @property
    def said(self) -> str:
        """The line under the tools."""
        return str(self.room.panel.ui.said.text()) if self.dock.correcting is not None else ""

    @property
    def steps(self) -> list[str]:
        """What is done, by the history."""
        record = None if self.dock.correcting is None else self.room.desk.record
        return [] if record is None else [step.name for step in record.history.steps[: record.history.at]]

    # ---- hands ------------------------------------------------------------------------------------------------------

    def read(self, plane: Plane | None) -> None:
        """Open the views by their key: one, or all four."""
        key = {None: "0", Plane.AXIAL: "1", Plane.CORONAL: "2", Plane.SAGITTAL: "3"}[plane]
        self.key(key, Qt.KeyboardModifier.AltModifier)
        self.wait(2)

    def key(self, key: str | Qt.Key, keys: Any = NO_KEYS) -> None:
        """Press a key where the focus is."""
        self._activate()
        QTest.keyClick(QApplication.focusWidget() or self.viewer.window._qt_window, key, keys)
        self.wait(0.3)

    def _activate(self) -> None:
        """Have the keyboard: nobody else gives it to a window where there is no window manager."""
        window = self.viewer.window._qt_window
        if not window.isActiveWindow():
            window.activateWindow()
            self.wait(5, until=window.isActiveWindow)

    def take(self, name: str, size: str = "") -> None:
        """Press the button of a tool, unless only the size of a brush in hand shall be another one."""
        button = self.room.panel.ui.tools.buttons[name]
        self.show(button)
        if not (size and button.isChecked()):
            self.click(button)
        if size:
            self.type_number(self.tool(name).size_form.box, size)
        self.wait(0.5)

    def segment(self) -> None:
        """Run the bundled model, and keep its probabilities."""
        panel = self.dock.segment
        self.fold("Advanced")
        self.click(panel.ui.options.probabilities)
        self.fold("Advanced")
        self.wait(1)
        self.click(panel.ui.run)
        self.wait(120, until=lambda: panel.job is not None and not panel.job.running)
        self.wait(1)

    def click(self, widget: QWidget) -> None:
        """Click on a control."""
        where = QPoint(10, widget.height() // 2) if not isinstance(widget, QPushButton) else widget.rect().center()
        QTest.mouseClick(widget, LEFT, pos=where)
        self.wait(0.2)

    def fold(self, title: str) -> None:
        """Fold or unfold a part of the tab."""
        parts = self.dock.tabs.currentWidget().findChildren(QCollapsible)
        button = next(part for part in parts if part.text().startswith(title)).toggleButton()
        self.click(button)
        self.wait(1)

    def choose(self, box: QComboBox, words: str) -> None:
        """Choose an entry by the arrow keys: letters are keys of tools."""
        self._activate()
        box.setFocus()
        wanted = next(k for k in range(box.count()) if box.itemText(k).startswith(words))
        while box.currentIndex() != wanted:
            before = box.currentIndex()
            QTest.keyClick(box, Qt.Key.Key_Down if wanted > before else Qt.Key.Key_Up)
            if box.currentIndex() == before:
                raise LookupError(words)
        self.wait(0.3)

    def type_number(self, box: QAbstractSpinBox, number: str) -> None:
        """Type into a box for numbers, and leave it."""
        self._activate()
        box.setFocus()
        box.selectAll()
        QTest.keyClicks(box, number)
        QTest.keyClick(box, Qt.Key.Key_Tab)
        self.wait(0.2)

    def drag_slider(self, slider: QWidget, value: int) -> None:
        """Move a slider."""
        slider.setValue(value)
        self.wait(0.5)

    def class_(self, name: str) -> None:
        """Click on a class in the list."""
        self._click_class(name, NAME, QTest.mouseClick)

    def lock(self, name: str) -> None:
        """Click on the lock of a class."""
        self._click_class(name, LOCK, QTest.mouseClick)

    def rename(self, name: str, wanted: str) -> None:
        """Double click on a class, and type another name."""
        self._activate()
        self._click_class(name, NAME, QTest.mouseClick)
        self._click_class(name, NAME, QTest.mouseDClick)
        QTest.keyClicks(QApplication.focusWidget(), wanted)
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Return)
        self.wait(0.5)

    def _click_class(self, name: str, column: int, click: Callable[..., None]) -> None:
        listed = self.room.panel.ui.classes
        row = next(k for k in range(listed.found.rowCount()) if name in str(listed.found.index(k, NAME).data()))
        click(listed.view.viewport(), LEFT, pos=listed.view.visualRect(listed.found.index(row, column)).center())
        self.wait(0.3)

    def go_to(self, voxel: Voxel) -> None:
        """Turn to the slices of a voxel."""
        self.dock.reading.bench.go_to(tuple(float(v) for v in self.labels.data_to_world(tuple(voxel))))
        self.wait(0.5)

    def go_to_step(self, row: int) -> None:
        """Click on a step of the history."""
        self._click_row(self.room.panel.ui.history.view, row)

    def point_at_row(self, row: int) -> None:
        """Click on a row of the table of objects."""
        self._click_row(self.room.objects.ui.list.view, row)

    def _click_row(self, table: Any, row: int) -> None:
        QTest.mouseClick(table.viewport(), LEFT, pos=table.visualRect(table.model().index(row, 1)).center())
        self.wait(1)

    def zoom(self, view: View, times: float) -> None:
        """Zoom in on the crosshair."""
        model = view.model
        model.scene.camera.center = (0.0, *(model.dims.point[axis] for axis in model.dims.order[-2:]))
        model.scene.camera.zoom *= times
        self.wait(0.5)

    def stroke(self, view: View, voxels: Sequence[Voxel], keys: Any = NO_KEYS) -> Stroke:
        """Drag through some places with the left button, which is held until the stroke ends."""
        ends = [self.pixel(view, voxel) for voxel in voxels]
        way = [ends[0]]
        for (x0, y0), (x1, y1) in itertools.pairwise(ends):
            steps = max(int(max(abs(x1 - x0), abs(y1 - y0)) // 6), 1)
            way += [(x0 + (x1 - x0) * k / steps, y0 + (y1 - y0) * k / steps) for k in range(1, steps + 1)]
        QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
        _mouse(view, QEvent.Type.MouseMove, way[0], NONE, NONE, keys)
        _mouse(view, QEvent.Type.MouseButtonPress, way[0], LEFT, LEFT, keys)
        for place in way[1:]:
            _mouse(view, QEvent.Type.MouseMove, place, NONE, LEFT, keys)
            self.wait(0.01)
        self.wait(0.3)
        return Stroke(self, view, way[-1], keys)

    def point(self, view: View, voxel: Voxel, keys: Any = NO_KEYS) -> None:
        """Move the mouse to a place."""
        QApplication.sendEvent(view.native, QEvent(QEvent.Type.Enter))
        _mouse(view, QEvent.Type.MouseMove, self.pixel(view, voxel), NONE, NONE, keys)
        self.wait(0.4)

    def click_at(self, view: View, *voxels: Voxel, keys: Any = NO_KEYS) -> None:
        """Click on places of a view."""
        for voxel in voxels:
            self.stroke(view, [voxel], keys).end()

    def preview(self, seconds: float = 60) -> None:
        """Tick Preview and wait until something is shown."""
        ui, runner = self.room.panel.ui, self.room.panel.runner
        if not ui.preview.isChecked():
            self.click(ui.preview)
        self.wait(0.5)
        self.wait(seconds, until=lambda: not runner.busy and not runner._soon.isActive())
        self.wait(0.5)

    def apply(self, seconds: float = 120) -> None:
        """Press Apply and wait for the end."""
        self.click(self.room.panel.ui.apply)
        self.wait(seconds, until=lambda: not self.room.panel.runner.busy)
        self.wait(0.5)

    # ---- eyes -------------------------------------------------------------------------------------------------------

    def show(self, widget: QWidget) -> None:
        """Bring the tab to the front, and scroll until something is seen."""
        self.dock.show_tab(self.room.panel)
        self.wait(0.3)
        area = self.dock.tabs.currentWidget()
        if isinstance(area, QScrollArea):
            area.ensureWidgetVisible(widget, 0, 20)

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll until something is at the top of the dock."""
        area = self.dock.tabs.currentWidget()
        area.verticalScrollBar().setValue(widget.mapTo(area.widget(), QPoint(0, 0)).y() - 6)
        self.wait(0.5)

    def picture(self, target: Path, *, of: Sequence[QWidget] = (), canvas: int | None = None) -> None:
        """Take a picture of the views and the dock beside them, or of some widgets, in few colours.

        Parameters
        ----------
        canvas : int, optional
            How much of the views is seen, from the dock on, in pixels.
        """
        self.wait(1.5)
        window = self.viewer.window._qt_window
        with tempfile.TemporaryDirectory() as folder:
            whole = Path(folder) / "window.png"
            self.viewer.window.screenshot(str(whole), flash=False)
            with Picture.open(whole) as picture:
                box = _around(window, of) if of else self._canvas_and_dock(window, canvas)
                shown = picture.convert("RGB").crop(box)
        if shown.width > WIDEST:
            shown = shown.resize((WIDEST, round(shown.height * WIDEST / shown.width)), Picture.Resampling.LANCZOS)
        target.parent.mkdir(parents=True, exist_ok=True)
        few = shown.quantize(COLOURS, method=Picture.Quantize.MEDIANCUT, kmeans=2, dither=Picture.Dither.NONE)
        few.save(target, optimize=True)

    def _canvas_and_dock(self, window: QWidget, canvas: int | None) -> tuple[int, int, int, int]:
        left, top, right, bottom = _around(window, [window.centralWidget(), self.dock])
        if canvas is not None:
            left = max(left, self.dock.mapTo(window, QPoint(0, 0)).x() - canvas)
        return left, top, right, bottom

    def wait(self, seconds: float, until: Callable[[], bool] = bool) -> None:
        """Let the window live for a while, or until something has come."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not until():
            QApplication.processEvents()
            time.sleep(0.005)


class Stroke:
    """The left button, held over a view; as a context it is let go at the end."""

    def __init__(self, person: Person, view: View, at: Pixel, keys: Any) -> None:
        self._person, self._view, self._at, self._keys = person, view, at, keys

    def end(self) -> None:
        """Let it go."""
        _mouse(self._view, QEvent.Type.MouseButtonRelease, self._at, LEFT, NONE, self._keys)
        self._person.wait(0.5)

    def __enter__(self) -> Stroke:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def _around(window: QWidget, widgets: Sequence[QWidget]) -> tuple[int, int, int, int]:
    corners = [widget.mapTo(window, QPoint(0, 0)) for widget in widgets]
    return (
        min(c.x() for c in corners), min(c.y() for c in corners),
        max(c.x() + w.width() for c, w in zip(corners, widgets, strict=True)),
        max(c.y() + w.height() for c, w in zip(corners, widgets, strict=True)),
    )  # fmt: skip


def _mouse(view: View, kind: Any, pixel: Pixel, button: Any, held: Any, keys: Any) -> None:
    at = QPoint(round(pixel[0]), round(pixel[1]))
    event = QMouseEvent(kind, QPointF(at), QPointF(view.native.mapToGlobal(at)), button, held, keys)
    QApplication.sendEvent(view.native, event)
    QApplication.processEvents()
