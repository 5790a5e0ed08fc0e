"""What a running verb tells whoever iterates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.box import Box


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Progress:
    """One report of a running verb. Every report is a point where the verb can be stopped.

    Attributes
    ----------
    phase : str
        What is going on, for people: "Starting TensorFlow", "Segmenting", "Training".
    done, total : int
        Work units finished and in all; `total` is 0 where it is not known.
    seconds : float
        Wall-clock seconds since the phase began.
    finished : Box or None
        The part of the scan whose labels have just become final.
    labels : ndarray or None
        The labels of `finished`, shape (z, y, x), ids of the classes; to be read, not changed.
    frame : int
        The time point of a series that this is about.
    figures : mapping of str to float
        Measurements to show, for instance the loss or the Dice of a class.
    note : str
        Something a person should know: a sentence, said once.
    """

    phase: str
    done: int = 0
    total: int = 0
    seconds: float = 0.0
    finished: Box | None = None
    labels: NDArray[Any] | None = None
    frame: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    note: str = ""

    @property
    def fraction(self) -> float:
        """Share of the work that is done, 0 to 1."""
        return self.done / self.total if self.total else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimate of the seconds left; None before the first unit is finished."""
        if not self.done or not self.total:
            return None
        return self.seconds / self.done * (self.total - self.done)
