"""What a Labels layer shows of its classes: colours, names, what is hidden, how opaque; voxels are not looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_vol3d.core.labels import LabelClass, default_color

LOOKS = "napari-vol3d looks"  # their place in a layer's metadata
SPARE_COLORS = 32  # ids beyond the named classes that a person may start to paint
# Of wider integers napari looks ids up in a table as long as the highest, and gives up beyond this without numba.
HIGHEST_COLORED = 2**32 if find_spec("numba") else 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelLooks:
    """What a person has set for the classes of one layer.

    Attributes
    ----------
    hidden : frozenset of int
    opacity : mapping of int to float
        Of classes that are not fully opaque, 0 to 1; the layer's own comes on top.
    isolated : int or None
        The only class that is shown, hidden or not.
    colors : mapping of int to str
        That a person chose, as "#rrggbb": they win over those of the file or the model.
    """

    hidden: frozenset[int] = frozenset()
    opacity: Mapping[int, float] = field(default_factory=dict)
    isolated: int | None = None
    colors: Mapping[int, str] = field(default_factory=dict)

    def shows(self, class_id: int) -> bool:
        """Whether a class is to be seen."""
        return class_id not in self.hidden if self.isolated is None else class_id == self.isolated

    def alpha(self, class_id: int) -> float:
        """Give the opacity with which a class is drawn, 0 where it is not."""
        return self.opacity.get(class_id, 1.0) if self.shows(class_id) else 0.0

    def with_shown(self, class_id: int, shown: bool, *, among: Iterable[int]) -> LabelLooks:
        """Show or hide one class; while one is isolated the others stay as hidden as they look."""
        hidden = self.hidden if self.isolated is None else frozenset(among) - {self.isolated}
        changed = hidden - {class_id} if shown else hidden | {class_id}
        return replace(self, hidden=changed, isolated=None)

    def with_opacity(self, class_id: int, opacity: float) -> LabelLooks:
        """Draw one class with this opacity."""
        return replace(self, opacity={**self.opacity, class_id: opacity})

    def with_color(self, class_id: int, color: str) -> LabelLooks:
        """Give one class another colour."""
        return replace(self, colors={**self.colors, class_id: color})

    def all_shown(self) -> LabelLooks:
        """Show every class fully, in the colours that were chosen."""
        return LabelLooks(colors=self.colors)

    def colormap(self, colors: Mapping[int, str]) -> DirectLabelColormap:
        """Give napari's colours of these classes; what is hidden keeps its colour, and is transparent.

        Ids without a colour are white, so that they are seen.
        """
        table: dict[int | None, Any] = {
            i: (*_rgb(self.colors.get(i, color)), self.alpha(i)) for i, color in colors.items() if i <= HIGHEST_COLORED
        }
        table |= {0: (0.0, 0.0, 0.0, 0.0), None: (1.0, 1.0, 1.0, 1.0 if self.isolated is None else 0.0)}
        return DirectLabelColormap(color_dict={i: np.array(color, np.float32) for i, color in table.items()})


def class_looks(classes: Sequence[LabelClass]) -> dict[str, Any]:
    """Give names (as features) and colours of a new Labels layer."""
    names = pd.DataFrame(
        {"index": [0, *(c.id for c in classes)], "name": ["background", *(c.name for c in classes)]}
    )
    return {
        "colormap": LabelLooks().colormap(_spare_colors() | {item.id: item.color for item in classes}),
        "features": names,
        "iso_gradient_mode": "smooth",
        "opacity": 0.5,
    }


def looks_of(layer: Labels) -> LabelLooks:
    """Give what a person has set for a layer."""
    found = layer.metadata.get(LOOKS)
    return found if isinstance(found, LabelLooks) else LabelLooks()


def put_on(layer: Labels, looks: LabelLooks, classes: Iterable[LabelClass]) -> None:
    """Show a layer so; the ids that had a colour before keep it.

    Costs a table of colours and the slice that is shown: 25 ms for 117 classes of 16 bits, whatever the volume.
    """
    layer.metadata[LOOKS] = looks  # first: whoever hears of the new colours looks here
    listed, colormap = {c.id: c.color for c in classes}, layer.colormap
    before = colormap.color_dict if isinstance(colormap, DirectLabelColormap) else ()
    others = {i: true_color(layer, i) for i in before if i and i not in listed}
    made = looks.colormap(_spare_colors() | others | listed)
    made.selection, made.use_selection = layer.selected_label, layer.show_selected_label  # napari leaves this to us
    layer.colormap = made


def true_color(layer: Labels, class_id: int) -> str:
    """Give the colour of an id as "#rrggbb", also where it is hidden at the moment."""
    colormap = layer.colormap
    direct = isinstance(colormap, DirectLabelColormap)
    color = colormap.color_dict.get(class_id) if direct else layer.get_color(class_id)
    if color is None or not any(parts := color.tolist()):
        return default_color(class_id)
    red, green, blue = (round(value * 255) for value in parts[:3])
    return f"#{red:02x}{green:02x}{blue:02x}"


def names_in(layer: Labels) -> dict[int, str]:
    """Give the names of classes that a layer's features hold, by id."""
    features = layer.features
    if not {"index", "name"} <= set(features.columns):
        return {}
    return {int(i): str(n) for i, n in zip(features["index"], features["name"], strict=True) if int(i) > 0}


def give_name(layer: Labels, class_id: int, name: str) -> None:
    """Name a class in the features, where saving finds it; an id that had no name becomes a class."""
    features = layer.features.copy()
    if not {"index", "name"} <= set(features.columns):
        # Features of another meaning are about the ids 0, 1, 2 ..., as napari reads them.
        ids = features["index"] if "index" in features else range(len(features))
        features = features.assign(index=list(ids), name=[f"class {i}" if i else "background" for i in ids])
    if class_id in set(features["index"]):
        features["name"] = features["name"].astype(object).mask(features["index"] == class_id, name)
    else:
        row = pd.DataFrame({"index": [class_id], "name": [name]})
        features = pd.concat([features, row], ignore_index=True)
    layer.features = features


def _spare_colors() -> dict[int, str]:
    return {i: default_color(i) for i in range(1, SPARE_COLORS)}


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
