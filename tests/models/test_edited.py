"""A card is corrected in its place: what it does not name stays, what contradicts the network is refused."""

from __future__ import annotations

import errno
import json

import pytest

from napari_vol3d.core.errors import ModelProblem, SaveProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.card import CARD_NAME, ModelCard, ScanFigures, ValidationFigures
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.edited import APART, EXTENT_GONE, FIGURES_GONE, corrected, edited, save
from napari_vol3d.models.library import add_model, remove_model, state_of
from napari_vol3d.models.record import guesses_in, keep_guesses, read_record, update_record
from napari_vol3d.models.store import find_model, list_models, open_model
from tests.builders import make_card

FIGURES = ValidationFigures(
    data="Four heads", mean_dice={"dim": 0.8, "bright": 0.9, "all": 0.85}, mean_hd95_mm={"dim": 2.0, "bright": None},
    worst_scan="d", scans=(ScanFigures(scan="d", dice={"dim": 0.7, "bright": None}, hd95_mm={"dim": 3.0}),),
)  # fmt: skip
GREY, WHITE = LabelClass(id=3, name="grey", color="#111111"), LabelClass(id=7, name="white", color="#222222")
ANOTHER = CardDraft(classes=(GREY, WHITE))


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


@pytest.fixture
def model(own, tmp_path):
    """A model of a person's with everything that a card can say of its past."""
    (tmp_path / "some.keras").write_bytes(b"weights")
    card = make_card(tmp_path / "some.keras", name="net", input={"field_of_view": (10.0, 20.0, 30.0)})
    return add_model(tmp_path / "some.keras", card.model_copy(update={"validation": FIGURES, "authors": ("A. B.",)}))


def changed(model, **said):
    return save(edited(model, corrected(model.card, CardDraft(**said))))


def test_what_is_said_is_changed_and_nothing_else(model):
    before = model.card.model_dump()
    after = changed(model, license="MIT", channels=("T1",), halo=12).card.model_dump()
    assert (after["license"], after["input"]["channels"], after["inference"]["halo"]) == ("MIT", ("T1",), 12)
    for part, name in ((after, "license"), (after["input"], "channels"), (after["inference"], "halo")):
        del part[name]
    for part, name in ((before, "license"), (before["input"], "channels"), (before["inference"], "halo")):
        del part[name]
    assert after == before
    again = find_model("net")
    assert again.folder == model.folder
    assert again.weights.read_bytes() == b"weights"
    assert state_of(again) == ""


@pytest.mark.parametrize("name", sorted(set(CardDraft.model_fields) - {"output", "name", "version"}))
def test_each_field_of_a_draft_gets_into_the_card(model, name):
    wanted = CardDraft(
        title="Other", description="New.", license="MIT", citation="Me", authors=("C.",), channels=("T2",),
        spacing=(1, 2, 3), unit="um", intensity=IntensityScheme(kind="minmax"), intensity_range=(0, 9), anatomical=True,
        orientation="LIA", conform={"edge": 64}, resize_to=(8, 8, 8), crop={"above": 0.5}, classes=ANOTHER.classes,
        activation="softmax", post={"fill_holes": True}, halo=3,
    )  # fmt: skip
    value = getattr(wanted, name)
    draft = draft_of(changed(model, **{name: value}).card)
    assert getattr(draft, name) == value != getattr(draft_of(model.card), name)
    assert draft.model_copy(update={name: None}) == draft_of(model.card).model_copy(update={name: None})


def test_nothing_said_changes_no_byte_of_meaning(model):
    edit = edited(model, draft_of(model.card))
    assert (edit.card, edit.lost, edit.copies) == (model.card, (), False)


