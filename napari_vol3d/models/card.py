"""The model card: all that is needed to run a network, in one JSON file beside its weights."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.say import plain_line

NAME, VERSION = "^[a-z0-9][a-z0-9._-]{0,79}$", "^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$"
CARD_NAME = "card.json"
MOST_BYTES = 16 << 20  # of a card
MOST_REASON = 300  # letters
HIGHEST_ID = 2**32 - 1
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Lengths = tuple[Length, Length, Length]
Edge = Annotated[int, Field(ge=1)]


STORED = "stored"  # an orientation: the order in which the file itself has its voxels


def _check_letters(letters: str) -> str:
    if letters == STORED:
        return letters
    ends = {"RL".find(x) // 2 if x in "RL" else 1 + "APSI".find(x) // 2 for x in letters if x in "RLAPSI"}
    if letters and (len(letters) != 3 or len(ends) != 3):
        raise ValueError(f"an orientation names each direction of the body once, as LIA; received {letters[:20]!r}")
    return letters


Letters = Annotated[str, AfterValidator(_check_letters)]


class Record(BaseModel):
    """A record that comes from a file: frozen, and nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Weights(Record):
    """The file that holds the network."""

    file: str = Field(title="File", description="File name beside the card")
    sha256: str = Field(title="SHA-256", pattern="^[0-9a-f]{64}$")


class Conform(Record):
    """A cube of voxels of one size, as FreeSurfer's `mri_convert --conform` makes it."""

    edge: Edge = Field(256, title="Edge", description="Voxels along each edge of the cube")
    spacing: Length = Field(1.0, title="Spacing", description="Edge of its voxels")


class ForegroundCrop(Record):
    """The network sees the box around what is bright, and nothing else."""

    above: float = Field(
        0.0, ge=0, lt=1, title="Above", description="Share of the largest value, intensities mapped: brighter counts"
    )
    padding: int = Field(0, ge=0, title="Padding", description="Voxels added on each side, as far as there are any")


class PostProcessing(Record):
    """What is done to the finished labels, on the network's grid: small pieces first, then the largest, then holes."""

    largest_component: bool = Field(
        False, title="Largest component", description="Of all classes together keep the largest piece (26-connected)"
    )
    min_voxels: int = Field(0, ge=0, title="Least voxels", description="Smaller pieces of a class become background")
    fill_holes: bool = Field(False, title="Fill holes", description="Background enclosed by a class becomes that class")


class InputSpec(Record):
    """What the network wants to see; lengths run along its own axes, which `orientation` ties to the patient's."""

    channels: tuple[str, ...] = Field(title="Channels", description="One name a channel, in order", min_length=1)
    spacing: Lengths | None = Field(None, title="Spacing", description="Voxel size (z, y, x) it was trained at")
    unit: str = Field("mm", title="Unit", description="Unit of spacing and field of view")
    patch_size: tuple[Edge, Edge, Edge] = Field(title="Patch size", description="Voxels (z, y, x) of a training patch")
    fixed: bool = Field(False, title="Fixed size", description="It takes patches of exactly patch_size, no others")
    multiple: int = Field(1, ge=1, le=1024, title="Multiple", description="Every patch edge must divide by this")
    intensity: IntensityScheme = Field(default_factory=IntensityScheme, title="Intensity scheme")
    intensity_range: tuple[float, float] | None = Field(
        None, title="Intensity range", description="Lowest and highest value of the scans it knows, as stored"
    )
    anatomical: bool = Field(False, title="Anatomical", description="Trained on scans turned to (S, P, L) axes")
    orientation: Letters = Field(
        "", title="Orientation",
        description="Where the network's axes run to, as LIA; stored: as the file has them; empty: as they are shown",
    )  # fmt: skip
    conform: Conform | None = Field(None, title="Conform", description="Make every scan a cube of this kind first")
    resize_to: tuple[Edge, Edge, Edge] | None = Field(
        None, title="Resize to", description="Stretch the whole scan to this size first, whatever its voxels measure"
    )
    crop: ForegroundCrop | None = Field(None, title="Foreground crop", description="Show it the bright part alone")
    flip_axes: tuple[Literal[0, 1, 2], ...] = Field(
        (), title="Flips", description="Axes (0 z, 1 y, 2 x) along which a mirrored scan means the same"
    )
    field_of_view: Lengths | None = Field(
        None, title="Field of view", description="Largest extent (z, y, x) of a training scan"
    )

    @field_validator("intensity")
    @classmethod
    def _check_intensity(cls, scheme: IntensityScheme) -> IntensityScheme:
        if scheme.kind in ("zscore", "quantile") and not 0 <= scheme.lower < scheme.upper <= 100:
            raise ValueError(f"lower and upper are percentiles; received {scheme.lower} and {scheme.upper}")
        if scheme.kind == "window" and not scheme.lower < scheme.upper:
            raise ValueError(f"lower must be below upper; received {scheme.lower:g} and {scheme.upper:g}")
        return scheme

    @field_validator("channels")
    @classmethod
    def _check_channels(cls, channels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(channels)) < len(channels):
            raise ValueError(f"names must differ; received {', '.join(channels)[:100]}")
        return channels

    @model_validator(mode="after")
    def _check_size(self) -> Self:
        if sum(given is not None for given in (self.spacing, self.conform, self.resize_to)) > 1:
            raise ValueError("say one of spacing, conform and resize_to")
        return self


