"""What a stranger's file says, fit to be shown: in one line, without what would steer a terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari_vol3d.core.errors import ModelProblem, Vol3dError
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.say import plain_line
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.source import ModelSource

MOST_SAID = 600  # letters of a sentence
MOST_TOLD = 10_000  # letters of a description


def plain_problem(problem: Vol3dError) -> ModelProblem:
    """Give a refusal that can be shown, whatever the names in it hold."""
    return ModelProblem(plain_line(problem.message, MOST_SAID), hint=plain_line(problem.hint, MOST_SAID))


def plain_source(source: ModelSource) -> ModelSource:
    """Give what was found with all texts fit to be shown."""
    return replace(
        source, contents=tuple((plain_line(kind, MOST_SAID), count) for kind, count in source.contents),
        draft=plain_draft(source.draft), notes=tuple(plain_line(note, MOST_SAID) for note in source.notes),
    )  # fmt: skip


def plain_draft(draft: CardDraft) -> CardDraft:
    """Give a draft with all texts fit to be shown; what is so already stays as it is."""
    said = {name: getattr(draft, name) for name in CardDraft.model_fields}
    plain = {name: _plain(value) for name, value in said.items()}
    return draft.model_copy(update={name: value for name, value in plain.items() if value != said[name]})


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return plain_line(value, MOST_TOLD)
    if isinstance(value, tuple):
        return tuple(_plain(item) for item in value)
    if isinstance(value, LabelClass):
        return _plain_class(value)
    return value


def _plain_class(item: LabelClass) -> LabelClass:
    return replace(item, name=plain_line(item.name, MOST_SAID), color=plain_line(item.color, MOST_SAID))
