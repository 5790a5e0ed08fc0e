"""What is said to the engine process and what it says: one JSON record a line, nothing else.

Arrays never travel here; they lie in `.npy` files in the private folder that the parent owns and are named by path.
No TensorFlow in this module: the parent imports it too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import GridMap
from napari_vol3d.models.card import ModelCard

OUT_OF_MEMORY = 71  # exit code of an engine that had not even enough memory left to say so
Triple = tuple[int, int, int]
Spacing = tuple[float, float, float]


class Message(BaseModel):
    """One line on the pipe: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class ModelFile(Message):
    """The network described by `card`, in the file `weights`."""

    weights: str
    card: ModelCard


class LoadModels(Message):
    """Load networks; where there are several, their probabilities are averaged."""

    kind: Literal["load"] = "load"
    models: tuple[ModelFile, ...]


class Open(Message):
    """Make ready for patches of one kind, and name the files that they come and go in.

    Attributes
    ----------
    inputs : str
        Array (slots, z, y, x, C) of stored voxels: a patch, or the part of the scan that it is interpolated from.
    outputs : str
        Array (slots, z, y, x) of class ids; the labels that a patch owns begin at the first voxel.
    probabilities : str or None
        Array (slots, classes, z, y, x) of uint8, 0 to 255.
    windows : tuple or None
        Origins along z, y and x of the patches of an overlap scheme, which come in this order.
    mirror_axes : tuple of int
        Axes along which the patch is also seen mirrored; the results are averaged.
    kept : tuple or None
        Of patches that own but a few rows along an axis: that axis, which is none of `mirror_axes`, the first of these
        rows, and the first beyond them. Only for patches on the scan's own grid, without windows.
    """

    kind: Literal["open"] = "open"
    inputs: str
    outputs: str
    probabilities: str | None = None
    intensity: tuple[IntensityMap, ...]
    grid: GridMap
    patch_size: Triple
    windows: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]] | None = None
    mirror_axes: tuple[int, ...] = ()
    kept: Triple | None = None


class Patch(Message):
    """Compute the patch whose voxels lie in `slot`.

    Attributes
    ----------
    start : tuple of int
        First voxel of the patch on the model's grid.
    owned_start, owned_stop : tuple of int
        The scan voxels that are wanted of it.
    """

    kind: Literal["patch"] = "patch"
    slot: int
    start: Triple
    owned_start: Triple
    owned_stop: Triple


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


class Cancel(Message):
    """Forget the patches that wait, and stop after the running patch or batch."""

    kind: Literal["cancel"] = "cancel"
    number: int


class Ready(Message):
    """TensorFlow is awake."""

    kind: Literal["ready"] = "ready"
    device: str
    policy: str
    versions: str


class Loaded(Message):
    """The networks are loaded.

    Attributes
    ----------
    reach : int
        Theoretical halo: voxels of context beyond which nothing changes the result.
    instance_statistics : bool
        Whether a result depends on the whole patch, so that tiles must be blended.
    rewrites : tuple of str
        What was done to make them faster, for people.
    """

    kind: Literal["loaded"] = "loaded"
    reach: int
    instance_statistics: bool
    bytes_per_voxel: int
    flops_per_voxel: float
    rewrites: tuple[str, ...] = ()


class Opened(Message):
    """Patches may come: their function is traced, and on a GPU has run once."""

    kind: Literal["opened"] = "opened"


class PatchDone(Message):
    """A patch is computed, and its slot is free again once its labels were read.

    Attributes
    ----------
    start, stop : tuple of int
        The scan voxels whose labels are final and lie in the output slot: the core's; with an overlap scheme the rows
        that no later patch touches, which may be none.
    """

    kind: Literal["done_patch"] = "done_patch"
    slot: int
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
    """The training is finished, or was stopped on request."""

    kind: Literal["done"] = "done"


class Cancelled(Message):
    """Nothing runs any more; the answer to the `Cancel` of this number."""

    kind: Literal["cancelled"] = "cancelled"
    number: int


class Failed(Message):
    """The request failed; the engine still lives."""

    kind: Literal["failed"] = "failed"
    problem: Literal["model", "mismatch", "memory", "engine"]
    message: str
    hint: str = ""


Request = Annotated[LoadModels | Open | Patch | Fit | Cancel, Field(discriminator="kind")]
Report = Annotated[
    Ready | Loaded | Opened | PatchDone | Epoch | Step | Done | Cancelled | Failed, Field(discriminator="kind")
]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
REPORT: TypeAdapter[Report] = TypeAdapter(Report)
