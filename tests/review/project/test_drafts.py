"""Rows of the worklist: no scan twice, no name twice, paths that still lead there when the folder has moved."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_vol3d.review.project.drafts import Draft, cases_of, relative


def draft(path: Path, **changes: object) -> Draft:
    return Draft(**{"name": path.name.partition(".")[0], "images": ((path, ""),), **changes})  # type: ignore[arg-type]


def test_rows_have_names_codes_and_paths(tmp_path):
    paths = [tmp_path / "scans" / f"x_{n}.nii.gz" for n in (1, 2)]
    cases, notes = cases_of([draft(path, prior=path.with_name("y.nii")) for path in paths], tmp_path)
    assert [(case.position, case.code, case.images[0].path) for case in cases] == [
        (0, "x_1", "scans/x_1.nii.gz"), (1, "x_2", "scans/x_2.nii.gz"),
    ]  # fmt: skip
    assert cases[0].prior == "scans/y.nii"
    assert notes == ()


def test_a_scan_is_in_one_case_only(tmp_path):
    cases, (note,) = cases_of([draft(tmp_path / "a.nii"), draft(tmp_path / "b" / ".." / "a.nii")], tmp_path)
    assert len(cases) == 1
    assert "twice" in note


def test_what_is_in_the_project_is_not_added_again(tmp_path):
    there, _ = cases_of([draft(tmp_path / name / "anna.nii") for name in "ab"], tmp_path)
    more, (note,) = cases_of([draft(tmp_path / name / "anna.nii") for name in "bc"], tmp_path, present=there)
    assert [(case.position, case.code, case.name) for case in more] == [(2, "case-0003", "anna")]
    assert "already" in note


@pytest.mark.parametrize(
    ("places", "names"),
    [
        (["p/1/t.nii", "p/2/t.nii"], ["1/t", "2/t"]),  # the folders say it
        (["1/p/t.nii", "2/p/t.nii"], ["1/p/t", "2/p/t"]),
        (["p/t.nii", "p/t.nii.gz"], ["t.nii", "t.nii.gz"]),  # the formats do
        (["1/p/s/t.nii", "2/p/s/t.nii"], ["t (1)", "t (2)"]),
    ],
)
def test_names_are_told_apart(tmp_path, places, names):
    cases, _ = cases_of([draft(tmp_path / place) for place in places], tmp_path)
    assert [case.name for case in cases] == names
    assert len({case.code for case in cases}) == 2


def test_a_note_where_only_the_format_differs(tmp_path):
    assert len(cases_of([draft(tmp_path / "t.nii"), draft(tmp_path / "t.mha")], tmp_path)[1]) == 1


def test_known_codes_stay_and_bad_ones_go(tmp_path):
    known = ["sub-01", "sub-02", "sub-02", "a/b"]
    drafts = [draft(tmp_path / f"{n}.nii", code=code) for n, code in enumerate(known)]
    codes = [case.code for case in cases_of(drafts, tmp_path)[0]]
    assert codes[0] == "sub-01"
    assert len(set(codes)) == 4
    assert not {"sub-02", "a/b"} & set(codes)


def test_paths_outside_lead_there(tmp_path):
    (tmp_path / "work" / "deep").mkdir(parents=True)
    (tmp_path / "scan.nii").write_bytes(b"x")
    path = relative(tmp_path / "scan.nii", tmp_path / "work" / "deep")
    assert path == "../../scan.nii"
    assert (tmp_path / "work" / "deep" / path).is_file()


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_on_the_way(tmp_path):
    for folder in ("real/project", "elsewhere/scans"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "elsewhere" / "scans" / "object").write_bytes(b"x")
    (tmp_path / "elsewhere" / "scans" / "a.nii").symlink_to("object")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "project")
    (tmp_path / "real" / "project" / "scans").symlink_to(tmp_path / "elsewhere" / "scans")
    outside = relative(tmp_path / "elsewhere" / "scans" / "a.nii", tmp_path / "link")
    assert (tmp_path / "link" / outside).is_file()
    assert outside.endswith("/a.nii")  # and not the object's name
    # A link in the project's folder is part of it: it may lead elsewhere on another machine.
    assert relative(tmp_path / "link" / "scans" / "a.nii", tmp_path / "link") == "scans/a.nii"


def test_codes_that_tell_who_it_is_become_numbers_and_that_is_said(tmp_path):
    known = ["Schmidt_Berta_19620412", "P_12.04.62", "Meier_Anna", "Q-1", "Sub1", "sub1"]
    drafts = [draft(tmp_path / f"{n}.nii", code=code, name="n" * (n + 1)) for n, code in enumerate(known)]
    cases, notes = cases_of(drafts, tmp_path)
    assert [case.code for case in cases if not case.code.startswith("case-")] == ["Q-1"]
    assert len({case.code.casefold() for case in cases}) == 6
    assert [note for note in notes if "Schmidt" in note] == []
    for reason, count in (("holds a date", 2), ("a person's name", 1), ("comes twice", 2)):
        assert [note.partition(" ")[0] for note in notes if reason in note] == [str(count)]


def test_a_code_that_may_be_a_name_is_told_about(tmp_path):
    cases, (note,) = cases_of([draft(tmp_path / f"mueller{n}.nii") for n in range(1, 6)], tmp_path)
    assert cases[0].code == "mueller1"
    assert note == "Codes are told outside: mueller1, mueller2, mueller3 ..."


def test_a_code_of_the_project_is_taken_in_any_case(tmp_path):
    there, _ = cases_of([draft(tmp_path / "a.nii", code="S1")], tmp_path)
    (more,), _ = cases_of([draft(tmp_path / "b.nii", code="s1")], tmp_path, present=there)
    assert more.code == "case-0001"
