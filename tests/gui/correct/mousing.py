"""Hands for the tests of tools: a mouse and a pen over any view of the bench, with a tool of the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy import API_NAME, QtGui
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QTabletEvent
from qtpy.QtWidgets import QApplication, QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.view import Pixel, View, World
from napari_vol3d.gui.correct.desk import Desk
from napari_vol3d.gui.correct.hand import Hand
from napari_vol3d.gui.correct.record import Record
from tests.gui.bench.conftest import settle

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
Voxel = tuple[float, float, float]


def with_hands(bench: Bench, desk: Desk) -> dict[View, Hand]:
    """Give every view of the bench its hand."""
    made: dict[View, Hand] = {}

    def furnish(view: View) -> Hand:
        made[view] = Hand(view, desk)
        return made[view]

    bench.furnish(furnish)
    return made


def go_to(bench: Bench, record: Record, voxel: Voxel) -> None:
    """Show the slices through a voxel in all views."""
    bench.go_to(record.layer.data_to_world(voxel))
    settle()


def pixel_of(view: View, record: Record, voxel: Voxel) -> Pixel:
    """Give where the middle of a voxel is on a canvas."""
    return view.to_pixel(tuple(float(v) for v in record.layer.data_to_world(voxel)))


def world_of(view: View, pixel: Pixel) -> World:
    """Give the world under the whole pixel that a mouse event can name."""
    return view.to_world((float(round(pixel[0])), float(round(pixel[1]))))


def press(view: View, pixel: Pixel, keys: Any = NO_KEYS, button: Any = LEFT) -> None:
    """Press a button of the mouse."""
    _mouse(view, QEvent.Type.MouseButtonPress, pixel, button, button, keys)


def move(view: View, pixel: Pixel, keys: Any = NO_KEYS, held: Any = LEFT) -> None:
    """Move the mouse, without waiting for what comes of it."""
    _mouse(view, QEvent.Type.MouseMove, pixel, NONE, held, keys)


def release(view: View, pixel: Pixel, keys: Any = NO_KEYS, button: Any = LEFT) -> None:
    """Let the button go."""
    _mouse(view, QEvent.Type.MouseButtonRelease, pixel, button, NONE, keys)
    settle()


def drag(view: View, pixels: Sequence[Pixel], keys: Any = NO_KEYS) -> None:
    """Draw through some places, an event each."""
    press(view, pixels[0], keys)
    for pixel in pixels[1:]:
        move(view, pixel, keys)
        QApplication.processEvents()
    release(view, pixels[-1], keys)


def pen(view: View, kind: Any, pixel: Pixel, *, eraser: bool = False, pressure: float = 1.0) -> bool:
    """Send what a pen on a tablet does over a view; give whether it was taken, so that Qt makes no mouse of it."""
    return tablet_event(view.native, kind, pixel, eraser=eraser, pressure=pressure)


def tablet_event(widget: QWidget, kind: Any, pixel: Pixel, *, eraser: bool, pressure: float) -> bool:
    """Send an event of a pen; give whether it was accepted."""
    at, there = QPointF(*pixel), QPointF(widget.mapToGlobal(QPoint(round(pixel[0]), round(pixel[1]))))
    button = NONE if kind == QEvent.Type.TabletMove else LEFT
    held = NONE if kind == QEvent.Type.TabletRelease or not pressure else LEFT
    if API_NAME == "PyQt5":
        kinds = QTabletEvent.PointerType
        event = QTabletEvent(
            kind, at, there, QTabletEvent.TabletDevice.Stylus, kinds.Eraser if eraser else kinds.Pen, pressure, 0, 0,
            0.0, 0.0, 0, NO_KEYS, 1, button, held,
        )  # fmt: skip
    else:
        inputs, device = QtGui.QInputDevice, QtGui.QPointingDevice
        kinds, able = device.PointerType, inputs.Capability
        stylus = device(
            "pen", 1, inputs.DeviceType.Stylus, kinds.Eraser if eraser else kinds.Pen,
            able.Position | able.Pressure, 1, 2,
        )  # fmt: skip
        event = QTabletEvent(kind, stylus, at, there, pressure, 0.0, 0.0, 0.0, 0.0, 0.0, NO_KEYS, button, held)
    event.setAccepted(False)  # as Qt's own begins
    QApplication.sendEvent(widget, event)
    return event.isAccepted()


def _mouse(view: View, kind: Any, pixel: Pixel, button: Any, held: Any, keys: Any) -> None:
    at = QPoint(round(pixel[0]), round(pixel[1]))
    event = QMouseEvent(kind, QPointF(at), QPointF(view.native.mapToGlobal(at)), button, held, keys)
    QApplication.sendEvent(view.native, event)


def away(record: Record, centre: Sequence[float]) -> np.ndarray:
    """Give how far each voxel is from a place in voxels, in mm."""
    places = np.indices(record.labels.shape).reshape(3, -1).T
    return np.linalg.norm((places - np.array(centre)) * record.spacing, axis=1).reshape(record.labels.shape)
