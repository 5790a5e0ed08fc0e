"""Two images in turn at the same place, by a held key or by the clock: what differs between them moves."""

from __future__ import annotations

from napari.components import LayerList
from napari.layers import Layer
from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent

from napari_vol3d.gui.bench.pair import Looks, Two, show_fully
from napari_vol3d.gui.bench.view import View

KEY, KEY_NAME = Qt.Key.Key_Q, "Q"
TURN_MS = 600


class Blink(QObject):
    """Shows one of two layers and hides the other, in turns, and gives both back as they were.

    Attributes
    ----------
    changed : Signal
        It has begun or ended.
    """

    changed = Signal()

    def __init__(self, layers: LayerList) -> None:
        super().__init__()
        self._layers = layers
        self._pair: Two | None = None
        self._before = Looks()
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._turn)
        layers.events.removed.connect(self._on_removed)

    @property
    def running(self) -> bool:
        """Whether the clock turns the layers."""
        return self._timer.isActive()

    def choose(self, pair: Two | None) -> None:
        """Take these layers; what is going on with others ends."""
        if pair != self._pair:
            self.stop()
            self._pair = pair

    def start(self) -> None:
        """Show one and the other, in turns, until `stop`."""
        if self._pair is not None and not self.running:
            self._begin()
            self._show(self._pair[0])
            self._timer.start()
            self.changed.emit()

    def hold(self) -> None:
        """Show the layer that is not seen now, because it is hidden or lies under the other."""
        if self._pair is not None and not self._before:
            seen = [layer for layer in self._pair if layer.visible]
            top = max(seen, key=self._layers.index) if seen else self._pair[0]
            self._begin()
            self._show(self._pair[1] if top is self._pair[0] else self._pair[0])

    def release(self) -> None:
        """End `hold`."""
        if not self.running:
            self._give_back()

    def stop(self) -> None:
        """Show both layers as they were."""
        was_running = self.running
        self._timer.stop()
        self._give_back()
        if was_running:
            self.changed.emit()

    def let_go(self) -> None:
        """Stop, and follow the viewer no longer."""
        self.choose(None)
        self._layers.events.removed.disconnect(self._on_removed)

    def _begin(self) -> None:
        self._before = Looks(self._pair or ())

    def _turn(self) -> None:
        if self._pair is not None:
            first, second = self._pair
            self._show(second if first.visible else first)

    def _show(self, shown: Layer) -> None:
        for layer in self._pair or ():
            layer.visible = layer is shown
        show_fully(shown)

    def _give_back(self) -> None:
        self._before.give_back()

    def _on_removed(self, event: object) -> None:
        if self._pair is not None and not all(layer in self._layers for layer in self._pair):
            self.choose(None)


class BlinkKey(QObject):
    """The key that shows the other image as long as it is held over one view.

    Notes
    -----
    A key binding of napari's would not hear of the focus that went away.
    """

    def __init__(self, view: View, blink: Blink) -> None:
        super().__init__()
        self._native, self._blink = view.native, blink
        self._holding = False
        self._native.installEventFilter(self)

    def let_go(self) -> None:
        """Leave the view, with its layers as they were."""
        self._native.removeEventFilter(self)
        self._release()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch the key and the focus; others hear of them too."""
        kind = event.type()
        if kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
            self._key(event, pressed=kind == QEvent.Type.KeyPress)
        elif kind in (QEvent.Type.FocusOut, QEvent.Type.Hide):
            self._release()
        return False

    def _key(self, event: QKeyEvent, *, pressed: bool) -> None:
        # A held key repeats itself, on X11 as releases and presses.
        if event.key() != KEY or event.isAutoRepeat():
            return
        if not pressed:
            self._release()
        elif event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._holding = True
            self._blink.hold()

    def _release(self) -> None:
        if self._holding:
            self._holding = False
            self._blink.release()