class OutputSpec(Record):
    """What comes out of the network."""

    classes: tuple[LabelClass, ...] = Field(title="Classes", description="Without background", min_length=1)
    activation: Literal["none", "softmax", "sigmoid"] = Field("none", title="Activation of the last layer")
    post: PostProcessing = Field(default_factory=PostProcessing, title="Post-processing")

    @field_validator("classes")
    @classmethod
    def _check_classes(cls, classes: tuple[LabelClass, ...]) -> tuple[LabelClass, ...]:
        ids = [item.id for item in classes]
        if len(set(ids)) < len(ids) or not 1 <= min(ids) <= max(ids) <= HIGHEST_ID:
            raise ValueError(f"ids must differ and lie between 1 and {HIGHEST_ID}; received {ids[:20]}")
        for item in classes:
            if not re.fullmatch("#[0-9a-fA-F]{6}", item.color):
                raise ValueError(f"colours are written #rrggbb; received {item.color[:20]!r}")
        return classes


class InferenceDefaults(Record):
    """How to run it where nobody says otherwise."""

    scheme: Literal["halo", "overlap"] = Field("halo", title="Scheme", description="How tiles share their borders")
    halo: int = Field(ge=0, title="Halo", description="Voxels of context that a tile computes and throws away")
    bytes_per_voxel: int = Field(
        1024, gt=0, title="Bytes per voxel", description="Memory that a voxel of the patch takes while it is computed"
    )
    seconds_per_megavoxel: float | None = Field(
        None, gt=0, title="Seconds per million voxels", description="On the CPU that trained it: a first estimate"
    )


class TrainingSummary(Record):
    """How the network came to be."""

    data: str = Field(title="Data")
    scans: int = Field(title="Training scans")
    epochs: int = Field(title="Epochs")
    best_epoch: int = Field(0, title="Best epoch", description="The one whose weights these are")
    architecture: str = Field(title="Architecture")
    command: str = Field("", title="Command", description="What made the weights")
    seconds: float = Field(0.0, title="Seconds")
    software: str = Field("", title="Software")
    date: str = Field("", title="Date")


class Source(Record):
    """Where an added network came from, and what was done to it."""

    container: str = Field(title="Container", description="What it came in: keras, h5, saved_model, tfjs ...")
    file: str = Field("", title="File", description="Name of the file or folder")
    sha256: str = Field(title="SHA-256", description="Of all its files", pattern="^[0-9a-f]{64}$")
    changes: tuple[str, ...] = Field((), title="Changes", description="What was done to it, in sentences")
    software: str = Field("", title="Software")