def test_one_way_to_say_the_voxels_takes_the_place_of_another(model):
    assert changed(model, conform={"edge": 64}).card.input.conform is not None
    now = changed(find_model("net"), spacing=(1.0, 1.0, 2.0)).card.input
    assert (now.spacing, now.conform) == ((1.0, 1.0, 2.0), None)
    assert changed(find_model("net"), spacing=None).card.input.spacing is None
    with pytest.raises(ModelProblem, match="one of spacing"):
        changed(find_model("net"), spacing=(1, 1, 1), resize_to=(8, 8, 8))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"channels": ("a", "b")}, "takes 1 channel"), ({"channels": ()}, "takes 1 channel"),
        ({"classes": ANOTHER.classes[:1]}, r"gives 2 classes and background, its 3 scores; 1 were named"),
        ({"activation": "sigmoid"}, r"gives 3 classes; 2 were named"),
        ({"classes": (ANOTHER.classes[0],) * 2}, "ids must differ"), ({"output": "other"}, "--output"),
        ({"classes": [{"id": 1, "name": "a"}, {"id": 2, "name": " "}]}, "a name for each class"),
        ({"classes": [{"id": 1, "name": "a", "color": "red"}, {"id": 2, "name": "b"}]}, "#rrggbb"),
        ({"title": " "}, "A title"), ({"name": "Über"}, "name"), ({"version": "../x"}, "version"),
        ({"intensity": IntensityScheme(kind="zscore", lower=9, upper=1)}, "percentiles"),
    ],
)  # fmt: skip
def test_what_contradicts_the_network_is_refused(model, said, words):
    before = (model.folder / CARD_NAME).read_bytes()
    with pytest.raises(ModelProblem, match=words):
        changed(model, **said)
    assert (model.folder / CARD_NAME).read_bytes() == before
    assert [path.name for path in model.folder.parent.iterdir()] == [model.folder.name]


def test_of_sigmoids_each_score_is_a_class(model):
    classes = (*ANOTHER.classes, LabelClass(id=9, name="csf", color="#333333"))
    assert changed(model, activation="sigmoid", classes=classes).card.output.classes == classes


def test_figures_follow_the_names_of_their_classes(model):
    edit = edited(model, corrected(model.card, ANOTHER))
    assert edit.lost == ()
    figures = save(edit).card.validation
    assert figures.mean_dice == {"grey": 0.8, "white": 0.9, "all": 0.85}
    assert figures.mean_hd95_mm == {"grey": 2.0, "white": None}
    assert (figures.scans[0].dice, figures.scans[0].hd95_mm) == ({"grey": 0.7, "white": None}, {"grey": 3.0})


@pytest.mark.parametrize(
    "said",
    [
        {"spacing": (1, 1, 1)}, {"intensity": IntensityScheme(kind="none")}, {"orientation": "LIA"},
        {"anatomical": True}, {"crop": {"above": 0.1}}, {"post": {"largest_component": True}},
        {"activation": "softmax"}, {"classes": [{"id": 7, "name": "dim"}, {"id": 3, "name": "bright"}]},
    ],
)  # fmt: skip
def test_figures_of_other_labels_go_and_that_is_said(model, said):
    edit = edited(model, corrected(model.card, CardDraft(**said)))
    assert edit.lost == (FIGURES_GONE,)
    assert save(edit).card.validation is None


def test_an_extent_in_another_unit_goes_and_that_is_said(model):
    edit = edited(model, corrected(model.card, CardDraft(unit="um")))
    assert edit.lost == (EXTENT_GONE, FIGURES_GONE)
    assert edit.card.input.field_of_view is None


def test_what_was_measured_with_the_old_card_is_measured_again(model):
    update_record(model.card, halo=40, measured_on="head", reach=46, seconds_per_megavoxel={"CPU": 2.0})
    changed(model, license="MIT")
    assert read_record(model.card).halo == 40
    edit = edited(find_model("net"), corrected(find_model("net").card, CardDraft(intensity={"kind": "minmax"})))
    assert "40 voxels, is measured again" in edit.lost[-2]
    save(edit)
    known = read_record(model.card)
    assert (known.halo, known.measured_on, known.reach, known.speed_on("CPU")) == (None, "", 46, 2.0)
    update_record(model.card, halo=40)
    changed(find_model("net"), halo=9)
    assert read_record(model.card).halo is None


