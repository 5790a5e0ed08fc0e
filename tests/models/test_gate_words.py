"""Whatever a file calls itself, what is shown of it is plain lines."""

from __future__ import annotations

import json
import zipfile

import pytest

from napari_vol3d.core.errors import FileProblem, ModelProblem
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.models.draft import CardDraft
from napari_vol3d.models.gate import examine, require_safe
from napari_vol3d.models.gate_words import plain_draft, plain_problem
from tests.builders import make_card
from tests.hostile_models import conv, keras3, keras_file, network

EVIL = "Evil\x1b]0;x\x07\x1b[31m\nnapari-vol3d: all is well"


@pytest.mark.parametrize("look", [examine, require_safe])
def test_names_of_layers_can_not_steer_a_terminal(tmp_path, look):
    path = keras_file(tmp_path, network(conv(), keras3(EVIL, EVIL, {}, module=EVIL)))
    with pytest.raises(ModelProblem, match=r"Evil \]0;x  \[31m napari") as refusal:
        look(path)
    assert str(refusal.value).isprintable()


def test_a_problem_of_a_file_becomes_one_of_a_model():
    problem = plain_problem(FileProblem(EVIL, hint="a\nb"))
    assert (problem.exit_code, problem.hint) == (3, "a b")
    assert problem.message.isprintable()


def test_what_a_card_says_is_shown_in_plain_lines(tmp_path):
    path = keras_file(tmp_path)
    said = make_card(path).model_copy(update={"title": EVIL, "license": EVIL, "authors": ("me", EVIL)})
    (tmp_path / "card.json").write_text(said.model_dump_json())
    draft = examine(path).draft
    for text in (draft.title, draft.license, *draft.authors):
        assert text.isprintable()
    assert draft.title.startswith("Evil ]0;x")
    assert draft.authors[0] == "me"


def test_the_keras_that_wrote_it_is_noted_in_plain_words(tmp_path):
    assert all(note.isprintable() for note in examine(keras_file_of(tmp_path, "3.\x1b[2J")).notes)


def keras_file_of(folder, version):
    path = keras_file(folder)
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, part in {**parts, "metadata.json": json.dumps({"keras_version": version})}.items():
            new.writestr(name, part)
    return path


def test_a_plain_draft_stays_as_it_is():
    liver = LabelClass(id=1, name="liver", color="#ff0000")
    draft = CardDraft(title="Größe", classes=(liver,), spacing=(1.0, 1.0, 2.0))
    assert plain_draft(draft) == draft
    evil = draft.model_copy(update={"classes": (LabelClass(id=1, name=EVIL, color="#ff0000"),), "channels": (EVIL,)})
    assert plain_draft(evil).classes[0].name.isprintable()
    assert plain_draft(evil).channels[0].isprintable()
    assert plain_draft(evil).spacing == (1.0, 1.0, 2.0)
