"""What is said to the engine process and what it says: one JSON record a line, nothing else.

Arrays never travel here; they lie in `.npy` files in the private folder that the parent owns and are named by path.
No TensorFlow in this module: the parent imports it too.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import GridMap
from napari_vol3d.engine.message import Message as Message
from napari_vol3d.engine.message import Triple
from napari_vol3d.engine.training_messages import Done as Done
from napari_vol3d.engine.training_messages import Epoch as Epoch
from napari_vol3d.engine.training_messages import Fit as Fit
from napari_vol3d.engine.training_messages import Step as Step
from napari_vol3d.engine.training_messages import TrainingCase as TrainingCase
from napari_vol3d.models.card import ModelCard

OUT_OF_MEMORY = 71  # exit code of an engine that had not even enough memory left to say so
Spacing = tuple[float, float, float]


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


class Adopt(Message):
    """Make a network that came from elsewhere into one that this program runs, and write it to `target` (.keras).

    `source` lies in the engine's own folder; "weights" are a file of weights for an architecture of this program,
    "stardist" a folder with config.json and weights. Without an `output`'s name the likeliest is taken.
    """

    kind: Literal["adopt"] = "adopt"
    container: Literal["keras", "h5", "saved_model", "weights", "stardist"]
    source: str
    target: str
    output: str | None = None


class Score(Message):
    """Give what the network that was loaded first makes of a patch, as its own file would: for examples of it.

    `inputs` is an array (z, y, x, C) of float32, intensities mapped; `outputs` the array (z, y, x, scores) to write.
    """

    kind: Literal["score"] = "score"
    inputs: str
    outputs: str


class Cancel(Message):
    """Forget the patches that wait, and stop after the running patch or batch."""

    kind: Literal["cancel"] = "cancel"
    number: int


class Ready(Message):
    """TensorFlow is awake; `cage` says why there is none, or what it can't hold, if so."""

    kind: Literal["ready"] = "ready"
    device: str
    policy: str
    versions: str
    cage: str = ""


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


class Scored(Message):
    """The scores are written."""

    kind: Literal["scored"] = "scored"


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


class OutputSeen(Message):
    """One output of a network: its stride (input voxels a voxel, by axis), scores, and why it can't be used."""

    name: str
    stride: tuple[float, float, float]
    scores: int
    problem: str = ""


class Adopted(Message):
    """The network is written, and a probe patch went through it.

    Attributes
    ----------
    channels, scores : int
        Of input and chosen output, a voxel.
    fixed_size : tuple of int or None
        The one size at which it works; None where any will do that divides by `multiple`.
    patch_size : tuple of int
        What it was stored for, or a usual one.
    activation : str
        At the end: "none" (logits), "softmax" or "sigmoid".
    unsure : tuple of str
        Which of these could be guessed only: names of attributes.
    changes : tuple of str
        What was done to it, in sentences for people.
    """

    kind: Literal["adopted"] = "adopted"
    channels: int
    scores: int
    fixed_size: Triple | None
    patch_size: Triple
    multiple: int
    reach: int
    instance_statistics: bool
    bytes_per_voxel: int
    flops_per_voxel: float
    activation: Literal["none", "softmax", "sigmoid"]
    outputs: tuple[OutputSeen, ...]
    chosen: str
    layers: tuple[tuple[str, int], ...]
    parameters: int
    unsure: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


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


Request = Annotated[LoadModels | Open | Patch | Score | Fit | Adopt | Cancel, Field(discriminator="kind")]
Answer = Ready | Loaded | Opened | PatchDone | Scored | Adopted | Epoch | Step | Done | Cancelled | Failed
Report = Annotated[Answer, Field(discriminator="kind")]
REQUEST: TypeAdapter[Request] = TypeAdapter(Request)
REPORT: TypeAdapter[Report] = TypeAdapter(Report)
