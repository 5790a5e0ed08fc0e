"""What a pen on a tablet tells beyond a mouse, in whichever way this Qt says it."""

from __future__ import annotations

from qtpy import QtGui
from qtpy.QtCore import QEvent
from qtpy.QtGui import QTabletEvent

PEN = (QEvent.Type.TabletPress, QEvent.Type.TabletMove, QEvent.Type.TabletRelease)
# Qt 6 knows the kinds of pens by the device, Qt 5 by the event.
_KINDS = getattr(QtGui, "QPointingDevice", QTabletEvent).PointerType


def is_eraser(event: QTabletEvent) -> bool:
    """Whether the pen is held with its eraser end down."""
    return bool(event.pointerType() == _KINDS.Eraser)


def pressure_of(event: QTabletEvent) -> float:
    """Give how hard the pen is pressed, 0 to 1; a tablet that does not tell gives 1."""
    pressure = float(event.pressure())
    return min(pressure, 1.0) if pressure > 0 else 1.0
