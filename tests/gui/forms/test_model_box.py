"""The box of models keeps what was chosen when others come and go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.gui.forms.model_box import ModelBox
from napari_vol3d.models.store import Model, list_models


def model(name: str, version: str = "1.0") -> Model:
    card = list_models()[0].card.model_copy(update={"name": name, "title": name.upper(), "version": version})
    return Model(folder=Path("models") / f"{name}-{version}", card=card, origin="added")


@pytest.fixture
def box(qtbot: Any) -> ModelBox:
    box = ModelBox()
    qtbot.addWidget(box)
    box.setModels([model("a"), model("b"), model("c")])
    return box


def test_the_first_is_chosen_and_others_by_name_or_folder(box: ModelBox) -> None:
    assert box.value() == model("a")
    box.choose("c")
    assert box.value() == model("c")
    assert box.currentText() == "C  1.0"
    box.choose(str(model("b").folder))
    assert box.value() == model("b")
    with pytest.raises(ModelProblem, match="No model called d") as caught:
        box.choose("d")
    assert "a, b, c" in caught.value.hint
    assert box.value() == model("b")


def test_what_was_chosen_stays_while_it_is_there(qtbot: Any, box: ModelBox) -> None:
    box.choose("b")
    with qtbot.assertNotEmitted(box.currentIndexChanged):
        box.setModels([model("0"), model("a"), model("b")])
    assert box.value() == model("b")
    with qtbot.waitSignal(box.currentIndexChanged):
        box.setModels([model("0"), model("a")])
    assert box.value() == model("0")


def test_of_two_versions_the_one_that_came_in_is_chosen(box: ModelBox) -> None:
    box.setModels([model("a"), model("a", "2.0")], choose=str(model("a", "2.0").folder))
    assert box.value() == model("a", "2.0")


def test_without_models_there_is_none(box: ModelBox) -> None:
    box.setModels([])
    assert box.value() is None
    box.setModels([model("a")], choose="z")  # a default that was removed
    assert box.value() == model("a")
