"""Marks of guesses: a small file beside the card, in the folder of the model whose card was guessed.

Beside the card and not in it: a card says what is so, and whether anybody has looked is another matter. Both go along
when a model is given away, so that a guess stays one until a person has confirmed it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from pydantic import ValidationError, field_validator

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.models.card import ModelCard, Record, read_card
from napari_vol3d.models.draft import GUESSABLE
from napari_vol3d.models.store import has_card, user_models

log = logging.getLogger(__name__)
MARKS_NAME = "guesses.json"
MOST_BYTES = 1 << 16  # more than any list of a card's fields takes


class Marks(Record):
    """Fields of a card, as a draft names them, that no person has changed or confirmed since they were guessed."""

    format_version: Literal[1] = 1
    guessed: tuple[str, ...] = ()

    @field_validator("guessed")
    @classmethod
    def _known(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        """Leave out what no card has: marks come from other people, and from other versions of this program."""
        return tuple(field for field in dict.fromkeys(given) if field in GUESSABLE)


def read_marks(card: ModelCard) -> tuple[str, ...] | None:
    """Give the marks of a model of the person's; None where there is no file with them."""
    for folder in _folders():
        path = folder / MARKS_NAME
        if path.is_file() and _holds(folder, card):
            return marks_in(folder)
    return None


def marks_in(folder: Path) -> tuple[str, ...]:
    """Give the marks in a folder with a card, whoever's it is.

    Where there are some that can't be read, of a later version for instance, all that can be guessed may be a guess.
    """
    path = folder / MARKS_NAME
    if not os.path.lexists(path):
        return ()
    try:
        if path.is_symlink() or path.stat().st_size > MOST_BYTES:
            return GUESSABLE
        return Marks.model_validate_json(path.read_bytes()).guessed
    except (OSError, ValidationError) as error:
        log.info("%s of %s can't be read: %.200s", path.name, folder.name, error)
        return GUESSABLE


def marks_from(block: object) -> tuple[str, ...]:
    """Give the marks that a package of the model zoo brings beside our card; all where they can't be understood."""
    try:
        return Marks.model_validate({"guessed": block}).guessed
    except ValidationError:
        return GUESSABLE


def marks_text(fields: Iterable[str]) -> str:
    """Write marks down, as `marks_in` reads them."""
    return Marks(guessed=tuple(fields)).model_dump_json(indent=1)


def write_marks(card: ModelCard, fields: Iterable[str]) -> bool:
    """Put marks beside the card of a model of the person's, no file where there are none; whether that was done.

    A folder that can't be written to is logged, and costs nothing else.
    """
    kept = Marks(guessed=tuple(fields))
    folder = next((folder for folder in _folders() if _holds(folder, card)), None)
    if folder is None:
        return False
    try:
        if kept.guessed:
            write_text(folder / MARKS_NAME, marks_text(kept.guessed))
        else:
            (folder / MARKS_NAME).unlink(missing_ok=True)
    except (OSError, SaveProblem) as problem:
        log.info("marks of guesses in %s not kept: %s", card.name, problem)
        return False
    return True


def _folders() -> Iterator[Path]:
    root = user_models()
    try:
        yield from (folder for folder in sorted(root.iterdir()) if not folder.name.startswith("."))
    except OSError:  # there is none yet, or it may not be looked into
        return


def _holds(folder: Path, card: ModelCard) -> bool:
    """Whether a folder holds the model of this name, version and network, whatever else its card says by now."""
    try:
        found = read_card(folder) if has_card(folder) else None
    except (OSError, ModelProblem):
        return False
    return found is not None and _identity(found) == _identity(card)


def _identity(card: ModelCard) -> tuple[str, str, str]:
    return card.name, card.version, card.weights.sha256
