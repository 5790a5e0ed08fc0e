"""The turns of the simulated annotator: what gains most a stroke is done, until the labels are good enough."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from annotator_field import Act, Field, Tip, deficits
from annotator_made import length, made
from annotator_strokes import Planner, Stroke
from annotator_tools import Use, filled, moved_thresholds, uses
from numpy.typing import NDArray
from scipy import ndimage

EVERY = 2  # turns: how often panels are opened
CRUMBS = 2  # times a stroke's gain is asked of filling between slices: it leaves many small errors for later
RADII = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)  # voxels: napari's sizes 1, 2, 3, 4, 6, 8, 10
TOOL_RADII = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
BALLS = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
LASSOS = (3, 5)  # slices
AXES = (0, 1, 2)
SPLITS, AROUND = (0.2, 0.4, 0.6, 0.8), 2  # shares of the voxels of the prediction and so many voxels around it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """A scan (Z, Y, X), what the model says, what is right, and the probabilities (classes, Z, Y, X) of 0 to 255."""

    name: str
    image: NDArray[Any]
    prediction: NDArray[np.uint8]
    reference: NDArray[np.uint8]
    probabilities: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """What an annotator has at hand; `more`: ranges of intensities, and panels with a button Apply."""

    acts: tuple[Act, ...]
    tips: tuple[Tip, ...]
    more: bool


def _acts() -> Iterator[Act]:
    for class_id in (0, 1, 2):
        yield Act(class_id)
        yield from (Act(class_id, frozenset({other})) for other in (0, 1, 2) if other != class_id)


def _tips() -> Iterator[Tip]:
    for axis in AXES:
        yield from (Tip("disc", radius, axis) for radius in TOOL_RADII)
        yield from (Tip("ball", radius, axis) for radius in BALLS)
        yield from (Tip("lasso", slices, axis) for slices in LASSOS)


PLAIN = Arm(acts=(Act(0), Act(1), Act(2)), tips=tuple(Tip("disc", r, 0) for r in RADII), more=False)
ANY_PLANE = Arm(acts=PLAIN.acts, tips=tuple(Tip("disc", r, axis) for axis in AXES for r in RADII), more=False)
TOOLS = Arm(acts=tuple(_acts()), tips=tuple(_tips()), more=True)


def ranges(case: Case) -> Iterator[Act]:
    """Paint or erase only what is darker, or brighter, than one of some values of the scan around the prediction."""
    near = case.image[ndimage.binary_dilation(case.prediction > 0, iterations=AROUND)]
    for value in np.quantile(near, SPLITS).tolist():
        for low, high in ((-math.inf, value), (value, math.inf)):
            yield from (Act(class_id, None, (low, high)) for class_id in (0, 1, 2))


@dataclass(slots=True, kw_only=True)
class Tally:
    """What it took.

    Attributes
    ----------
    strokes : int
        Drags with a brush or lasso, clicks on Apply, and what these need.
    slices : set of (int, int)
        Axis and index of the slices that something was drawn in.
    voxels : int
        Changed, those that were changed twice counted twice.
    drag_mm : float
        The way of the mouse while its button was held, on the scan.
    settings : int
        How often another class, tool, size, limit or plane was taken.
    by : Counter
        Strokes by tool.
    """

    strokes: int = 0
    slices: set[tuple[int, int]] = field(default_factory=set)
    voxels: int = 0
    drag_mm: float = 0.0
    settings: int = 0
    by: Counter[str] = field(default_factory=Counter)


class Annotator:
    """One person at one scan.

    Attributes
    ----------
    labels : ndarray of uint8, shape (Z, Y, X)
        As they are by now.
    """

    def __init__(self, case: Case, arm: Arm, *, aim: float, over: int) -> None:
        self.labels, self.case, self.arm, self.aim = case.prediction.copy(), case, arm, aim
        acts = (*arm.acts, *(ranges(case) if arm.more else ()))
        self.field = Field(
            self.labels, case.reference, case.image, aim=aim, acts=acts, tips=arm.tips, harms=over > 0
        )  # fmt: skip
        self.planner = Planner(self.field, over=over)
        self.tally = Tally()
        self._since: dict[int, float] = {}
        self._by_hand = np.zeros(self.labels.shape, bool)
        self._settings: Any = None

    def missing(self) -> float:
        """Give the wrong voxels, of all classes, beyond what the aim allows."""
        return sum(deficits(self.labels, self.case.reference, self.aim).values())

    def work(self) -> Tally:
        """Correct until the aim is reached."""
        for turn in count():
            if self.missing() <= 0:
                return self.tally
            self._do(self._best(turn))
        raise AssertionError("count() does not end")

    def _best(self, turn: int) -> Use:
        """Give what gains most a stroke; of equals what is simplest."""
        best = max(self._drags(), key=self._rate)
        if self.arm.more and turn % EVERY == 0:
            best = self._of_panels(best)
        if self._rate(best) <= 0:
            raise RuntimeError(f"{self.case.name}: nothing helps any more, {self.missing():.1f} voxels are missing")
        return best

    def _of_panels(self, drag: Use) -> Use:
        """Give what a panel does better than a drag, or that."""
        panels = uses(self.field, self._rate(drag))
        panels += moved_thresholds(self.field, self.case.probabilities, self._since, self._by_hand)
        best = max([drag, *panels], key=self._rate)
        least = CRUMBS * self._rate(best)
        fills = [use for use in filled(self.field, least) if self._rate(use) > least]
        return max(fills, key=self._rate, default=best)

    def _drags(self) -> list[Use]:
        strokes = [(stroke, made(self.labels, self.field, stroke)) for stroke in self.planner.best()]
        return [
            Use(name=stroke.tip.kind, strokes=1, edits=(edit,), drawn=(stroke,))
            for stroke, edit in strokes if edit is not None
        ]  # fmt: skip

    def _rate(self, use: Use) -> float:
        """Give how many voxels fewer are missing after it, a stroke."""
        before = self.missing()
        for edit in use.edits:
            edit.apply(self.labels)
        after = self.missing()
        for edit in reversed(use.edits):
            edit.undo(self.labels)
        return (before - after) / use.strokes

    def _do(self, use: Use) -> None:
        for edit in use.edits:
            edit.apply(self.labels)
            self.planner.changed(self.field.update(edit.box))
            self.tally.voxels += edit.count
            if use.since is None:
                self._by_hand[edit.box.slices] |= edit.changed
        self._since = self._since if use.since is None else use.since
        self.tally.strokes += use.strokes
        self.tally.by[use.name] += use.strokes
        for stroke in use.drawn:
            self._count(stroke)
        if not use.drawn or len(use.drawn) < len(use.edits):
            self._take(use.name)

    def _count(self, stroke: Stroke) -> None:
        tip = stroke.tip
        self.tally.slices.add((tip.axis, stroke.plane + self.field.start[tip.axis]))
        self.tally.drag_mm += length(stroke)
        self._take((stroke.act, tip))

    def _take(self, settings: Any) -> None:
        self.tally.settings += settings != self._settings
        self._settings = settings