class ScanFigures(Record):
    """Figures of one scan that the training never saw."""

    scan: str
    dice: dict[str, float | None]
    hd95_mm: dict[str, float | None] = Field(default_factory=dict)


class ValidationFigures(Record):
    """How well it does on scans that the training never saw."""

    data: str = Field(title="Data")
    mean_dice: dict[str, float | None] = Field(title="Mean Dice")
    mean_hd95_mm: dict[str, float | None] = Field(default_factory=dict, title="Mean HD95 (mm)")
    worst_scan: str = Field("", title="Worst scan")
    scans: tuple[ScanFigures, ...] = Field(default=(), title="Scan by scan")


class ModelCard(Record):
    """A network, described so that it can be run, judged and cited."""

    format_version: Literal[1] = 1
    name: str = Field(
        title="Name", description="Short name for commands and files", pattern=NAME
    )
    title: str = Field(title="Title", description="What a person calls it")
    version: str = Field("1.0", title="Version", pattern=VERSION)
    description: str = Field("", title="Description")
    license: str = Field("", title="Licence")
    citation: str = Field("", title="Citation")
    authors: tuple[str, ...] = Field((), title="Authors")
    weights: Weights
    input: InputSpec
    output: OutputSpec
    inference: InferenceDefaults
    training: TrainingSummary | None = None
    validation: ValidationFigures | None = None
    source: Source | None = None

    @property
    def label_names(self) -> dict[int, str]:
        """Names of the classes by id."""
        return {item.id: item.name for item in self.output.classes}

    def summary(self) -> dict[str, str]:
        """Give what a person wants to know first, line by line."""
        spacing = " x ".join(f"{s:.3g}" for s in self.input.spacing) if self.input.spacing else "any"
        lines = {
            "name": f"{self.name} {self.version}",
            "title": self.title,
            "about": self.description,
            "classes": ", ".join(f"{c.id} {c.name}" for c in self.output.classes),
            "input": f"{', '.join(self.input.channels)} at {spacing} {self.input.unit}",
            "licence": self.license,
            "cite": self.citation,
        }
        if self.input.field_of_view:
            known = " x ".join(f"{f:.3g}" for f in self.input.field_of_view)
            lines["trained on"] = f"pieces of at most {known} {self.input.unit}"
        if self.validation:
            dice = ", ".join(f"{name} {value:.3f}" for name, value in self.validation.mean_dice.items() if value)
            count, worst = len(self.validation.scans), self.validation.worst_scan
            lines["mean Dice"] = f"{dice} on {count} unseen scans; worst {worst}"
        return {name: text for name, text in lines.items() if text}


def read_card(folder: Path) -> ModelCard:
    """Read the card of the model in `folder`.

    Raises
    ------
    ModelProblem
        If there is no card, or it says something that this program does not understand.
    """
    path = folder / CARD_NAME
    if not path.is_file():
        raise ModelProblem(
            f"No model card in {folder.name}.", hint=f"A model is a folder with {CARD_NAME} and weights."
        )
    if path.stat().st_size > MOST_BYTES:
        raise ModelProblem(f"Too large: the card of {folder.name} is more than 16 MB.", hint="Ask its maker for one.")
    try:
        return ModelCard.model_validate_json(path.read_bytes())
    except ValidationError as error:
        reason = plain_line(what_is_wrong(error), MOST_REASON)  # fields are named as the file names them
        raise ModelProblem(
            f"Card of {folder.name}: {reason}.", hint="Correct card.json, or ask its maker."
        ) from error


def what_is_wrong(error: ValidationError) -> str:
    """Say the first thing that is wrong with a record, in a person's words."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "file"
    known = {"extra_forbidden": "is not known", "missing": "is missing", "json_invalid": "is not JSON"}
    words = known.get(first["type"])
    return f"{where} {words}" if words else f"{where}: {first['msg'].removeprefix('Value error, ')}"


def sha256_of(path: Path) -> str:
    """Give the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
