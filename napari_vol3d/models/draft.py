"""The card of a model without one: what travelled with it, what its graph says, and guesses for the rest."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.models.card import (
    NAME,
    VERSION,
    Conform,
    Edge,
    ForegroundCrop,
    Lengths,
    Letters,
    ModelCard,
    PostProcessing,
    Record,
    what_is_wrong,
)

OF_CARD = ("name", "title", "version", "description", "license", "citation", "authors")
OF_INPUT = (
    "channels", "spacing", "unit", "intensity", "intensity_range", "anatomical", "orientation", "conform", "resize_to",
    "crop",
)  # fmt: skip
OF_OUTPUT = ("classes", "activation", "post")
GUESSABLE = ("title", "channels", "intensity", "classes", "spacing", "orientation", "activation")
GRIDS = ("spacing", "conform", "resize_to")  # a card says one of them


class CardDraft(Record):
    """What is known or said of a model so far; None and empty: not yet."""

    name: str = ""
    title: str = ""
    version: str = ""
    description: str = ""
    license: str = ""
    citation: str = ""
    authors: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    spacing: Lengths | None = None
    unit: str = "mm"
    intensity: IntensityScheme | None = None
    intensity_range: tuple[float, float] | None = None
    anatomical: bool | None = None
    orientation: Letters = ""
    conform: Conform | None = None
    resize_to: tuple[Edge, Edge, Edge] | None = None
    crop: ForegroundCrop | None = None
    classes: tuple[LabelClass, ...] = ()
    activation: Literal["none", "softmax", "sigmoid"] | None = None
    output: str = Field("", description="Name of the output to use, where there are several")
    post: PostProcessing | None = None
    halo: int | None = Field(None, ge=0)

    @field_validator("classes", mode="before")
    @classmethod
    def _colour(cls, given: Any) -> Any:
        """Give a class that came without a colour the usual one of its id."""
        items = given if isinstance(given, list | tuple) else ()
        plain = [isinstance(item, dict) and type(item.get("id")) is int for item in items]
        return [{"color": default_color(i["id"]), **i} if so else i for i, so in zip(items, plain, strict=True)]

    def over(self, other: CardDraft) -> CardDraft:
        """Give this draft, with what it leaves open filled from another."""
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return other.model_copy(update={k: v for k, v in said.items() if v not in (None, "", ())})

    def speaks_of(self, field: str) -> bool:
        """Whether this draft says something of what is guessed under this name."""
        names = {"spacing": GRIDS, "orientation": ("orientation", "anatomical")}.get(field, (field,))
        return not self.model_fields_set.isdisjoint(names)


def draft_of(card: ModelCard) -> CardDraft:
    """Give what a whole card says that a draft can say."""
    said: dict[str, Any] = {name: getattr(card, name) for name in OF_CARD}
    said |= {name: getattr(card.input, name) for name in OF_INPUT}
    said |= {name: getattr(card.output, name) for name in OF_OUTPUT}
    return CardDraft(**said, halo=card.inference.halo)


def read_draft(path: Path) -> CardDraft:
    """Read what a person wrote of a model: a JSON file with some of a draft's fields, or a whole card.

    Raises
    ------
    ModelProblem
        If it is neither, or its range of grey values is none.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise ModelProblem(f"{path.name} can't be read: {error.strerror or error}.") from error
    said = _said_in(text, path.name)
    require_range(said.intensity_range, f"{path.name}: intensity_range")
    return said


def require_range(given: tuple[float, float] | None, called: str) -> None:
    """Refuse what a person says to be the lowest and the highest grey value, where it can't be; None is no range.

    A card that says so is read all the same: only the check before Run looks at it.

    Raises
    ------
    ModelProblem
        If the first is not below the second, or one is no finite number.
    """
    if given is not None and not (all(map(math.isfinite, given)) and given[0] < given[1]):
        raise ModelProblem(
            f"{called} goes from {given[0]:g} to {given[1]:g}.", hint="Say the lowest grey value, then the highest."
        )


def require_name(name: str, version: str) -> None:
    """Refuse a name or a version that no file could have, in words; empty is not said yet.

    Raises
    ------
    ModelProblem
        If it has other letters than the card allows.
    """
    for said, what, pattern, letters in (
        (name, "name", NAME, "small letters, digits and . _ -"),
        (version, "version", VERSION, "letters, digits and . _ + -"),
    ):
        if said and not re.fullmatch(pattern, said):
            near = re.sub(r"[^A-Za-z0-9._-]+", "-", said).strip("-._") or "model"
            hint = f"Try {near.lower() if what == 'name' else near}."
            raise ModelProblem(f"Not a usable {what}: {said[:60]!r}; it has {letters} only.", hint=hint)


def _said_in(text: bytes, name: str) -> CardDraft:
    try:
        return draft_of(ModelCard.model_validate_json(text))
    except ValidationError:
        pass
    try:
        return CardDraft.model_validate_json(text)
    except ValidationError as error:
        raise ModelProblem(
            f"{name}: {what_is_wrong(error)}.", hint="See docs/MODELS.md for what a card can say."
        ) from error
