"""What an edit changes in a card, in words, as old and new."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.card_words import card_rows, grid_words

FIELD_WORDS = {  # of a draft's fields that are guessed
    "spacing": "voxel size", "orientation": "axes", "activation": "last layer", "intensity": "intensities",
}  # fmt: skip


def card_changes(old: ModelCard, new: ModelCard) -> tuple[tuple[str, str, str], ...]:
    """Give each line of a card that reads otherwise by now: its name, what it said, what it says.

    Figures and history are left out.
    """
    before, after = dict(_lines(old)), dict(_lines(new))
    names = (name for name in before | after if before.get(name, "") != after.get(name, ""))
    return tuple((name, before.get(name, ""), after.get(name, "")) for name in names)


def guess_words(fields: Iterable[str]) -> str:
    """Name fields of a draft for people.

    Examples
    --------
    >>> guess_words(("classes", "orientation"))
    'classes, axes'
    """
    return ", ".join(FIELD_WORDS.get(field, field) for field in fields)


def _lines(card: ModelCard) -> Iterator[tuple[str, str]]:
    given = card.input
    yield from (("Title", card.title), ("Version", card.version), ("About", card.description))
    yield from card_rows(card.model_copy(update={"validation": None, "training": None, "source": None}))
    spacing = given.spacing  # every digit: what is not seen would be changed unseen
    yield "Voxels", grid_words(card) if spacing is None else f"{' x '.join(map(str, spacing))} {given.unit}"
    yield from (("Unit", given.unit), ("Turned upright", "yes" if given.anatomical else "no"))
    for number, item in enumerate(card.output.classes, start=1):
        yield f"Class {number}", f"{item.id} {item.name} {item.color}"
