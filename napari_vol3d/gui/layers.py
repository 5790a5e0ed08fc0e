"""Between volumes and napari layers: geometry goes with the voxels, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from napari.layers import Image, Labels, Layer
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ScanMismatch
from napari_vol3d.core.labels import LabelClass, classes_for, default_color, looks_like_labels, to_label_dtype
from napari_vol3d.core.onto import Onto
from napari_vol3d.core.sliced import Late, moved, some_planes
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.core.windows import LOOKED_THROUGH, looked_through, percentile_window, thinned
from napari_vol3d.gui.label_looks import class_looks, looks_of, names_in, true_color
from napari_vol3d.gui.placing import factor_to, geometry_of, lies_at, placed_like, placement
from napari_vol3d.io import gate

LayerTuple: TypeAlias = tuple[Any, dict[str, Any], str]
KEY = "napari-vol3d"  # our place in a layer's metadata
PREVIEW = "napari-vol3d preview"  # in the metadata of a layer that only shows what a tool would do
TIME, CHANNEL = "time", "channel"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """What a layer remembers of its volume.

    Attributes
    ----------
    geometry : Geometry
        Of the voxels that are shown: the file's own, or the reference's where they were resampled.
    frame : Geometry or None
        What the layer was placed by, see `placement`.
    """

    geometry: Geometry
    shape: Triple | None = None
    source: Path | None = None
    classes: tuple[LabelClass, ...] = ()
    channels: tuple[str, ...] = ()
    timed: bool = False
    model: str = ""
    probability: bool = False
    frame: Geometry | None = None

    @property
    def leading(self) -> tuple[str, ...]:
        """Names of the layer's axes before z."""
        return (TIME,) * self.timed + (CHANNEL,) * bool(self.channels)


def to_layer(
    volume: Volume, *, as_labels: bool, frame: Geometry | None = None, coarser: Sequence[Volume] = ()
) -> LayerTuple:
    """Give what napari needs to show a volume: axes z, y, x in the world's directions, its unit, its name.

    A volume (Z, Y, X, C, T) becomes one layer (T, C, Z, Y, X), whose first sliders are the time and the channel;
    voxels that lie in a file stay there.

    Parameters
    ----------
    frame : Geometry, optional
        The reference of the canvas, whose axes the volume shares.
    coarser : sequence of Volume
        Smaller copies of an image, for display: what is seen of a large one is then read in a moment.
    """
    origin = Origin(
        geometry=volume.geometry, shape=volume.shape, source=volume.source, classes=volume.classes,
        channels=volume.channels, timed=volume.timed, frame=frame,
    )  # fmt: skip
    ndim = len(volume.data.shape)
    leading = origin.leading if len(origin.leading) == ndim - 3 else (CHANNEL,) * (ndim - 3)
    keywords: dict[str, Any] = {
        "name": volume.name, "metadata": {KEY: origin}, **placement(volume.geometry, frame, leading=leading),
    }  # fmt: skip
    shown = (*range(ndim - 1, 2, -1), 0, 1, 2)
    if as_labels:
        labels = moved(to_label_dtype(_all_voxels(volume)), shown)
        classes = volume.classes or classes_for(labels)
        return labels, keywords | class_looks(classes), "labels"
    # The grey levels of what is resampled are those of the volume, without the dark around it.
    own = volume.data.volume.data if isinstance(volume.data, Onto) else volume.data
    keywords |= {"contrast_limits": contrast_limits(moved(own, shown)), "rendering": "attenuated_mip"}
    if coarser:
        levels = [Late(moved(level.data, shown)) for level in (volume, *coarser)]
        return levels, keywords | {"multiscale": True}, "image"
    return moved(volume.data, shown), keywords, "image"


def contrast_limits(data: Any) -> tuple[float, float]:
    """Stretch grey levels from the 0.5th to the 99.5th percentile of a thinned volume."""
    return percentile_window(thinned(data, LOOKED_THROUGH)).limits


def to_volume(layer: Image | Labels) -> Volume:
    """Take a layer as a scan, whichever plug-in opened it.

    A layer of ours that still lies where it was put gives its file's geometry; any other gives the geometry of its
    transform, without a patient's orientation.

    Raises
    ------
    ScanMismatch
        If the layer is not a volume: RGB, two-dimensional, or with a time axis of unknown meaning.
    """
    data, origin = finest(layer), origin_of(layer)
    if getattr(layer, "rgb", False):
        raise ScanMismatch("The layer shows colours, not grey levels.", hint="Split its channels first.")
    leading = _leading(layer, data.ndim - 3)
    if leading:
        extra = len(leading)
        data = moved(data, (extra, extra + 1, extra + 2, *range(extra - 1, -1, -1)))
    elif data.ndim == 4 and data.shape[0] == 1:
        data = data[0]
    elif data.ndim == 2:
        data = data[None]
    elif data.ndim != 3:
        raise ScanMismatch(
            f"The layer has {data.ndim} axes; a scan has three.", hint="Split it into volumes (layer menu) first."
        )
    return Volume(
        data=data,
        geometry=origin.geometry if origin is not None and still_placed(layer) else geometry_of(layer),
        name=layer.name,
        source=source_of(layer),
        channels=origin.channels if origin is not None and CHANNEL in leading else (),
        is_labels=isinstance(layer, Labels),
        classes=classes_of(layer) if isinstance(layer, Labels) else (),
        timed=TIME in leading,
    )


