"""The classes of the labels that are at hand: choose, show, recolour and rename them, go to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QSlider, QVBoxLayout, QWidget

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.label_looks import LabelLooks, give_name, looks_of, names_in, put_on, true_color
from napari_vol3d.gui.layers import classes_of, is_preview
from napari_vol3d.gui.panels.class_color import ClassColor
from napari_vol3d.gui.panels.class_place import ClassPlace
from napari_vol3d.gui.panels.classes_ui import NO_LABELS, ClassesUi
from napari_vol3d.gui.panels.id_watch import IdWatch


class ClassesPanel(QWidget):
    """Joins the list of classes with the active Labels layer, or else the top one.

    `jump` carries a point of the world, as `dims.point` gives it, in the largest object of a class; `listed` says that
    the list or what is chosen in it may be another.
    """

    jump = Signal(object)
    listed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer: Labels | None = None
        self._events: list[tuple[Any, Any]] = []
        self.ui = ClassesUi()
        self.watch = IdWatch(viewer.dims, self)
        self.place = ClassPlace(viewer, self)
        self.color = ClassColor(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.ui)
        self._connect()
        self._follow_layers()
        self._follow_looks()
        self._list()

    def let_go(self) -> None:
        """Let go of the viewer and its layers; whoever looks for something stops."""
        for event in self._viewer_events():
            event.disconnect(self._follow_layers)
        self._attach(None)
        for helper in (self.watch, self.place, self.color):
            helper.let_go()

    @property
    def layer(self) -> Labels | None:
        """The labels whose classes are listed."""
        return self._layer

    def classes(self) -> tuple[LabelClass, ...]:
        """Give the classes that are listed: those with names, and the ids that occur without one."""
        layer = self._layer
        if layer is None:
            return ()
        named, chosen = classes_of(layer), looks_of(layer).colors
        others = self.watch.ids - {item.id for item in named}
        painted = (LabelClass(id=i, name=f"class {i}", color=chosen.get(i) or true_color(layer, i)) for i in others)
        return tuple(sorted((*named, *painted), key=lambda item: item.id))

    def _connect(self) -> None:
        for event in self._viewer_events():
            event.connect(self._follow_layers)
        ui, classes = self.ui, self.ui.list
        for signal, slot in (
            (classes.valueChanged, self._choose), (classes.toggled, self._toggle), (classes.renamed, self._rename),
            (classes.colorAsked, self._ask_color), (classes.isolateAsked, self._isolate),
            (classes.jumpAsked, self._seek), (ui.isolate.clicked, self._isolate_chosen),
            (ui.show_all.clicked, self._show_all), (ui.color.clicked, self._ask_color),
            (ui.jump.clicked, self._seek), (ui.opacity.valueChanged, self._set_opacity),
            (ui.all_opacity.valueChanged, self._set_all_opacity), (ui.drawn.activated, self._set_drawn),
            (self.watch.changed, self._take_ids), (self.place.found, self.jump),
            (self.place.missing, self._say_missing), (self.color.chosen, self._recolor),
        ):  # fmt: skip
            signal.connect(slot)

    def _viewer_events(self) -> tuple[Any, ...]:
        layers = self._viewer.layers
        return (
            layers.events.inserted, layers.events.removed, layers.events.reordered, layers.selection.events.active,
        )  # fmt: skip

    def _follow_layers(self, event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        labels = [layer for layer in self._viewer.layers if isinstance(layer, Labels) and not is_preview(layer)]
        wanted = active if active in labels else labels[-1] if labels else None
        if wanted is not self._layer:
            self._attach(wanted)
            self.ui.say("")
            self.place.let_go()
            self.watch.watch(wanted)
            self._follow_looks()
            self._list()

    def _attach(self, layer: Labels | None) -> None:
        for event, slot in self._events:
            event.disconnect(slot)
        self._layer, self._events = layer, []
        if layer is not None:
            self._events = [
                (layer.events.features, self._list), (layer.events.colormap, self._list),
                (layer.events.selected_label, self._follow_label), (layer.events.name, self._follow_looks),
                (layer.events.opacity, self._follow_looks), (layer.events.contour, self._follow_looks),
            ]  # fmt: skip
        for event, slot in self._events:
            event.connect(slot)

    def _list(self, event: Any = None) -> None:
        """List the classes as they are now."""
        looks = self._looks()
        self.ui.list.set_rows([
            ClassRow(
                id=item.id, name=item.name, color=item.color, shown=looks.shows(item.id),
                opacity=looks.opacity.get(item.id, 1.0),
            )
            for item in self.classes()
        ])  # fmt: skip
        self._follow_label()

    def _follow_label(self, event: Any = None) -> None:
        """Choose the class that is painted with; where a class is isolated, it is now this one."""
        chosen, looks = None if self._layer is None else int(self._layer.selected_label), self._looks()
        self.ui.list.setValue(chosen)
        row = self.ui.list.row(chosen)
        self.ui.enable(labels=self._layer is not None, chosen=None if row is None else row.name)
        self.ui.isolate.setChecked(looks.isolated is not None)
        _show(self.ui.opacity, 1.0 if row is None else row.opacity)
        if row is not None and looks.isolated not in (None, row.id):
            self._put(replace(looks, isolated=row.id))
        self.listed.emit()

    def _follow_looks(self, event: Any = None) -> None:
        layer = self._layer
        self.ui.which.setText(NO_LABELS if layer is None else f"Classes of {layer.name}")
        _show(self.ui.all_opacity, 1.0 if layer is None else layer.opacity)
        self.ui.drawn.setCurrentIndex(0 if layer is None else min(layer.contour, self.ui.drawn.count() - 1))

    def _take_ids(self) -> None:
        """List the ids that were found; where an id without a colour is white, it gets its own."""
        self._list()
        colormap = None if self._layer is None else self._layer.colormap
        if not isinstance(colormap, DirectLabelColormap) or not np.all(colormap.default_color == 1):
            return
        if not self.watch.ids <= set(colormap.color_dict):
            self._put(self._looks())

    def _choose(self, class_id: int) -> None:
        if self._layer is None:
            return
        highest = np.iinfo(self._layer.dtype).max
        if class_id <= highest:
            self._layer.selected_label = class_id
        else:
            self.ui.say(f"These labels hold ids up to {highest}, so {class_id} can't be painted. Choose another class.")
            self._follow_label()

    def _toggle(self, class_id: int, shown: bool) -> None:
        self._put(self._looks().with_shown(class_id, shown, among=[row.id for row in self.ui.list.model.rows]))

    def _rename(self, class_id: int, name: str) -> None:
        if self._layer is not None:
            give_name(self._layer, class_id, name)

    def _isolate(self, class_id: int) -> None:
        self._choose(class_id)
        self._put(replace(self._looks(), isolated=class_id))

    def _isolate_chosen(self, isolated: bool) -> None:
        self._put(replace(self._looks(), isolated=self.ui.list.value() if isolated else None))

    def _show_all(self, *_: object) -> None:
        self._put(self._looks().all_shown())

    def _set_opacity(self, percent: int) -> None:
        class_id = self.ui.list.value()
        if class_id is not None:
            self._put(self._looks().with_opacity(class_id, percent / 100))

    def _set_all_opacity(self, percent: int) -> None:
        if self._layer is not None:
            self._layer.opacity = percent / 100

    def _set_drawn(self, contour: int) -> None:
        if self._layer is not None:
            self._layer.contour = contour

    def _ask_color(self, class_id: object = None) -> None:
        row = self._meant(class_id)
        if row is not None and self._layer is not None:
            self.color.ask(self._layer, row.id, name=row.name, color=row.color)

    def _recolor(self, layer: Labels, class_id: int, color: str) -> None:
        """Give a class a colour that stays in the files: it is then a class with a name."""
        classes = self.classes() if layer is self._layer else classes_of(layer)
        put_on(layer, looks_of(layer).with_color(class_id, color), classes)
        if class_id not in names_in(layer):
            give_name(layer, class_id, f"class {class_id}")

    def _seek(self, class_id: object = None) -> None:
        row = self._meant(class_id)
        if row is not None and self._layer is not None:
            self.ui.say("")
            self.place.look(self._layer, row.id)

    def _say_missing(self, class_id: int) -> None:
        row = self.ui.list.row(class_id)
        name = f"class {class_id}" if row is None else row.name
        self.ui.say(f"There is no voxel of {name} in these labels. Paint it, or choose another class.")

    def _meant(self, class_id: object) -> ClassRow | None:
        """Give the class that a menu names; a button, which only says that it was pressed, means the chosen one."""
        by_button = class_id is None or isinstance(class_id, bool)
        return self.ui.list.row(self.ui.list.value() if by_button else class_id)  # type: ignore[arg-type]

    def _looks(self) -> LabelLooks:
        return LabelLooks() if self._layer is None else looks_of(self._layer)

    def _put(self, looks: LabelLooks) -> None:
        if self._layer is not None:
            put_on(self._layer, looks, self.classes())


def _show(slider: QSlider, share: float) -> None:
    """Show a share as percent; nobody is told, because nobody moved it."""
    slider.blockSignals(True)
    slider.setValue(round(100 * share))
    slider.blockSignals(False)
