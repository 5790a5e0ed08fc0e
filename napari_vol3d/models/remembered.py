"""What a person has decided about their models: which one is preselected."""

from __future__ import annotations

import logging
from pathlib import Path

from pydantic import ValidationError

from napari_vol3d.models.card import Record
from napari_vol3d.models.store import keep_text, user_models

log = logging.getLogger(__name__)
FILE = "decisions.json"


class Decisions(Record):
    """All of it."""

    format_version: int = 1
    default: str = ""


def decisions() -> Decisions:
    """Read them; none where there is no file, or it is damaged."""
    path = _path()
    try:
        return Decisions.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Decisions()
    except (OSError, ValidationError) as error:
        log.warning("%s can't be read: %.200s", path.name, error)
        return Decisions()


def decide(**changes: object) -> Decisions:
    """Keep a decision.

    Raises
    ------
    SaveProblem
        If it can't be written.
    """
    kept = Decisions.model_validate({**decisions().model_dump(), **changes})
    keep_text(_path(), kept.model_dump_json(indent=1), what="The choice")
    return kept


def _path() -> Path:
    return user_models() / FILE
