"""The card of an adopted network: guesses are marked until they are touched, and what can't be a card says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet
from qtpy.QtCore import Qt

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.engine.messages import Adopted, OutputSeen
from napari_vol3d.gui.forms.card_form import ACTIVATIONS, GUESS, CardForm
from napari_vol3d.gui.forms.grid_form import SPACING
from napari_vol3d.models.card import Conform, ForegroundCrop, PostProcessing
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.source import ModelSource
from napari_vol3d.models.store import list_models
from napari_vol3d.pipeline.adopt import Adoption
from napari_vol3d.pipeline.guess import complete

Make = Callable[..., CardForm]
MAIN, DEEP = (OutputSeen(name=name, stride=(1, 1, 1), scores=3) for name in ("main", "deep"))
COARSE = OutputSeen(name="coarse", stride=(4, 4, 4), scores=3, problem="It lies on a coarser grid.")
WIDEST = 320


def adoption(said: CardDraft | None = None, **facts: Any) -> Adoption:
    known: dict[str, Any] = {
        "channels": 1, "scores": 3, "fixed_size": None, "patch_size": (64, 64, 64), "multiple": 1, "reach": 46,
        "instance_statistics": False, "bytes_per_voxel": 80, "flops_per_voxel": 1e4, "activation": "none",
        "outputs": (MAIN,), "chosen": "main", "layers": (("Conv3D", 9),), "parameters": 5598,
    }  # fmt: skip
    source = ModelSource(path=Path("some_net.keras"), container="keras", files=(), sha256="a" * 64, size=1)
    seen = Adopted(**known | facts)
    draft, guessed = complete(said or CardDraft(), seen, source)
    return Adoption(source=source, facts=seen, weights=Path("model.keras"), draft=draft, guessed=guessed)


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))


@pytest.fixture
def make(qtbot: Any) -> Make:
    def made(*given: Any, **facts: Any) -> CardForm:
        form = CardForm()
        qtbot.addWidget(form)
        form.setAdoption(adoption(*given, **facts))
        form.resize(WIDEST, 700)
        form.show()
        return form

    return made


def marked(form: CardForm) -> set[str]:
    return {row for row, label in form._labels.items() if GUESS in label.text()}


def type_over(qtbot: Any, line: Any, text: str) -> None:
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_a_whole_draft_goes_in_and_out_unchanged(make: Make) -> None:
    whole = CardDraft(
        name="mine", title="Mine", version="2.1", description="A net.", license="MIT", citation="Me 2020",
        authors=("A. B.", "C."), channels=("FLAIR", "T1"),
        intensity=IntensityScheme(kind="quantile", lower=5, upper=95),
        intensity_range=(0.0, 255.0), anatomical=True, orientation="LIA", conform=Conform(edge=256, spacing=1.0),
        crop=ForegroundCrop(above=0.2, padding=18),
        classes=(LabelClass(id=3, name="white", color="#ffffff"), LabelClass(id=9, name="grey", color="#cd3e4e")),
        activation="softmax", output="main", post=PostProcessing(largest_component=True, min_voxels=5), halo=40,
    )  # fmt: skip
    form = make(whole, channels=2)
    assert form.value() == whole
    assert not form.refusal()
    assert not marked(form)


def test_the_card_of_a_bundled_model_goes_in_and_out_unchanged(make: Make) -> None:
    draft = draft_of(list_models()[0].card)
    form = make(draft, scores=3)
    assert form.value() == form._draft
    assert form.value().model_copy(update={"name": draft.name, "output": "", "resize_to": None}) == draft


def test_guesses_are_marked_until_a_person_touches_them(qtbot: Any, make: Make) -> None:
    form = make()
    assert marked(form) == {"title", "channels", "grid", "orientation", "intensity", "classes"}
    type_over(qtbot, form.channels, "T1")
    form.grid.way.setCurrentIndex(SPACING)
    form.classes.table.item(0, 2).setText("grey")
    assert marked(form) == {"title", "orientation", "intensity"}
    assert form.value().channels == ("T1",)
    assert form.value().spacing == (1, 1, 1)
    assert marked(make(activation="softmax", unsure=("activation",))) >= {"activation"}


def test_the_short_name_follows_the_title_until_it_is_typed(qtbot: Any, make: Make) -> None:
    form = make()
    assert form.name.text() == "some-net"
    type_over(qtbot, form.title, "Brain & Tissue")
    assert form.name.text() == "brain-tissue"
    type_over(qtbot, form.name, "bt")
    type_over(qtbot, form.title, "Other")
    assert form.value().name == "bt"


@pytest.mark.parametrize(
    ("line", "text", "words"),
    [
        ("title", " ", "a title"), ("version", " ", "a version"), ("name", "Über", "small letters"),
        ("name", "hippocampus-t1", "is there already"), ("channels", "a, b", "1 channel:"),
        ("channels", " ", "1 channel:"),
    ],
)  # fmt: skip
def test_what_is_no_card_says_why(qtbot: Any, make: Make, line: str, text: str, words: str) -> None:
    form = make()
    assert not form.refusal()
    with qtbot.waitSignal(form.valueChanged):
        type_over(qtbot, getattr(form, line), text)
    assert words in form.refusal()


def test_a_name_that_is_taken_is_free_in_another_version(qtbot: Any, make: Make) -> None:
    form = make()
    card = list_models()[0].card
    type_over(qtbot, form.name, card.name)
    type_over(qtbot, form.version, card.version + ".1")
    assert not form.refusal()


def test_of_sigmoids_each_score_is_a_class(make: Make) -> None:
    form = make()
    assert len(form.value().classes) == 2
    assert "background" in form.background.text()
    form.activation.setCurrentIndex(tuple(ACTIVATIONS).index("sigmoid"))
    assert [item.id for item in form.value().classes] == [1, 2, 3]
    assert "background" not in form.background.text()
    form.activation.setCurrentIndex(tuple(ACTIVATIONS).index("softmax"))
    assert len(form.value().classes) == 2


def test_another_output_is_asked_for(qtbot: Any, make: Make) -> None:
    form = make(outputs=(MAIN, DEEP, COARSE))
    assert form.output.isVisible()
    assert form.output.currentText().startswith("main")
    assert not form.output.model().item(2).isEnabled()
    assert form.output.model().item(2).toolTip() == COARSE.problem
    form.output.setFocus()
    with qtbot.waitSignal(form.outputAsked) as told:
        qtbot.keyClick(form.output, Qt.Key.Key_Down)
    assert told.args == ["deep"]
    assert not make().output.isVisible()


def test_it_fits_the_dock(make: Make) -> None:
    form = make(CardDraft(title="A very long title of a network " * 5), channels=6, outputs=(MAIN, DEEP, COARSE))
    form.setStyleSheet(get_stylesheet("dark"))  # in which numbers are wider
    for way in range(form.grid.way.count()):
        form.grid.way.setCurrentIndex(way)
        for kind in range(form.intensity.kind.count()):
            form.intensity.kind.setCurrentIndex(kind)
            assert form.minimumSizeHint().width() <= WIDEST


def wrong(form: CardForm) -> set[str]:
    return {row for row, label in form._labels.items() if "!" in label.text()}


def test_the_row_that_is_wrong_is_marked(qtbot: Any, make: Make) -> None:
    form = make()
    assert not wrong(form)
    type_over(qtbot, form.channels, "a, b")
    assert wrong(form) == {"channels"}
    assert form._labels["channels"].toolTip() == form.refusal()
    type_over(qtbot, form.version, " ")
    assert wrong(form) == {"version"}
    type_over(qtbot, form.version, "1")
    type_over(qtbot, form.channels, "a")
    form.classes.table.item(0, 2).setText("")
    assert wrong(form) == {"classes"}
    form.classes.table.item(0, 2).setText("grey")
    assert not wrong(form)
    assert marked(form) == {"title", "grid", "orientation", "intensity"}


def test_how_the_file_stores_it_goes_in_and_out(make: Make) -> None:
    form = make(CardDraft(orientation="stored"))
    assert form.value().orientation == "stored"
    assert not form.value().anatomical


def test_the_card_of_a_model_that_is_there_is_not_taken_and_keeps_its_name(qtbot: Any, make: Make) -> None:
    form, card = make(outputs=(MAIN, DEEP)), list_models()[0].card
    form.setCard(draft_of(card), scores=3, guessed=("spacing", "activation"), own=(card.name, card.version))
    assert not form.output.isVisible()
    assert not form.refusal()
    assert marked(form) == {"grid", "activation"}
    assert form.guessed() == ("spacing", "activation")
    type_over(qtbot, form.title, "Other")
    assert form.name.text() == card.name
    form.grid.way.setCurrentIndex(SPACING if card.input.spacing is None else 0)
    assert form.guessed() == ("activation",)
    with qtbot.waitSignal(form.valueChanged):
        form.confirm()
    assert (form.guessed(), marked(form)) == ((), set())
    form.setCard(draft_of(card), scores=3)
    assert "is there already" in form.refusal()


def test_what_a_form_can_not_show_is_kept_until_it_is_touched(make: Make) -> None:
    fine = CardDraft(
        title="Fine", spacing=(0.123456789, 1.0, 1.0), unit="um", halo=300, orientation="LIA", anatomical=False,
        crop=ForegroundCrop(above=0.12345, padding=600),
    )  # fmt: skip
    form = make(fine)
    for name in ("spacing", "unit", "halo", "orientation", "anatomical", "crop"):
        assert getattr(form.value(), name) == getattr(fine, name)
    form.grid.unit.setCurrentText("mm")
    form.orientation.setValue(True, "")
    form.extras.halo.setValue(12)
    draft = form.value()
    assert (draft.spacing, draft.unit) == ((0.1235, 1.0, 1.0), "mm")
    assert (draft.anatomical, draft.orientation) == (True, "")
    assert (draft.halo, draft.crop) == (12, fine.crop)


def test_the_page_follows_a_card_from_any_to_another_grid(make: Make) -> None:
    form = make(CardDraft(conform=Conform(edge=64)))
    form.grid.way.setCurrentIndex(SPACING)
    assert (form.value().conform, form.value().spacing) == (None, (1.0, 1.0, 1.0))


def test_a_range_of_grey_values_is_asked_for_and_half_of_one_refused(qtbot: Any, make: Make) -> None:
    fine = CardDraft(title="Fine", intensity_range=(0.1, 1 / 3), halo=3)
    form = make(fine)
    type_over(qtbot, form.license, "MIT")
    assert form.value().intensity_range == fine.intensity_range
    type_over(qtbot, form.extras.range.highest, "0.5")
    assert form.value().intensity_range == (0.1, 0.5)
    assert not form.refusal()
    form.extras.range.highest.clear()
    type_over(qtbot, form.extras.range.lowest, "7")
    assert "Grey values" in form.refusal()
    form.extras.range.setValue(None)
    assert form.value().intensity_range is None
    assert not form.refusal()
