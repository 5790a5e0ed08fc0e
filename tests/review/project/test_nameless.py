"""Nobody is named: people get numbers, texts with a path or a word that tells who somebody is are left out."""

from __future__ import annotations

import pytest

from napari_vol3d.review.project.nameless import Nameless, readings
from napari_vol3d.review.project.records import Act, Case, ImageRef, Reading
from napari_vol3d.review.project.store import Project


@pytest.fixture
def shown(tmp_path):
    cases = [
        Case(name="Meier Karl", code="case-0001", subject="K. Meier", images=(ImageRef(path="in/Karl_T1.nii.gz"),)),
        Case(name="hippo_001", code="hippo_001", images=(ImageRef(path="hippo_001.nii.gz"),)),
    ]
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=cases)
    project.set_status(project.rows()[0].reading.key, "flagged", who="zoe")
    project.assign([Reading(case=cases[1].key, reader="ann")], who="zoe")
    assert [one.reader for one in readings(project)] == ["", "", "ann"]
    return Nameless.of(project)


def test_people_are_numbered_in_the_order_of_their_deeds(shown):
    told = [shown.person(name) for name in ("zoe", "ann", "", "stranger")]
    assert told == ["annotator 1", "annotator 2", "", "annotator"]


@pytest.mark.parametrize(
    "text", ["/data/x", r"C:\x", "by zoe", "MEIER KARL", "scan of K. Meier", "Karl_T1", "the_Karl_T1_scan"]
)
def test_texts_that_tell_are_left_out(shown, text):
    assert shown.text(text) == ""


@pytest.mark.parametrize("text", ["halo", "U-Net 1.0", "hippo_001", "annual", "zoeology"])
def test_others_stay(shown, text):
    assert shown.text(text) == text


def test_settings_lose_what_tells_and_keep_the_rest(shown):
    settings = {"halo": 16, "out": "/tmp/x", "zoe": 1, "list": ["a", "zoe"], "in": {"mirror": True, "none": None}}
    assert shown.plain(settings) == {"halo": 16, "out": "", "list": ["a", ""], "in": {"mirror": True, "none": None}}


def test_of_deeds_only_status_and_numbers_are_told(shown):
    details = {"from": "todo", "to": "zoe", "note": "Karl", "readings": 3, "readers": ["ann"]}
    told = shown.details(Act(act="x", who="zoe", details=details))
    assert told == {"from": "todo", "readings": 3, "readers": ["annotator 2"]}


@pytest.fixture
def called(tmp_path):
    """A project of scans that are called as people are, in several ways."""
    names = ("Mueller_Anna", "Schmidt,Berta-Maria 120462", "hippocampus_003", "O'Hara2", "Zo\u0308e_brain")
    cases = [
        Case(name=name, code=f"case-000{n}", images=(ImageRef(path=f"{n}.nii.gz"),)) for n, name in enumerate(names)
    ]
    project = Project.create(tmp_path / "p.vol3d", name="p", cases=cases)
    project.set_status(project.rows()[0].reading.key, "flagged", who="Dr. Eva Lang")
    return Nameless.of(project)


@pytest.mark.parametrize(
    "text",
    ["Mueller Anna study", "net-mueller.keras", "ANNA2", "for Berta", "Maria", "born 120462", "hara", "Z\u00f6e's",
     "eva"],
)  # fmt: skip
def test_parts_of_names_tell_too(called, text):
    assert called.text(text) == ""


@pytest.mark.parametrize("text", ["Hippocampus (T1 MRI)", "brain", "Annalen", "1204621", "language", "U-Net 1.0", "dr"])
def test_words_that_say_what_was_scanned_tell_nobody(called, text):
    assert called.text(text) == text
