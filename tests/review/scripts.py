"""Random work of a person at labels, and what a journal must give for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.edits import Edit
from napari_vol3d.review.records import Layer

SHAPE = (6, 16, 16)


def random_edit(labels: NDArray[Any], rng: np.random.Generator, name: str = "stroke") -> Edit:
    """A box of one class, of noise, or a single voxel: it changes at least one."""
    frame = int(rng.integers(labels.shape[0])) if labels.ndim == 4 else 0
    space = labels[frame] if labels.ndim == 4 else labels
    while True:
        corner = [int(rng.integers(0, n)) for n in space.shape]
        box = tuple(slice(a, a + int(rng.integers(1, 6))) for a in corner)
        wanted = space.copy()
        noise = rng.integers(0, 900, wanted[box].shape)
        wanted[box] = noise if rng.random() < 0.3 else rng.integers(0, 5)
        edit = Edit.between(name, space, wanted, frame=frame)
        if edit is not None:
            return edit


@dataclass
class Person:
    """Edits, undoes and redoes labels, and says each step to `append` and `move`."""

    labels: NDArray[Any]
    append: Callable[[Edit], str]
    move: Callable[[str | None], Any]
    seed: int = 0
    done: list[tuple[str, Edit]] = field(default_factory=list)
    undone: list[tuple[str, Edit]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)

    def step(self) -> None:
        chance = self.rng.random()
        if chance < 0.2 and self.done:
            self.undo()
        elif chance < 0.3 and self.undone:
            self.redo()
        else:
            edit = random_edit(self.labels, self.rng)
            edit.apply(self.labels)
            self.undone.clear()
            self.done.append((self.append(edit), edit))

    def undo(self) -> None:
        token, edit = self.done.pop()
        edit.undo(self.labels)
        self.undone.append((token, edit))
        self.move(self.done[-1][0] if self.done else None)

    def redo(self) -> None:
        token, edit = self.undone.pop()
        edit.apply(self.labels)
        self.done.append((token, edit))
        self.move(token)


def first_labels(*, timed: bool = False) -> NDArray[np.uint16]:
    return np.random.default_rng(7).integers(0, 3, ((2,) if timed else ()) + SHAPE).astype(np.uint16)


def layer_of(labels: NDArray[Any]) -> Layer:
    return Layer.of(labels, scan="ab" * 32, name="labels")