def test_labels_that_were_made_with_the_old_card_are_thought_of(model):
    said = CardDraft(intensity={"kind": "minmax"})
    assert APART not in " ".join(edited(model, corrected(model.card, said)).lost)
    update_record(model.card, seconds_per_megavoxel={"CPU": 2.0})  # it has run
    assert edited(model, corrected(model.card, said)).lost[-1].endswith(APART)
    for harmless in (CardDraft(license="MIT"), CardDraft(**said.model_dump(exclude_unset=True), version="0.2")):
        assert APART not in " ".join(edited(model, corrected(model.card, harmless)).lost)


def test_what_is_a_guess_still_is_kept_for_each_model(model):
    keep_guesses(model.card, ("classes", "intensity"))
    save(edited(model, corrected(model.card, CardDraft(license="MIT"))), ("intensity",))
    assert guesses_in(find_model("net").card) == ("intensity",)
    copy = save(edited(find_model("net"), corrected(find_model("net").card, CardDraft(version="2"))))
    assert guesses_in(copy.card) == ()
    assert guesses_in(model.card) == ("intensity",)


def test_another_name_or_version_is_a_model_of_its_own(model):
    edit = edited(model, corrected(model.card, CardDraft(version="0.2", license="MIT")))
    assert edit.copies
    update_record(model.card, halo=40)
    copy = save(edit)
    assert (copy.card.license, copy.folder.name, copy.weights.read_bytes()) == ("MIT", "net-0.2", b"weights")
    assert open_model(model.folder) == model
    assert read_record(model.card).halo == 40  # the old one's
    with pytest.raises(ModelProblem, match="is there already"):
        save(edit)


def test_a_changed_file_is_not_vouched_for_by_a_copy(model):
    model.weights.write_bytes(b"other weights")
    with pytest.raises(ModelProblem, match="can't be copied"):
        changed(model, version="0.2")
    assert changed(model, license="MIT").card.weights == model.card.weights
    assert "has changed" in state_of(find_model("net"))


def test_a_bundled_model_stays_and_its_copy_says_what_it_was(own):
    bundled = list_models()[0]
    before = (bundled.folder / CARD_NAME).read_bytes()
    with pytest.raises(ModelProblem, match=r"comes with the program.*another name"):
        changed(bundled, license="MIT")
    copy = changed(bundled, name="mine", license="MIT")
    assert (copy.origin, copy.card.source.file) == ("added", f"{bundled.card.name} {bundled.card.version}")
    assert copy.card.training == bundled.card.training
    assert state_of(copy) == ""
    assert (bundled.folder / CARD_NAME).read_bytes() == before


def test_a_folder_of_somebody_elses_is_not_changed(model, tmp_path):
    elsewhere = open_model(model.folder.rename(tmp_path / "elsewhere"))
    for said in ({"license": "MIT"}, {"name": "mine"}):
        with pytest.raises(ModelProblem, match=r"not in your models folder.*models add"):
            changed(elsewhere, **said)


def test_what_was_changed_or_removed_meanwhile_is_not_overwritten(model):
    edit = edited(model, corrected(model.card, CardDraft(license="MIT")))
    changed(model, citation="Somebody")
    with pytest.raises(ModelProblem, match="changed meanwhile"):
        save(edit)
    assert find_model("net").card.citation == "Somebody"
    remove_model(model)
    with pytest.raises(ModelProblem, match="No model card"):
        save(edit)
    assert not model.folder.exists()


def test_a_card_with_what_is_not_known_is_not_written_over(model):
    path = model.folder / CARD_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), "from_the_future": 1}))
    before = path.read_bytes()
    with pytest.raises(ModelProblem, match="from_the_future is not known"):
        save(edited(model, corrected(model.card, CardDraft(license="MIT"))))
    assert path.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_old_card(model, monkeypatch):
    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = (model.folder / CARD_NAME).read_bytes()
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(SaveProblem):
        changed(model, license="MIT")
    assert (model.folder / CARD_NAME).read_bytes() == before
    assert sorted(path.name for path in model.folder.iterdir()) == [CARD_NAME, "model.keras"]


def test_a_whole_card_can_be_given_back(model):
    text = model.card.model_copy(update={"license": "MIT"}).model_dump_json()
    draft = draft_of(ModelCard.model_validate_json(text))
    assert save(edited(model, corrected(model.card, draft))).card == model.card.model_copy(update={"license": "MIT"})
