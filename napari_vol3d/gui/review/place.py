"""Where a person is: slice, zoom, views, class and tool, as values that JSON can hold, and the way back there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import napari
import numpy as np
from napari.layers import Labels
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidatorFunctionWrapHandler, field_validator

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.view import View
from napari_vol3d.gui.layers import is_preview

OWN = "OWN"  # napari's own view; the others have the names of their planes
LARGEST_ZOOM = 1e6
Zoom = Annotated[float, Field(gt=0, lt=LARGEST_ZOOM)]
Three = Annotated[tuple[float, ...], Field(min_length=3, max_length=3)]
Range = tuple[float, float]


class _Camera(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    zoom: Zoom  # logical pixels for one unit of the world
    center: Three  # as napari has it, in the order of the view's axes
    angles: Three = (0.0, 0.0, 0.0)


class _Place(BaseModel):
    """What is None is passed over: an older version did not write it, or it makes no sense."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    point: tuple[float, ...] | None = None  # the crosshair: ..., z, y, x of the world
    reach: tuple[Range, ...] | None = None  # first and last of the world along each axis
    order: tuple[int, ...] | None = None
    ndisplay: Literal[2, 3] | None = None
    four: bool | None = None
    large: str = ""  # the plane of the view that is shown alone
    views: dict[str, _Camera] | None = None
    class_id: int | None = None
    tool: str = ""

    @field_validator("*", mode="wrap")
    @classmethod
    def _passed_over(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: Any) -> Any:
        try:
            return handler(value)
        except ValidationError:
            return cls.model_fields[info.field_name].default


def place_now(viewer: napari.Viewer, bench: Bench, tool: str = "") -> dict[str, Any]:
    """Say where a person is.

    Parameters
    ----------
    tool : str
        Name of the tool in hand; it is kept for who goes back.

    Returns
    -------
    dict
        For JSON. Views in windows of their own are not in it.
    """
    arrangement, labels = bench.arrangement, _labels(viewer)
    place = _Place(
        point=tuple(map(float, bench.point)), reach=_reach(viewer), order=tuple(map(int, viewer.dims.order)),
        ndisplay=2 if viewer.dims.ndisplay == 2 else 3, four=bench.is_open,
        large=arrangement.alone.name if arrangement is not None and arrangement.alone is not None else "",
        views={name: _camera(view) for name, view in _named(bench).items()},
        class_id=None if labels is None else int(labels.selected_label), tool=tool,
    )  # fmt: skip
    return place.model_dump(mode="json")


def go_to_place(viewer: napari.Viewer, bench: Bench, place: Mapping[str, Any]) -> str:
    """Bring a person back to a place, or as near to it as another scan allows.

    Parameters
    ----------
    place : mapping
        What `place_now` gave; what it lacks, or what makes no sense, stays as it is.

    Returns
    -------
    str
        Name of the tool that was in hand; "": none. It is for the caller to take it.
    """
    wanted = _Place.model_validate(dict(place))
    _arrange(bench, wanted)
    _turn(viewer, wanted)
    _point(viewer, bench, wanted)
    _look(viewer, bench, wanted)
    _choose_class(viewer, wanted.class_id)
    return wanted.tool


# ---- going there, in this order -------------------------------------------------------------------------------------


def _arrange(bench: Bench, wanted: _Place) -> None:
    large = Plane[wanted.large] if wanted.large in Plane.__members__ else None
    if wanted.four is False:
        bench.close()
    elif wanted.four and (bench.arrangement is None or bench.arrangement.alone is not large):
        bench.show_only(large)


def _turn(viewer: napari.Viewer, wanted: _Place) -> None:
    dims = viewer.dims
    if wanted.order is not None and sorted(wanted.order) == list(range(dims.ndim)):
        dims.order = wanted.order
    if wanted.ndisplay is not None:
        dims.ndisplay = wanted.ndisplay


def _point(viewer: napari.Viewer, bench: Bench, wanted: _Place) -> None:
    """Put the crosshair there; napari's own view at once too, which else gets the whole of it a moment later."""
    if not wanted.point:
        return
    point = _from_the_end(wanted.point, viewer.dims.point)
    ends = zip(point, _reach(viewer), strict=True)
    clipped = tuple(float(np.clip(value, first, last)) for value, (first, last) in ends)
    viewer.dims.point = clipped
    bench.go_to(clipped)


def _look(viewer: napari.Viewer, bench: Bench, wanted: _Place) -> None:
    """Zoom and pan each view as it was.

    The bench fits its views when these get another size, as they do a moment after they were opened: it does not once
    somebody has zoomed since the last fit.
    """
    if not wanted.views:
        return
    bench.fit()
    reach = _reach(viewer)
    elsewhere = wanted.reach is None or wanted.reach != reach
    for name, view in _named(bench).items():
        kept = wanted.views.get(name)
        if kept is not None:
            camera = view.model.scene.camera
            camera.zoom, camera.angles = kept.zoom, kept.angles
            camera.center = _within(kept.center, view, reach) if elsewhere else kept.center


def _choose_class(viewer: napari.Viewer, class_id: int | None) -> None:
    labels = _labels(viewer)
    if labels is None or class_id is None:
        return
    bounds = np.iinfo(labels.dtype)
    if bounds.min <= class_id <= bounds.max:
        labels.selected_label = class_id


# ---- what there is --------------------------------------------------------------------------------------------------


def _named(bench: Bench) -> dict[str, View]:
    """Give napari's own view and those in the panes; a second of a plane is in a window of its own."""
    own, *others = bench.views
    named = {OWN: own}
    for view in others:
        named.setdefault(view.plane.name, view)
    return named


def _camera(view: View) -> _Camera:
    camera = view.model.scene.camera
    depth = camera.center[0] if view.model.dims.ndisplay == 3 else 0.0  # of a slice napari leaves what it finds
    center = (float(depth), float(camera.center[-2]), float(camera.center[-1]))
    return _Camera(zoom=float(camera.zoom), center=center, angles=tuple(map(float, camera.angles)))


def _labels(viewer: napari.Viewer) -> Labels | None:
    """Give the labels that are chosen, else the topmost."""
    active = viewer.layers.selection.active
    found = [layer for layer in viewer.layers if isinstance(layer, Labels) and not is_preview(layer)]
    return active if active in found else found[-1] if found else None


def _reach(viewer: napari.Viewer) -> tuple[Range, ...]:
    return tuple((float(axis.start), float(axis.stop)) for axis in viewer.dims.range)


def _from_the_end(point: Sequence[float], now: Sequence[float]) -> tuple[float, ...]:
    """Give a point as many axes as there are now: a series has time before z, y, x."""
    known = point[-len(now) :]
    return (*now[: len(now) - len(known)], *known)


def _within(center: Sequence[float], view: View, reach: Sequence[Range]) -> Three:
    """Bring what a view looks at into the scan that is there now."""
    dims = view.model.dims
    if dims.ndim != len(reach):
        return tuple(center)
    shown = [reach[axis] for axis in dims.displayed]
    clipped = [float(np.clip(value, *ends)) for value, ends in zip(center[-len(shown) :], shown, strict=True)]
    return tuple([0.0, *clipped][-3:])