def still_placed(layer: Layer) -> bool:
    """Whether a layer lies where its volume was put, and has its shape; never one that shows no volume of ours."""
    origin = origin_of(layer)
    if origin is None or layer.ndim < 3:  # a projection took our memory along
        return False
    shape = tuple(finest(layer).shape[-3:])
    return origin.shape in (None, shape) and lies_at(layer, origin.geometry, origin.frame)


def classes_of(layer: Labels) -> tuple[LabelClass, ...]:
    """Give the classes that a Labels layer names in its features, in its colours; its voxels are not looked at."""
    origin = origin_of(layer)
    known = {item.id: item.color for item in origin.classes} if origin else {}
    known |= looks_of(layer).colors
    return tuple(
        LabelClass(id=i, name=name, color=known[i] if i in known else true_color(layer, i))
        for i, name in sorted(names_in(layer).items())
    )


def with_painted_classes(labels: Volume) -> Volume:
    """Add the ids that a person has painted beyond the classes that have names: nothing in the voxels goes unsaid.

    Goes through all voxels; not for the window's thread where the volume is large.
    """
    known = {item.id for item in labels.classes}
    found = {int(i) for plane in labels.data for i in np.unique(plane)} - known - {0}
    painted = (LabelClass(id=i, name=f"class {i}", color=default_color(i)) for i in found)
    return replace(labels, classes=tuple(sorted((*labels.classes, *painted), key=lambda item: item.id)))


def origin_of(layer: Layer) -> Origin | None:
    """Give what the layer remembers of its volume, if it is ours."""
    found = layer.metadata.get(KEY)
    return found if isinstance(found, Origin) else None


def same_grid(one: Layer, other: Layer) -> bool:
    """Whether two layers put the same voxels at the same places, by their last three axes, turned as they may be."""
    if tuple(finest(one).shape[-3:]) != tuple(finest(other).shape[-3:]):
        return False
    first, second = geometry_of(one), geometry_of(other)
    return np.allclose(first.affine[:3] * factor_to(first, second), second.affine[:3])


def is_preview(layer: Layer) -> bool:
    """Whether a layer only shows what a tool would do."""
    return PREVIEW in layer.metadata


def source_of(layer: Layer) -> Path | None:
    """Give the file a layer came from."""
    origin = origin_of(layer)
    if origin is not None and origin.source is not None:
        return origin.source
    return Path(layer.source.path) if layer.source.path else None


def labels_layer(
    labels: NDArray[Any], scan: Volume, classes: tuple[LabelClass, ...], *, name: str, model: str, like: Layer
) -> Labels:
    """Make a Labels layer that lies exactly on a scan's layer."""
    origin = Origin(
        geometry=scan.geometry, shape=scan.shape, source=scan.source, classes=classes, model=model, timed=scan.timed,
        frame=_frame_of(like, scan),
    )  # fmt: skip
    placed = placed_like(like, leading=origin.leading)
    return Labels(labels, name=name, metadata={KEY: origin}, **placed, **class_looks(classes))


def probability_layers(
    probabilities: NDArray[np.uint8], scan: Volume, classes: Iterable[LabelClass], *, like: Layer
) -> list[Image]:
    """Make one Image layer a class, 0 to 255, hidden, in the class's colour."""
    origin = Origin(geometry=scan.geometry, shape=scan.shape, probability=True, frame=_frame_of(like, scan))
    return [
        Image(
            probability, name=f"{scan.name} p({item.name})", colormap=["black", item.color], blending="additive",
            contrast_limits=(0, 255), visible=False, metadata={KEY: origin}, **placed_like(like),
        )
        for probability, item in zip(probabilities, classes, strict=True)
    ]  # fmt: skip


def guess_labels(volume: Volume) -> bool | None:
    """Whether a volume that was just read is a label map; None where a person should be asked.

    Of a series the moment in the middle is looked at; of what is large, some planes.
    """
    if volume.is_labels is not None:
        return volume.is_labels
    data = volume.frame(volume.frames // 2).data
    if len(data.shape) != 3:
        return False
    return looks_like_labels(np.asarray(data) if looked_through(data, LOOKED_THROUGH) else some_planes(data))


def _all_voxels(volume: Volume) -> NDArray[Any]:
    if isinstance(volume.data, Onto):  # what lies in a file looks after this itself
        gate.check_memory(volume.source or Path(volume.name), volume.data.nbytes)
    return np.asarray(volume.data)


def finest(layer: Layer) -> Any:
    """Give the voxels of a layer, of several resolutions the finest; lazy ones are not read."""
    return layer.data[0] if layer.multiscale else layer.data


def _leading(layer: Layer, extra: int) -> tuple[str, ...]:
    """Name the axes before z of a layer of ours; nothing where that is not certain."""
    origin = origin_of(layer)
    whole = origin.leading if origin is not None else ()
    if extra == len(whole):
        return whole
    # One of two was cut off.
    left = tuple(name for name in layer.axis_labels[: max(extra, 0)] if name in whole)
    return left if len(left) == extra else ()


def _frame_of(like: Layer, scan: Volume) -> Geometry | None:
    """Give the frame of a layer whose volume has kept its geometry."""
    origin = origin_of(like)
    return origin.frame if origin is not None and origin.geometry is scan.geometry else None
