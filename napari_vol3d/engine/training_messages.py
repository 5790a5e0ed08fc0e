"""What is said about training: the request, and how it stands."""

from __future__ import annotations

from typing import Literal

from napari_vol3d.engine.message import Message, Triple


class TrainingCase(Message):
    """One training scan: image (Z, Y, X, C) float32, already normalised, labels (Z, Y, X) uint8, foreground places."""

    name: str
    image: str
    labels: str
    places: str


class Fit(Message):
    """Train a network; `checkpoint` is where an earlier run stopped."""

    kind: Literal["fit"] = "fit"
    folder: str
    train: tuple[TrainingCase, ...]
    validation: tuple[TrainingCase, ...]
    channels: int
    class_ids: tuple[int, ...]
    patch_size: Triple
    widths: tuple[int, ...]
    down: Literal["pool", "stride"]
    activation: Literal["relu", "leaky_relu"]
    residual: bool
    deep_supervision: int
    epochs: int
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float
    averaging: float
    foreground: float
    flip_axes: tuple[int, ...]
    rotation_deg: float = 15.0
    scaling: tuple[float, float] = (0.85, 1.18)
    elastic: float = 0.0
    intensity_changes: float = 0.25
    seed: int
    checkpoint: str | None = None


class Epoch(Message):
    """How training stands; `checkpoint` and `best` name files that the parent should keep."""

    kind: Literal["epoch"] = "epoch"
    epoch: int
    epochs: int
    figures: dict[str, float]
    checkpoint: str
    best: str | None = None


class Step(Message):
    """A batch is done."""

    kind: Literal["step"] = "step"
    done: int
    total: int
    loss: float


class Done(Message):
    """The training is finished, or was stopped on request."""

    kind: Literal["done"] = "done"
