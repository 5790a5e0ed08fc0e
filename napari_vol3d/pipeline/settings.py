"""Settings of the verbs: each parameter has its one home here, with the words for forms, tooltips and `--help`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import psutil
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.intensity import IntensityScheme

Count = Annotated[int, Field(ge=1)]


def default_memory_gb() -> float:
    """Give a third of the memory that is installed, never of what happens to be free: 1 to 8 GB."""
    installed = int(psutil.virtual_memory().total)
    return min(8.0, max(1.0, round(installed / 3e9 * 2) / 2))


class SettingsProblem(Vol3dError):
    """A setting has a value that makes no sense."""

    exit_code: ClassVar[int] = 2


class Settings(BaseModel):
    """Settings from a form, a file or the command line: frozen, nothing unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def of(cls, values: Mapping[str, Any], *, hint: str = "") -> Self:
        """Make settings of what a person wrote.

        Raises
        ------
        SettingsProblem
            If a name is unknown or a value makes no sense; `hint` is passed on.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise SettingsProblem(f"Setting {where}: {first['msg']}.", hint=hint) from error


class SegmentSettings(Settings):
    """How to run a model over a scan."""

    device: Literal["auto", "cpu", "gpu"] = Field("auto", title="Device", description="Where the network runs")
    backend: Literal["tensorflow", "jax", "torch"] = Field(
        "tensorflow", title="Backend", description="What Keras computes with; jax and torch must be installed"
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", title="Precision",
        description="auto: float32 on a CPU, half of that on a GPU; bfloat16 is two to three times as fast on CPUs "
        "with AMX, and changes a few labels in a thousand",
    )  # fmt: skip
    memory_gb: float = Field(
        default_factory=default_memory_gb, gt=0, title="Memory budget",
        description="Most memory that one patch may take, in GB; a third of what is installed where not set",
    )  # fmt: skip
    context: Literal["measured", "exact"] = Field(
        "measured", title="Context",
        description="measured: as little as changes no label, found out at the first use; exact: all the network sees",
    )  # fmt: skip
    halo: int | None = Field(
        None, ge=0, title="Halo", description="Context voxels computed and thrown away; found out where empty"
    )
    scheme: Literal["auto", "halo", "overlap"] = Field(
        "auto", title="Scheme",
        description="halo: each voxel once, with context; overlap: blended, for networks that see a patch as a whole",
    )  # fmt: skip
    overlap: float = Field(0.5, ge=0, lt=1, title="Overlap", description="Share of a blended patch that the next sees")
    mirror: bool = Field(
        False, title="Mirror", description="Average over mirrored patches: a little better, 2 to 8 times the work"
    )
    skip_below: float | None = Field(
        None, title="Skip below", description="Patches without a voxel this bright are background"
    )
    cache: bool = Field(True, title="Cache", description="Keep finished patches, so that a repeated run is free")
    resample: bool = Field(
        True, title="Resample", description="Work at the model's spacing and put the labels back on the scan's grid"
    )
    probabilities: bool = Field(False, title="Probabilities", description="Also keep the class probabilities")


class TrainSettings(Settings):
    """How to train a model from folders of scans and labels."""

    name: str = Field("my-model", title="Name", pattern="^[a-z0-9][a-z0-9._-]*$")
    title: str = Field("My model", title="Title", description="What a person calls it")
    description: str = Field("", title="Description")
    license: str = Field("", title="Licence")
    citation: str = Field("", title="Citation")
    data: str = Field("", title="Data", description="What it is trained on, for the card")
    class_names: dict[int, str] = Field(default_factory=dict, title="Class names", description="By label id")
    validation: tuple[str, ...] = Field((), title="Validation scans", description="Names; they choose the best epoch")
    test: tuple[str, ...] = Field((), title="Test scans", description="Names; never trained on, never chosen with")
    validation_share: float = Field(0.1, ge=0, lt=1, description="Share of scans where no names are given")
    test_share: float = Field(0.0, ge=0, lt=1, description="Share of scans kept back where no names are given")
    patch_size: tuple[Count, Count, Count] | None = Field(None, title="Patch size", description="Voxels (z, y, x)")
    intensity: IntensityScheme = Field(default_factory=IntensityScheme, title="Intensity scheme")
    widths: tuple[Count, ...] = Field(
        (16, 32, 64, 96), min_length=2, title="Widths", description="Filters of each level"
    )
    down: Literal["pool", "stride"] = Field("pool", title="Down-sampling")
    activation: Literal["relu", "leaky_relu"] = Field("leaky_relu", title="Activation")
    residual: bool = Field(True, title="Residual blocks")
    deep_supervision: int = Field(1, ge=0, title="Deep supervision", description="Coarser levels with a loss")
    epochs: int = Field(60, ge=1, title="Epochs")
    batch: int = Field(2, ge=1, title="Batch size")
    steps: int | None = Field(None, ge=1, title="Steps", description="Batches an epoch; one pass where empty")
    learning_rate: float = Field(2e-3, gt=0, title="Learning rate")
    weight_decay: float = Field(1e-2, ge=0, title="Weight decay")
    averaging: float = Field(0.998, ge=0, lt=1, title="Weight averaging", description="What a step leaves of it")
    foreground: float = Field(0.5, ge=0, le=1, title="Foreground", description="Share of patches on a class")
    flip_axes: tuple[Literal[0, 1, 2], ...] = Field(
        (), title="Flips", description="Axes (0 z, 1 y, 2 x) that may be mirrored"
    )
    rotation_deg: float = Field(
        15.0, ge=0, le=180, title="Rotation", description="Largest turn of a patch about each axis, degrees"
    )
    scaling: tuple[float, float] = Field((0.85, 1.18), title="Scaling", description="Smallest and largest zoom")
    elastic: float = Field(0.0, ge=0, title="Bending", description="Largest sd of a smooth bending, voxels")
    intensity_changes: float = Field(
        0.25, ge=0, le=1, title="Intensity changes", description="Probability of each: noise, blur, contrast ..."
    )
    seed: int = Field(1, ge=0, lt=2**32, title="Seed")
