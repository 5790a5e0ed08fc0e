"""Models and their cards in words, as rich text: what came from a file is never markup."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from napari_vol3d.core.say import say_bytes
from napari_vol3d.gui.panels.segment_words import chip
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.card_words import SHORT, Rows, card_rows
from napari_vol3d.models.source import CONTAINER_WORDS, ModelSource
from napari_vol3d.models.store import Model

MOST_CONTENTS = 30  # kinds of layers or ops that are listed


def card_words(model: Model) -> str:
    """Give all that a card says."""
    card = model.card
    head = f"<b>{_text(card.title)}</b> {_text(card.version)}"
    about = f"<p>{_text(card.description)}</p>" if card.description else ""
    rows = [*card_rows(card), ("Folder", model.folder.name)]
    return f"{head}{about}{_table(rows)}{_classes(card)}"


def source_words(source: ModelSource) -> str:
    """Say what a file or folder holds that somebody else stored."""
    kinds = "ops" if source.container == "saved_model" else "layers"
    rows = (
        ("What", CONTAINER_WORDS[source.container]),
        ("Size", say_bytes(source.size)),
        ("SHA-256", source.sha256[:SHORT]),
        ("Title", source.draft.title),
        ("Licence", source.draft.license or "not said"),
        ("Citation", source.draft.citation),
        ("Weights", "" if source.parameters is None else f"{source.parameters:,}"),
        (kinds.capitalize(), contents_words(source.telling)),
    )
    notes = changes_words(source.notes)
    return f"<b>{_text(source.path.name)}</b>{_table(rows)}" + (f"<p>{notes}</p>" if notes else "")


def contents_words(contents: Iterable[tuple[str, int]]) -> str:
    """List kinds and how often each occurs: "Conv3D 9, ReLU 8"."""
    kinds = list(contents)
    more = f" and {len(kinds) - MOST_CONTENTS} more kinds" if len(kinds) > MOST_CONTENTS else ""
    return ", ".join(f"{kind} {count}" for kind, count in kinds[:MOST_CONTENTS]) + more


def changes_words(changes: Iterable[str]) -> str:
    """List what was done to a network."""
    return "<br>".join(f"• {_text(change)}" for change in changes)


def _classes(card: ModelCard) -> str:
    rows = (
        f"<tr><td>{chip(item.color)}&nbsp;</td><td align='right'>{item.id}&nbsp;&nbsp;</td>"
        f"<td>{_text(item.name)}</td></tr>"
        for item in card.output.classes
    )
    return f"<p><b>Classes</b></p><table>{''.join(rows)}</table>"


def _table(rows: Rows) -> str:
    lines = (
        f"<tr><td style='padding-right: 8px'><b>{_text(name)}</b></td><td>{_text(said)}</td></tr>"
        for name, said in rows if said
    )
    return f"<table cellspacing='2'>{''.join(lines)}</table>"


def _text(text: str) -> str:
    return escape(text, quote=False)
