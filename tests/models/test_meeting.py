"""Two edits of one card: nothing of either is lost in silence, and what can't go together is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.card import Conform
from napari_vol3d.models.draft import CardDraft, draft_of
from napari_vol3d.models.edited import corrected, edited, save
from napari_vol3d.models.library import add_model, remove_model
from napari_vol3d.models.meeting import latest, meet
from napari_vol3d.models.record import guesses_in, keep_guesses
from napari_vol3d.models.store import find_model, list_models
from tests.builders import make_card

GREY, WHITE = LabelClass(id=3, name="grey", color="#111111"), LabelClass(id=7, name="white", color="#222222")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setenv("VOL3D_MODELS", str(tmp_path / "own"))
    (tmp_path / "some.keras").write_bytes(b"weights")
    return add_model(tmp_path / "some.keras", make_card(tmp_path / "some.keras", name="net"))


def edit_of(model, **said):
    return edited(model, corrected(model.card, CardDraft(**said)))


def met(model, theirs, mine):
    """Let two edits of one card meet: theirs is saved first."""
    edit = edit_of(model, **mine)
    save(edit_of(model, **theirs))
    with pytest.raises(ModelProblem, match="changed meanwhile"):
        save(edit)
    return meet(edit)


def test_both_are_kept_where_they_do_not_meet(model):
    meeting = met(model, {"license": "MIT"}, {"citation": "Me"})
    assert (meeting.theirs, meeting.both) == (("Licence",), ())
    done = save(edited(meeting.model, meeting.draft)).card
    assert done == model.card.model_copy(update={"license": "MIT", "citation": "Me"})


def test_of_what_both_changed_the_other_is_told(model):
    meeting = met(model, {"license": "MIT", "channels": ("T1",)}, {"license": "GPL"})
    assert meeting.both == (("Licence", "MIT"),)
    assert (meeting.draft.license, meeting.draft.channels) == ("GPL", ("T1",))
    assert met(meeting.model, {"license": "BSD"}, {"license": "BSD"}).both == ()  # they agree


@pytest.mark.parametrize(
    ("theirs", "mine", "wanted"),
    [
        ({"conform": {"edge": 64}}, {"spacing": (1, 1, 2)}, {"spacing": (1, 1, 2), "conform": None}),
        ({"spacing": (1, 1, 2)}, {"unit": "um"}, {"spacing": None, "unit": "um"}),
        ({"conform": {"edge": 64}}, {"license": "MIT"}, {"spacing": None, "conform": Conform(edge=64)}),
        ({"anatomical": True}, {"orientation": "LIA"}, {"anatomical": False, "orientation": "LIA"}),
    ],
)  # fmt: skip
def test_what_belongs_together_stays_together(model, theirs, mine, wanted):
    meeting = met(model, theirs, mine)
    done = save(edited(meeting.model, meeting.draft)).card
    assert {name: getattr(draft_of(done), name) for name in wanted} == wanted


def test_the_classes_fit_the_network_in_any_case(model):
    csf = LabelClass(id=9, name="csf", color="#333333")
    meeting = met(model, {"activation": "sigmoid", "classes": (GREY, WHITE, csf)}, {"classes": (WHITE, GREY)})
    assert (meeting.draft.classes, meeting.draft.activation) == ((WHITE, GREY), "none")
    assert save(edited(meeting.model, meeting.draft)).card.output.classes == (WHITE, GREY)
    assert met(find_model("net"), {"activation": "softmax"}, {"classes": (GREY, WHITE)}).draft.activation == "softmax"


def test_a_copy_is_held_against_the_card_too(model):
    meeting = met(model, {"intensity": IntensityScheme(kind="minmax")}, {"version": "2"})
    copy = save(edited(meeting.model, meeting.draft))
    assert (copy.card.version, copy.card.input.intensity.kind) == ("2", "minmax")
    assert find_model("net@0.1").card.input.intensity.kind == "minmax"


def test_what_somebody_has_confirmed_meanwhile_stays_confirmed(model):
    keep_guesses(model.card, ("classes", "intensity"))
    mine = edit_of(model, license="MIT")
    save(edit_of(model), ("intensity",))  # theirs: the classes are right; no word of the card is another
    save(mine, ("classes", "intensity"))
    assert (guesses_in(model.card), find_model("net").card.license) == (("intensity",), "MIT")


def test_another_process_is_met_as_well(model):
    edit = edit_of(model, citation="Me")
    command = (sys.executable, "-m", "napari_vol3d.cli.main", "models", "edit", "net", "--license", "MIT", "--yes")
    subprocess.run(command, check=True, capture_output=True)
    with pytest.raises(ModelProblem, match=r"^The card of Tiny has changed meanwhile\. Look at it again"):
        save(edit)
    assert meet(edit).theirs == ("Licence",)


def test_there_is_no_meeting_where_nothing_has_changed_or_it_is_gone(model):
    edit = edit_of(model, license="MIT")
    assert meet(edit) is None
    remove_model(model)
    assert (meet(edit), latest(model)) == (None, model)
    with pytest.raises(ModelProblem, match="No model card"):
        save(edit)


def test_another_network_in_its_place_is_refused(model, tmp_path):
    edit = edit_of(model, license="MIT")
    remove_model(model)
    (tmp_path / "other.keras").write_bytes(b"other weights")
    other = add_model(tmp_path / "other.keras", make_card(tmp_path / "other.keras", name="net"))
    assert meet(edit) is None
    with pytest.raises(ModelProblem, match="changed meanwhile"):
        save(edit)
    assert find_model("net") == other == latest(model)


def test_a_bundled_one_stays_what_it_is(model):
    bundled = next(each for each in list_models() if each.origin == "bundled")
    assert latest(bundled) == bundled
    assert meet(edit_of(bundled, name="mine")) is None
