"""How the classes of objects look: names, colours, what is hidden; given to the layer, where all views find it."""

from __future__ import annotations

from napari.layers import Labels

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.object_table import Ints
from napari_vol3d.correct.naming import name_class
from napari_vol3d.gui.forms.class_model import ClassRow
from napari_vol3d.gui.label_looks import give_name, looks_of, names_in, put_on, true_color
from napari_vol3d.gui.layers import classes_of


def look_of(layer: Labels, class_id: int) -> ClassRow:
    """Give how a class is shown."""
    looks = looks_of(layer)
    color = looks.colors.get(class_id) or true_color(layer, class_id)
    return ClassRow(id=class_id, name=name_class(class_id, names_in(layer)), color=color, shown=looks.shows(class_id))


def toggle(layer: Labels, class_id: int, present: Ints) -> None:
    """Show or hide a class; `present` are the ids that occur."""
    looks, classes = looks_of(layer), classes_with(layer, present)
    among = [item.id for item in classes]
    put_on(layer, looks.with_shown(class_id, not looks.shows(class_id), among=among), classes)


def recolor(layer: Labels, class_id: int, color: str, present: Ints) -> None:
    """Give a class a colour that stays in the files: it is then a class with a name."""
    put_on(layer, looks_of(layer).with_color(class_id, color), classes_with(layer, present))
    if class_id not in names_in(layer):
        give_name(layer, class_id, f"class {class_id}")


def classes_with(layer: Labels, present: Ints) -> tuple[LabelClass, ...]:
    """Give the classes that have names, and the ids that occur without one."""
    named, chosen = classes_of(layer), looks_of(layer).colors
    others = {*present.tolist()} - {item.id for item in named}
    without = (LabelClass(id=i, name=f"class {i}", color=chosen.get(i) or true_color(layer, i)) for i in others)
    return tuple(sorted((*named, *without), key=lambda item: item.id))
