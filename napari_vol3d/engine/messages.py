"""What is said to the engine process and what it says: one JSON record a line, nothing else.

Arrays never travel here; they lie in `.npy` files in the private folder that the parent owns and are named by path.
No TensorFlow in this module: the parent imports it too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.models.card import ModelCard

Triple = tuple[int, int, int]
Spacing = tuple[float, float, float]


class Message(BaseModel):
    """One line on the pipe: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class LoadModel(Message):
    """Load the network described by `card` from the file `weights`."""

    kind: Literal["load"] = "load"
    weights: str
    card: ModelCard


class Segment(Message):
    """Segment the box of a scan and write the labels into a file of the same shape as the scan."""

    kind: Literal["segment"] = "segment"
    scan: str
    labels: str
    probabilities: str | None = None
    ratio: Spacing
    model_shape: Triple
    intensity: tuple[IntensityMap, ...]
    patch_size: Triple
    halo: int
    start: Triple
    stop: Triple
    focus: Spacing | None = None


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


class Focus(Message):
    """Where the person looks now, in scan voxels: tiles near it come first."""

    kind: Literal["focus"] = "focus"
    point: Spacing


class Cancel(Message):
    """Stop after the running tile or batch."""

    kind: Literal["cancel"] = "cancel"


class Ready(Message):
    """TensorFlow is awake."""

    kind: Literal["ready"] = "ready"
    device: str
    policy: str
    versions: str


class Loaded(Message):
    """The network is loaded."""

    kind: Literal["loaded"] = "loaded"


class TileDone(Message):
    """The labels of this box of the scan are final and written."""

    kind: Literal["tile"] = "tile"
    done: int
    total: int
    start: Triple
    stop: Triple


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
    """The request is finished; `cancelled` where it was stopped on request."""

    kind: Literal["done"] = "done"
    cancelled: bool = False


class Failed(Message):
    """The request failed; the engine still lives."""

    kind: Literal["failed"] = "failed"
    problem: Literal["model", "mismatch", "memory", "engine"]
    message: str
    hint: str = ""


Request = Annotated[LoadModel | Segment | Fit | Focus | Cancel, Field(discriminator="kind")]
Report = Annotated[Ready | Loaded | TileDone | Epoch | Step | Done | Failed, Field(discriminator="kind")]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
REPORT: TypeAdapter[Report] = TypeAdapter(Report)
