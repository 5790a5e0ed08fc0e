"""Two edits of one card that meet: what the later one changed is laid over what the earlier one has saved."""

from __future__ import annotations

from dataclasses import dataclass

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.draft import GRIDS, CardDraft, draft_of
from napari_vol3d.models.edit_words import card_changes
from napari_vol3d.models.edited import Edit, scores_of
from napari_vol3d.models.store import Model, open_model

TOGETHER = ({*GRIDS, "unit"}, {"orientation", "anatomical"})  # fields that mean something only with each other
SCORES = ("classes", "activation")  # together as many as the network gives


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """How to go on from an edit whose card has changed meanwhile.

    Attributes
    ----------
    model : Model
        As it is by now.
    draft : CardDraft
        What its card says by now, with what the edit changes.
    theirs : tuple of str
        Names of the lines of the card, as `edit_words.card_changes` gives them, that were changed meanwhile.
    both : tuple of (str, str)
        Of these the lines that the edit changes too, and otherwise: each with what the card says by now.
    """

    model: Model
    draft: CardDraft
    theirs: tuple[str, ...]
    both: tuple[tuple[str, str], ...]


def latest(model: Model) -> Model:
    """Give a model as it is on the disk by now; one that is no longer there, as it was."""
    try:
        return open_model(model.folder, bundled=model.origin == "bundled")
    except ModelProblem:
        return model


def meet(edit: Edit) -> Meeting | None:
    """Lay an edit over the card as it is by now; None where that is as it was, is gone, or is of another network."""
    old, now = edit.model.card, latest(edit.model)
    if now.card == old or now.card.weights.sha256 != old.weights.sha256:
        return None
    lines, mine = card_changes(old, now.card), {name: value for name, _, value in card_changes(old, edit.card)}
    return Meeting(
        model=now, draft=_laid_over(now.card, old, draft_of(edit.card)), theirs=tuple(name for name, _, _ in lines),
        both=tuple((name, value) for name, _, value in lines if mine.get(name, value) != value),
    )  # fmt: skip


def _laid_over(now: ModelCard, old: ModelCard, mine: CardDraft) -> CardDraft:
    before = draft_of(old)
    changed = {name for name in CardDraft.model_fields if getattr(mine, name) != getattr(before, name)}
    for group in TOGETHER:
        changed |= group if changed & group else set()
    laid = draft_of(now).model_copy(update={name: getattr(mine, name) for name in changed})
    if len(laid.classes) + (laid.activation != "sigmoid") == scores_of(old):
        return laid
    return laid.model_copy(update={name: getattr(mine, name) for name in SCORES})
