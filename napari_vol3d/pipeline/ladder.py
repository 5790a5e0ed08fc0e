"""Down the ladder when memory runs out: a smaller patch, then the CPU, each told in a sentence."""

from __future__ import annotations

import math

from napari_vol3d.core.errors import MemoryProblem
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.plan import SegmentPlan, smaller

MOST_STEPS = 6


class Ladder:
    """Counts the steps of one run."""

    def __init__(self) -> None:
        self._steps = 0
        self._same_again = False
        self._first: SegmentPlan | None = None

    def step_down(
        self, plan: SegmentPlan, card: ModelCard, engine: Engine, problem: MemoryProblem
    ) -> tuple[SegmentPlan, str]:
        """Give the plan to go on with, and what to tell the person; the engine has a fresh process afterwards.

        Raises
        ------
        MemoryProblem
            `problem` itself, where there is no step left.
        """
        self._steps += 1
        self._first = self._first or plan
        on_gpu = engine.ready is not None and engine.ready.device != "CPU"
        less = smaller(plan, card)
        if self._steps > MOST_STEPS:
            raise problem
        if less is not None:
            engine.restart()
            size = " x ".join(map(str, less.tiles.patch_size))
            share = math.prod(less.tiles.patch_size) / math.prod(plan.tiles.patch_size)
            return less, f"{problem.message} Going on with smaller patches, {size} ({share:.0%}); finished ones stay."
        if on_gpu:
            engine.restart(device="cpu")
            return self._first, f"{problem.message} Going on with the CPU; finished patches stay."
        if not self._same_again:  # the smallest patch there is: whatever killed the process may have been another's
            self._same_again = True
            engine.restart()
            return plan, f"{problem.message} Going on; finished patches stay."
        raise problem
