"""Two images or two label maps held against each other: one over the other, in turns, or side by side at a line."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from napari import Viewer
from napari.layers import Image, Layer
from qtpy.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.blink import KEY_NAME, Blink, BlinkKey
from napari_vol3d.gui.bench.pair import Pair, Two
from napari_vol3d.gui.bench.swipe import Swipe
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.panels.companions import has_time, previous_of
from napari_vol3d.gui.panels.pair_choice import PairChoice

HALF = 0.5
OVER = "inferno"
TIPS = (
    "Show B over A, half of each",
    f"Show A and B in turns; or hold {KEY_NAME} over an image",
    "Show A left and B right of a line; drag the line with the mouse",
)
BEFORE_TIP = "Add a hidden layer with the time point before the one that is shown, and choose it as B"
NO_PAIR = "Two images, or two layers of labels, have to be open"


class CompareBox(QWidget):
    """Joins the choice of two layers with the ways to compare them.

    Attributes
    ----------
    choice : PairChoice
    """

    def __init__(self, viewer: Viewer, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.choice = PairChoice(viewer.layers)
        self.overlay, self.before = QPushButton("Overlay"), QPushButton("Previous time point")
        self.blink, self.swipe = QPushButton("Blink"), QPushButton("Swipe")
        for button in (self.blink, self.swipe):
            button.setCheckable(True)
        self._divided, self._blinking = Pair(viewer.layers), Blink(viewer.layers)
        self._previous: WeakKeyDictionary[Layer, Layer] = WeakKeyDictionary()
        self._arrange()
        self.choice.valueChanged.connect(self._follow_choice)
        for signal in (viewer.layers.events.inserted, viewer.layers.events.removed):
            signal.connect(self._offer)  # one layer alone is no pair, and changes none
        self.overlay.clicked.connect(self._lay_over)
        self.blink.toggled.connect(self._toggle_blink)
        self.swipe.toggled.connect(self._toggle_swipe)
        self.before.clicked.connect(self._add_previous)
        self._blinking.changed.connect(self._follow_blink)
        self._divided.changed.connect(self._follow_swipe)
        bench.furnish(self._swipe_in)
        bench.furnish(self._key_in)
        self._follow_choice()

    def let_go(self) -> None:
        """Show all layers as they were, and let go of the viewer."""
        for signal in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            signal.disconnect(self._offer)
        self.choice.let_go()
        self._blinking.let_go()
        self._divided.let_go()

    def _swipe_in(self, view: View) -> Swipe:
        return Swipe(view, self._divided)

    def _key_in(self, view: View) -> BlinkKey:
        return BlinkKey(view, self._blinking)

    def _arrange(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(4)
        for place, button in enumerate((self.overlay, self.blink, self.swipe, self.before)):
            buttons.addWidget(button, place // 2, place % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.choice)
        layout.addLayout(buttons)

    def _follow_choice(self) -> None:
        pair = self.choice.value()
        self._blinking.choose(pair)
        if self._divided.value() is not None:
            self._divide(pair)
        self._offer()

    def _offer(self, event: object = None) -> None:
        """Offer what works with the layers that are chosen."""
        pair = self.choice.value()
        for button, tip in zip((self.overlay, self.blink, self.swipe), TIPS, strict=True):
            button.setEnabled(pair is not None)
            button.setToolTip(tip if pair is not None else NO_PAIR)
        first = self.choice.first.currentData()
        timed = first is not None and has_time(first)
        self.before.setEnabled(timed)
        self.before.setToolTip(BEFORE_TIP if timed else "A has no time points")

    def _divide(self, pair: Two | None) -> None:
        if pair is None:
            self._divided.drop()
        else:
            self._divided.hold(*pair)

    def _lay_over(self) -> None:
        pair = self.choice.value()
        if pair is None:
            return
        self._blinking.stop()
        self._divided.drop()
        first, second = pair
        _raise_above(self._viewer, second, first)
        first.visible = second.visible = True
        first.opacity, second.opacity, second.blending = 1.0, HALF, "translucent"
        if _same_ramp(first, second):
            second.colormap = OVER  # of two grey images nobody could tell which is which
        self._viewer.layers.selection.active = second  # its opacity is what one changes next

    def _toggle_blink(self, on: bool) -> None:
        if on:
            self._divided.drop()
            self._blinking.start()
        else:
            self._blinking.stop()

    def _toggle_swipe(self, on: bool) -> None:
        if on:
            self._blinking.stop()
            self._divide(self.choice.value())
        else:
            self._divided.drop()

    def _follow_blink(self) -> None:
        self.blink.setChecked(self._blinking.running)

    def _follow_swipe(self) -> None:
        self.swipe.setChecked(self._divided.value() is not None)

    def _add_previous(self) -> None:
        layer = self.choice.first.currentData()
        if layer is None or not has_time(layer):
            return
        previous = self._previous.get(layer)
        if previous is None or previous not in self._viewer.layers:
            previous = self._previous[layer] = previous_of(layer)
            add_quietly(self._viewer, previous, above=layer)
        self.choice.setValue((layer, previous))


def add_quietly(viewer: Viewer, layer: Layer, *, above: Layer) -> None:
    """Put a layer above another and leave the selection as it is."""
    selected, active = set(viewer.layers.selection), viewer.layers.selection.active
    viewer.layers.insert(viewer.layers.index(above) + 1, layer)
    viewer.layers.selection = selected
    viewer.layers.selection.active = active


def _same_ramp(one: Layer, other: Layer) -> bool:
    return isinstance(one, Image) and isinstance(other, Image) and one.colormap.name == other.colormap.name


def _raise_above(viewer: Viewer, layer: Layer, other: Layer) -> None:
    at, there = viewer.layers.index(layer), viewer.layers.index(other)
    if at < there:
        viewer.layers.move(at, there + 1)
