"""A card in full, in words: nothing that it says is lost, and nothing in it is markup."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtGui import QTextDocument

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.gui.panels.model_words import (
    MOST_CONTENTS,
    card_words,
    changes_words,
    contents_words,
    source_words,
)
from napari_vol3d.models.card import ModelCard, Source
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.store import Model, list_models

SOURCE = ModelSource(
    path=Path("folder") / "net.keras", container="keras", files=(), sha256="0123456789abcdef" * 4, size=2_500_000,
    contents=(("Conv3D", 9), ("ReLU", 8)), parameters=5598, draft=CardDraft(license="MIT"), notes=("Read <this>.",),
)  # fmt: skip


def plain(html: str) -> str:
    document = QTextDocument()
    document.setHtml(html)
    return document.toPlainText()


def changed(**given: Any) -> ModelCard:
    card = list_models()[0].card
    return card.model_copy(update={"input": card.input.model_copy(update=given)})


def test_a_card_is_said_in_full(qapp: Any) -> None:
    model = list_models()[0]
    card, said = model.card, plain(card_words(model))
    assert card.validation is not None
    assert card.training is not None
    for part in (
        card.title, card.version, card.name, card.description, card.license, card.citation, card.input.channels[0],
        card.validation.data, card.training.architecture, *(item.name for item in card.output.classes),
        *(f"{value:.3f}" for value in card.validation.mean_dice.values() if value is not None),
    ):  # fmt: skip
        assert part in said


def test_what_a_file_says_is_no_markup(qapp: Any) -> None:
    model = list_models()[0]
    bad = "<img src='x'><b>bold</b>"
    card = model.card.model_copy(
        update={
            "title": bad, "citation": bad, "source": Source(container="tfjs", sha256="0" * 64, changes=(bad,)),
            "output": model.card.output.model_copy(update={"classes": (LabelClass(id=1, name=bad, color="#123456"),)}),
        }
    )  # fmt: skip
    words = card_words(replace(model, card=card))
    assert "<img" not in words
    assert plain(words).count(bad) == 4
    assert "TensorFlow.js" in words


def test_where_a_model_lies_is_not_said(qapp: Any) -> None:
    model = Model(folder=Path.home() / "some" / "net-1.0", card=list_models()[0].card, origin="added")
    assert str(Path.home()) not in card_words(model)
    assert "net-1.0" in card_words(model)


def test_a_source_is_said_before_it_is_trusted(qapp: Any) -> None:
    said = plain(source_words(SOURCE))
    for part in ("net.keras", "Keras model", "0123456789ab", "2 MB", "MIT", "5,598", "ReLU 8", "Read <this>."):
        assert part in said
    assert "folder" not in said
    bare = replace(SOURCE, container="saved_model", size=1_000, parameters=None, draft=CardDraft())
    graph = plain(source_words(bare))
    assert "Ops" in graph
    assert "1 kB" in graph
    assert "not said" in graph


def test_many_kinds_are_counted() -> None:
    words = contents_words((f"Kind{n}", n) for n in range(MOST_CONTENTS + 3))
    assert words.endswith("and 3 more kinds")
    assert changes_words(()) == ""
