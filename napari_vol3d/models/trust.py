"""Trust on first use: by the hash of a model's files, never by its name or its place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field

from napari_vol3d.models.card import Record
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.store import keep_text, user_models

WARNING = "A model is a program: only trust what comes from people you trust."


class Trusted(Record):
    """One model that a person trusts: what it was called, and since when."""

    file: str
    container: str
    date: str = Field(default_factory=lambda: datetime.now(UTC).date().isoformat())


def is_trusted(sha256: str) -> bool:
    """Whether a person has looked at these very files and trusted them."""
    return _path(sha256).is_file()


def trust(source: ModelSource) -> None:
    """Remember that a person trusts these files.

    Raises
    ------
    SaveProblem
        If it can't be written.
    """
    if not is_trusted(source.sha256):
        said = Trusted(file=source.path.name, container=source.container).model_dump_json()
        keep_text(_path(source.sha256), said, what=f"Trust in {source.path.name}")


def _path(sha256: str) -> Path:
    """Name a file of its own for each: programs that trust at the same time do not meet."""
    return user_models() / "trusted" / f"{sha256}.json"
