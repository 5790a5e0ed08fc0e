"""What a tool of the Correct tab is: options as a small form, and what it does with labels; or with the mouse."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.edits import Edit
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing
from napari_vol3d.correct.limits import Held
from napari_vol3d.gui.bench.planes import Axis
from napari_vol3d.gui.bench.view import Pixel, View

if TYPE_CHECKING:
    from napari_vol3d.gui.correct.desk import Desk

Plan: TypeAlias = Callable[[], Edit | None]
Verb: TypeAlias = Generator[Progress, None, Edit | None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What a tool works on; made in the window's thread, and used in another too.

    Attributes
    ----------
    labels : ndarray, shape (Z, Y, X)
        The layer's own array, of the time point that is shown; not to be written to.
    class_id : int
        That is painted with.
    names : mapping of int to str
        Of the classes that have one.
    spacing : tuple of float
        Voxel edges (z, y, x), in `unit`: "mm", "µm", "px".
    axis, index : int
        The slice of the view that the mouse was in last.
    point : tuple of int
        The voxel of the crosshair, inside the volume.
    in_view : Box
        What that view shows of each slice, through all slices.
    held : Held
        Limits and image, for ``**task.held``.
    corrected : ndarray of bool, shape (Z, Y, X)
        Voxels that a person has touched.
    """

    labels: NDArray[Any]
    class_id: int
    names: Mapping[int, str]
    spacing: Spacing
    unit: str
    axis: Axis
    index: int
    point: Triple
    in_view: Box
    held: Held
    corrected: NDArray[np.bool_]


class Tool(QWidget):
    """The options of a tool.

    Attributes
    ----------
    title : str
        On its button.
    key : str
        Its shortcut, by the name of the class in `keys`.
    tip : str
        One sentence.
    by_model : bool
        Whether what it gives is a model's work: its voxels do not count as corrected.
    nothing : str
        What is said where it would change nothing.
    only_slice : bool or None
        Whether the next plan is for the slice that is shown, as a preview is; None where the tool makes no difference.
    """

    title: ClassVar[str] = ""
    key: ClassVar[str] = ""
    tip: ClassVar[str] = ""
    by_model: ClassVar[bool] = False
    nothing: ClassVar[str] = "Nothing would change. Move the options, or choose another class."
    only_slice: bool | None = None

    optionsChanged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk: Desk | None = None

    def begun(self, desk: Desk) -> None:
        """Be taken in hand."""
        self.desk = desk

    def ended(self) -> None:
        """Be put down."""

    def plan(self, task: Task) -> Plan | None:
        """Take the options as they are now, and give what computes the edit in another thread.

        Returns
        -------
        callable or None
            None: the tool is used with the mouse only, or is not ready.

        Raises
        ------
        Vol3dError
            If the options make no sense for these labels.
        """
        return None

    def verb(self, task: Task) -> Verb | None:
        """Give what computes the edit with progress, for tools that take long; it comes before `plan`."""
        return None

    def let_go(self) -> None:
        """Take off the canvas what it put there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where the mouse or the pen is.

    Attributes
    ----------
    voxel : tuple of float
        (z, y, x); whole numbers are centres.
    axis, index : int
        The slice.
    pixel : tuple of float
        On the canvas.
    erasing : bool
        Whether the pen is turned round, or Ctrl is held.
    pressure : float
        Of a pen, 0 to 1; 1 for a mouse.
    """

    view: View
    voxel: tuple[float, float, float]
    axis: Axis
    index: int
    pixel: Pixel
    erasing: bool = False
    pressure: float = 1.0


class MouseTool(Tool):
    """A tool that is used with the left button in a view."""

    def press(self, place: Place) -> None:
        """Begin."""

    def drag(self, places: Sequence[Place]) -> None:
        """Go on: all places since the last call."""

    def release(self) -> None:
        """End."""

    def cancel(self) -> None:
        """End, and leave nothing."""

    def radius(self) -> float | None:
        """Give the radius of the ring that the cursor shows, in the layer's unit; None for a cross."""
        return None
