"""The reading bench: axial, coronal, sagittal and 3D at once, with one crosshair, one zoom and the same layers.

napari's own canvas is one of the views. Beside it are three of ours, each a `ViewerModel` with twins of the viewer's
layers. What is drawn in the views and done with the mouse is furniture: `furnish` puts a piece into each view.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias

import napari
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_vol3d.gui.bench.arrangement import Arrangement
from napari_vol3d.gui.bench.crosshair import Crosshair
from napari_vol3d.gui.bench.current import Current
from napari_vol3d.gui.bench.extra_views import ExtraView
from napari_vol3d.gui.bench.framing import Framing
from napari_vol3d.gui.bench.link import Link
from napari_vol3d.gui.bench.planes import Plane
from napari_vol3d.gui.bench.pointing import Pointing
from napari_vol3d.gui.bench.view import View, World
from napari_vol3d.gui.bench.volume_cross import VolumeCross
from napari_vol3d.gui.space import reference_of


class Piece(Protocol):
    """What is in a view until it lets go."""

    def let_go(self) -> None:
        """Leave the view as it was."""


Factory: TypeAlias = Callable[[View], Piece]


class Bench(QObject):
    """The views of one viewer.

    Parameters
    ----------
    viewer : Viewer
    foot : QWidget
        Stands under the panes while these are open.
    """

    changed = Signal()  # views have come or gone, or are arranged in another way
    moved = Signal()  # the crosshair

    def __init__(self, viewer: napari.Viewer, foot: QWidget) -> None:
        super().__init__()
        self.viewer = viewer
        self._foot = foot
        self._first = View(viewer, viewer.window._qt_viewer)
        self._current = Current(self._first, self._first.qt_viewer.canvas._scene_canvas)
        self._link, self._framing = Link(self._first), Framing(viewer)
        self._framing.add(self._first)
        self._link.moved.connect(self._on_moved)
        self._factories: list[Factory] = []
        self._pieces: dict[View, list[Piece]] = {self._first: []}
        self._hands: dict[View, tuple[Crosshair, Pointing]] = {}
        self._crosses: dict[View, VolumeCross] = {}
        self._arrangement: Arrangement | None = None
        self._crosshair, self._neurological, self.wheel_turns = True, False, True
        self._found = viewer.scene.camera.orientation2d  # which way napari's own view ran before it was ours
        self._planes: dict[View, Plane] = {}  # of our own views, which keep theirs
        dims, layers = viewer.dims.events, viewer.layers.events
        self._signals = (layers.inserted, layers.removed, dims.order, dims.ndisplay)
        for signal in self._signals:
            signal.connect(self._orient)

    @property
    def views(self) -> tuple[View, ...]:
        """The view that is napari's own, then ours."""
        return tuple(self._pieces)

    @property
    def point(self) -> World:
        """The crosshair: ..., z, y, x in the world of the canvas."""
        return self._link.point

    @property
    def is_open(self) -> bool:
        """Whether the four views are there."""
        return self._arrangement is not None

    @property
    def arrangement(self) -> Arrangement | None:
        """The panes, while the bench is open."""
        return self._arrangement

    def view(self, plane: Plane) -> View | None:
        """Give the view that shows a plane now."""
        return next((view for view in self._pieces if view.plane is plane), None)

    def go_to(self, point: Iterable[float]) -> None:
        """Put the crosshair at a point, and the point into all views."""
        self._link.go_to(point)
        if self.is_open:
            self._framing.keep_in_sight(self._link.point)

    def furnish(self, factory: Factory) -> None:
        """Put a piece into each view, now and to come."""
        self._factories.append(factory)
        for view, pieces in self._pieces.items():
            pieces.append(factory(view))

    def strip(self, factory: Factory) -> None:
        """Take what a factory made out of every view; those that Qt has destroyed already are passed over."""
        place = self._factories.index(factory)
        del self._factories[place]
        for view, pieces in self._pieces.items():
            piece = pieces.pop(place)
            if isalive(view.native):
                piece.let_go()

    def open(self) -> None:
        """Show all four views."""
        if self._arrangement is not None:
            return
        self._find_axes()
        self.viewer.dims.ndisplay = 2
        self._first.set_plane(Plane.AXIAL)
        self._arrangement = Arrangement(self.viewer, self._first, self._foot)
        self._arrangement.came.connect(self._add)
        self._arrangement.going.connect(self._remove)
        self._arrangement.open()
        self._give_hands(self._first)
        self._orient()
        self._arrangement.changed.connect(self._rearranged)
        self.fit()
        self.changed.emit()

    def close(self) -> None:
        """Show napari's own view alone again."""
        if self._arrangement is None:
            return
        self._link.settle()
        self._take_hands(self._first)
        self._arrangement.changed.disconnect(self._rearranged)
        self._arrangement.let_go()
        self._arrangement = None
        self._give_axes_back()
        self._orient()
        self.viewer.fit_to_view()
        self.changed.emit()

    def let_go(self) -> None:
        """Leave the viewer as it was; a second time there is nothing to do."""
        if not self._pieces:
            return
        self.close()
        self.neurological = False
        for piece in self._pieces.pop(self._first):
            piece.let_go()
        self._link.let_go()
        self._framing.let_go()
        self._current.let_go()
        for signal in self._signals:
            signal.disconnect(self._orient)
        self._foot.deleteLater()
        self._factories.clear()
        # Whoever still holds the bench shall not hold napari's canvas: it would outlive its window.
        del self._first, self._link, self._framing, self._current

    def show_only(self, plane: Plane | None) -> None:
        """Make one view large, or show all; opens the bench, and turns napari's own view back to its plane."""
        self.open()
        if self._first.plane is not Plane.AXIAL:
            self._first.set_plane(Plane.AXIAL)
        if self._arrangement is not None:
            self._arrangement.show_only(plane)

    def fit(self) -> None:
        """Show the whole of everything."""
        self._framing.fit()

    def turn(self, view: View, slices: int) -> None:
        """Turn a view by a number of its slices."""
        if view.plane is Plane.VOLUME:
            return
        axis = view.model.dims.order[-3]
        step = view.model.dims.range[axis].step
        point = list(self.point)
        point[axis] += slices * step
        self.go_to(point)

    @property
    def crosshair(self) -> bool:
        """Whether the crosshair is drawn."""
        return self._crosshair

    @crosshair.setter
    def crosshair(self, shown: bool) -> None:
        self._crosshair = shown
        for crosshair, _ in self._hands.values():
            crosshair.show(shown)
        for cross in self._crosses.values():
            cross.show(shown)

    @property
    def neurological(self) -> bool:
        """Whether the patient's left is on the left of the screen."""
        return self._neurological

    @neurological.setter
    def neurological(self, wanted: bool) -> None:
        self._find_axes()
        self._neurological = wanted
        self._give_axes_back()
        self._orient()

    def _on_moved(self) -> None:
        for cross in self._crosses.values():
            cross.set_point(self._link.point)
        self.moved.emit()

    def _add(self, extra: ExtraView) -> None:
        view = extra.view
        self._planes[view] = extra.plane
        self._pieces[view] = [factory(view) for factory in self._factories]
        self._link.add(view)
        self._framing.add(view)
        self._give_hands(view)
        if extra.cross is not None:
            self._crosses[view] = extra.cross
            extra.cross.set_point(self._link.point)
            extra.cross.show(self._crosshair)
        self._orient()

    def _remove(self, extra: ExtraView) -> None:
        view = extra.view
        self._crosses.pop(view, None)
        self._planes.pop(view, None)
        self._take_hands(view)
        self._framing.remove(view)
        self._link.remove(view)
        for piece in self._pieces.pop(view):
            piece.let_go()

    def _give_hands(self, view: View) -> None:
        crosshair = Crosshair(view, self._link)
        crosshair.show(self._crosshair)
        self._hands[view] = crosshair, Pointing(view, self.go_to, self.turn, self._does_wheel_turn)

    def _take_hands(self, view: View) -> None:
        for piece in self._hands.pop(view):
            piece.let_go()

    def _does_wheel_turn(self) -> bool:
        return self.wheel_turns

    def _rearranged(self) -> None:
        """Bring views that were out of sight to where the others are."""
        for view in self._pieces:
            if view is not self._first and view.native.isVisible():
                self._link.bring(view)
        self._orient()
        self.changed.emit()

    def _find_axes(self) -> None:
        if not (self.is_open or self._neurological):
            self._found = self.viewer.scene.camera.orientation2d

    def _give_axes_back(self) -> None:
        """Let napari's own view run as it was found, where that is no longer ours to say."""
        if not (self.is_open or self._neurological):
            self.viewer.scene.camera.orientation2d = self._found

    def _orient(self, event: object = None) -> None:
        """Let the axes run as the field has it, and name the views."""
        anatomical = reference_of(self.viewer) is not None
        for view in self._pieces:
            # A view of ours may still be without layers, and then its model does not know yet what it cuts.
            plane = self._planes.get(view, view.plane)
            if plane is not Plane.VOLUME and (self.is_open or view is not self._first or self._neurological):
                wanted = plane.towards(anatomical=anatomical, neurological=self._neurological)
                if view.model.scene.camera.orientation2d != wanted:
                    view.model.scene.camera.orientation2d = wanted
        if self._arrangement is not None:
            self._arrangement.name(anatomical=anatomical)
