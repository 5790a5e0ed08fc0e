"""A reading is one person's: who comes second is told who has it and since when."""

from __future__ import annotations

from typing import Any

from napari_vol3d.gui.review.holding import give_back, take, where
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.review.lock import Held, Lock
from napari_vol3d.review.project import claims
from napari_vol3d.review.project.store import Project
from tests.gui.review.test_loading import run


def test_the_second_hears_who_has_it_and_since_when(project: Project) -> None:
    loaded = run(project, project.rows()[0].reading.key)
    first = take(project, loaded, who="ann", reader="")
    assert isinstance(first.got, Lock)
    assert (first.words, first.old) == ("", False)
    second = take(project, loaded, who="ben", reader="")
    assert isinstance(second.got, Held)
    assert second.words.startswith("ann on ")
    assert " Since " in second.words
    assert second.words.endswith("It is only looked at.")
    first.got.release()
    assert isinstance(take(project, loaded, who="ben", reader="").got, Lock)
    assert [act.who for _, act in project.acts(loaded.row.reading.key) if act.act == "open"] == ["ann", "ben"]


def test_each_person_and_reader_is_somewhere_of_their_own(project: Project) -> None:
    one, other = (run(project, row.reading.key) for row in project.rows()[:2])
    take(project, one, who="ann", reader="")
    take(project, other, who="ben", reader="")
    assert where(project, "ann", "") == one.row.reading.key
    assert where(project, "ben", "") == other.row.reading.key
    assert where(project, "ann", "ann") == ""


def test_what_was_done_is_in_the_project_before_it_is_given_back(
    qtbot: Any, room: ReviewRoom, session: Session, project: Project
) -> None:
    got = claims.claim(project.journal, next(iter(session.rows)), who="ann")
    assert isinstance(got, Lock)
    give_back(session.ledger, got)
    assert not claims.holders(project.journal)
    assert session.ledger.writer.waiting == 0
