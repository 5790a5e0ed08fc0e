"""What was found is counted, the first are named, and notes are under a fold."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.found_cases import FIRST, LONGEST, FoundCases, say_first, say_found
from napari_vol3d.review.project.gather import Gathered
from napari_vol3d.review.project.records import Case, ImageRef


def cases(count: int, *, priors: int = 0) -> tuple[Case, ...]:
    return tuple(
        Case(name=f"scan_{n}", code=f"scan_{n}", images=(ImageRef(path=f"{n}.nii"),), prior="p" if n < priors else None)
        for n in range(count)
    )


@pytest.mark.parametrize(("count", "priors", "notes", "words"), [
    (38, 2, 1, "38 cases, 2 with labels already; 1 note"), (1, 0, 0, "1 case"), (1200, 0, 2, "1,200 cases; 2 notes"),
])  # fmt: skip
def test_they_are_counted(count: int, priors: int, notes: int, words: str) -> None:
    assert say_found(Gathered(cases=cases(count, priors=priors), notes=("x",) * notes)) == words


def test_the_first_are_named_and_the_others_counted() -> None:
    assert say_first(cases(38)) == [*(f"scan_{n}" for n in range(FIRST)), "and 33 more"]
    assert say_first(cases(FIRST)) == [f"scan_{n}" for n in range(FIRST)]


def test_a_line_says_roles_and_another_code() -> None:
    images = (ImageRef(path="a", role="T1"), ImageRef(path="b", role="FLAIR"))
    anna = Case(name="Anna", code="case-0001", images=images)
    bids = Case(name="sub-01 ses-02", code="sub-01_ses-02", images=images[:1])
    assert say_first([anna, bids]) == ["Anna · T1, FLAIR · case-0001 in reports", "sub-01 ses-02 · T1"]
    (long,) = say_first([Case(name="x" * 200, code="c", images=images)])
    assert len(long) <= LONGEST


def test_nothing_jumps_when_they_come(qtbot: Any) -> None:
    form = FoundCases()
    qtbot.addWidget(form)
    form.setValue(None, "Looking ...")
    assert form.summary.text() == "Looking ..."
    assert form.fold.isHidden()
    height = form.sizeHint().height()
    form.setValue(Gathered(cases=cases(3), notes=()))
    assert form.sizeHint().height() == height
    form.setValue(Gathered(cases=cases(30), notes=()))
    assert form.sizeHint().height() == height
    form.setValue(Gathered(cases=cases(3), notes=("a.nii: not clear.", "b.nii: neither.")))
    assert not form.fold.isHidden()
    assert not form.fold.isExpanded()
    assert form.notes.toPlainText() == "a.nii: not clear.\nb.nii: neither."
