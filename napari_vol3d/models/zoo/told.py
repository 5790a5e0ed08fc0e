"""What a package says of its model, as a card can say it; the rest in sentences."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.marks import marks_from
from napari_vol3d.models.zoo.description import mapping, mappings, text
from napari_vol3d.models.zoo.steps import Step, intensity_of
from napari_vol3d.models.zoo.tensors import BACKGROUND, Tensor

OWN = "napari-vol3d"  # the block of `config` that is ours: our card, and which of its fields are guesses
GUESSED = "guessed"
TOWARDS = {"z": "S", "y": "P", "x": "L"}  # where the axes of a scan run to, as this program turns it
MOST_LETTERS = 20_000


def own_card(said: dict[str, Any]) -> tuple[ModelCard | None, tuple[str, ...]]:
    """Give the card that this program put into a package, and a sentence where it can't be understood."""
    block = _own(said).get("card")
    if block is None:
        return None, ()
    try:
        return ModelCard.model_validate(block), ()
    except ValidationError:
        return None, ("Its card was written by another version of this program; what the package says is taken.",)


def own_marks(said: dict[str, Any]) -> tuple[str, ...]:
    """Give the fields of that card that nobody has confirmed."""
    return marks_from(_own(said).get(GUESSED, ()))


def draft_of_package(
    said: dict[str, Any], given: Tensor, wanted: Tensor
) -> tuple[CardDraft, tuple[str, ...]]:
    """Give what the description says of a model, and sentences on what a card can't say."""
    alone = given.channels == 1  # then it makes no difference whether channels are measured together
    kinds = given.kinds.replace("c", "") if alone else given.kinds
    scheme, notes = intensity_of(given.steps, limits=given.limits, kinds=kinds)
    spacing, activation = given.spacing(), _activation(wanted)
    draft = CardDraft(
        title=_line(said.get("name")), version=_line(said.get("version")), description=_long(said.get("description")),
        license=_license(said.get("license")), citation=_citation(said), authors=_authors(said),
        channels=_unlike(given.channel_names), spacing=spacing[0] if spacing else None,
        unit=spacing[1] if spacing else "mm", intensity=scheme, orientation=_orientation(given.space),
        classes=_classes(wanted, activation), activation=activation, halo=wanted.halo or None,
    )  # fmt: skip
    return draft, (*notes, *_turned(given.space), *_several(said), *_after(wanted))


def _own(said: dict[str, Any]) -> dict[str, Any]:
    return mapping(mapping(said.get("config")).get(OWN))


def _line(value: Any) -> str:
    return " ".join(text(value).split())[:200]


def _long(value: Any) -> str:
    return text(value)[:MOST_LETTERS]


def _license(value: Any) -> str:
    """Give the SPDX name; of a licence of its own the name of its file."""
    return _line(value) or (f"see {_line(mapping(value).get('source'))}" if mapping(value).get("source") else "")


def _authors(said: dict[str, Any]) -> tuple[str, ...]:
    return tuple(name for author in mappings(said.get("authors")) if (name := _line(author.get("name"))))


def _citation(said: dict[str, Any]) -> str:
    lines = []
    for entry in mappings(said.get("cite")):
        where = text(entry.get("doi")) or text(entry.get("url"))
        lines.append(" ".join(part for part in (text(entry.get("text")), where) if part))
    return _long("\n".join(line for line in lines if line))


def _unlike(names: tuple[str, ...]) -> tuple[str, ...]:
    """Give names only where all differ."""
    return names if len(set(names)) == len(names) else ()


def _activation(wanted: Tensor) -> Any:
    """Give what the scores are: what is put behind the network tells what is not in it.

    Notes
    -----
    A sigmoid behind several scores is left open: this program puts one behind a single score only.
    """
    steps = {step.name for step in wanted.steps}
    if "softmax" in steps:
        return "none"
    return "sigmoid" if "sigmoid" in steps and wanted.channels == 1 else None


def _classes(wanted: Tensor, activation: str | None) -> tuple[LabelClass, ...]:
    names = _unlike(wanted.channel_names)
    exclusive = activation != "sigmoid" and len(names) > 1 and BACKGROUND.fullmatch(names[0])
    shown = names[1:] if exclusive else names
    return tuple(LabelClass(id=i, name=name, color=default_color(i)) for i, name in enumerate(shown, 1))


def _orientation(space: str) -> str:
    return "" if space == "zyx" else "".join(TOWARDS[axis] for axis in space)


def _turned(space: str) -> tuple[str, ...]:
    return () if space == "zyx" else (f"Its network has its axes in the order {', '.join(space)}.",)


def _several(said: dict[str, Any]) -> tuple[str, ...]:
    counts = ((len(mappings(said.get(key))), key) for key in ("inputs", "outputs"))
    return tuple(f"It has {count} {key}; only the first is described here." for count, key in counts if count > 1)


def _after(wanted: Tensor) -> tuple[str, ...]:
    return tuple(sentence for step in wanted.steps if (sentence := _said_of(step, wanted.channels)))


def _said_of(step: Step, channels: int | None) -> str:
    if step.name.startswith("ensure_dtype") or step.name == "softmax":
        return ""
    if step.name == "sigmoid":
        return "" if channels == 1 else "It puts a sigmoid behind its scores: classes may overlap."
    if step.name == "binarize":
        value = step.options.get("threshold")
        return "" if value == 0.5 else f"It takes what is above {value} for the object; here 0.5 is."
    return f"It does {step.name!r} to its scores, which is not done here."
