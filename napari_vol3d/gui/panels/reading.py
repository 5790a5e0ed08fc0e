"""The tab for reading: which views there are, how they show the scan, and the parts that are put below."""

from __future__ import annotations

import napari
from qtpy.QtCore import Signal
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QVBoxLayout, QWidget
from superqt import QCollapsible

from napari_vol3d.core.say import short_unit
from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.slab import Slab, Slabs
from napari_vol3d.gui.forms.views import ORDER, ViewsForm
from napari_vol3d.gui.space import reference_of

NARROW = (2, 2, 2, 2)  # pixels around a section: the dock has none to spare


class ReadingPanel(QWidget):
    """Joins the form of the views with the bench.

    Attributes
    ----------
    form : ViewsForm
    """

    changed = Signal()  # something that is remembered

    def __init__(self, viewer: napari.Viewer, bench: Bench) -> None:
        super().__init__()
        self._viewer, self._bench = viewer, bench
        self.form = ViewsForm()
        self._slabs = Slabs(viewer)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 6, 0, 6)
        self._column.addWidget(self.form)
        self._column.addStretch(1)
        bench.furnish(self._slabs.add)
        self._shortcuts = self._keys()
        self._connect()
        self.follow()

    def add_section(self, title: str, widget: QWidget, *, folded: bool = False) -> QCollapsible:
        """Put a part under the others."""
        section = QCollapsible(title)
        section.layout().setContentsMargins(*NARROW)
        section.content().layout().setContentsMargins(*NARROW)
        section.addWidget(widget)
        if folded:
            section.collapse(animate=False)
        else:
            section.expand(animate=False)
        self._column.insertWidget(self._column.count() - 1, section)
        return section

    def let_go(self) -> None:
        """Leave the viewer alone."""
        for signal in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            signal.disconnect(self.follow)
        for shortcut in self._shortcuts.values():
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()
        self._slabs.let_go()

    def follow(self, event: object = None) -> None:
        """Show how the bench is now."""
        bench = self._bench
        self.form.show_state(
            is_open=bench.is_open, alone=bench.arrangement.alone if bench.arrangement else None,
            crosshair=bench.crosshair, wheel=bench.wheel_turns, neurological=bench.neurological,
        )  # fmt: skip
        unit = str(self._viewer.layers[0].units[-1]) if self._viewer.layers else "pixel"
        self.form.show_kind(anatomical=reference_of(self._viewer) is not None, unit=short_unit(unit))

    def toggle_four(self) -> None:
        """Open the four views; close them where all four are shown, each as it should be."""
        arrangement = self._bench.arrangement
        if arrangement is not None and arrangement.alone is None and self._bench.view(Plane.AXIAL) is not None:
            self._bench.close()
        else:
            self._bench.show_only(None)

    def _connect(self) -> None:
        self.form.fourToggled.connect(self._on_four)
        self.form.largeRequested.connect(self._bench.show_only)
        self.form.crosshairToggled.connect(self._on_crosshair)
        self.form.wheelToggled.connect(self._on_wheel)
        self.form.neurologicalToggled.connect(self._on_neurological)
        self.form.slabChanged.connect(self._on_slab)
        self._bench.changed.connect(self.follow)
        for signal in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            signal.connect(self.follow)

    def _keys(self) -> dict[Plane | None, QShortcut]:
        """Bind Alt and a digit: napari leaves these free, and digits alone are its tools."""
        window = self._viewer.window._qt_window
        keys: dict[Plane | None, QShortcut] = {
            plane: QShortcut(QKeySequence(f"Alt+{place}"), window)
            for place, plane in enumerate((None, *ORDER))
        }  # fmt: skip
        for plane, shortcut in keys.items():
            shortcut.activated.connect(self.toggle_four if plane is None else self._on_key)
        return keys

    def _on_key(self) -> None:
        plane = next(plane for plane, shortcut in self._shortcuts.items() if shortcut is self.sender())
        self._bench.show_only(plane)

    def _on_four(self, wanted: bool) -> None:
        if wanted:
            self._bench.show_only(None)
        else:
            self._bench.close()

    def _on_crosshair(self, shown: bool) -> None:
        self._bench.crosshair = shown
        self.changed.emit()

    def _on_wheel(self, turns: bool) -> None:
        self._bench.wheel_turns = turns
        self.changed.emit()

    def _on_neurological(self, wanted: bool) -> None:
        self._bench.neurological = wanted
        self.changed.emit()

    def _on_slab(self, slab: Slab) -> None:
        self._slabs.slab = slab
