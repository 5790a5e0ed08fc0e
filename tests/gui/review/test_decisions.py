"""What is decided goes with the history; what needed no step stays decided."""

from __future__ import annotations

from napari_vol3d.gui.review.decisions import Decisions


def test_a_decision_that_is_taken_back_is_none() -> None:
    kept = Decisions(3)
    kept.take(0, "a")
    kept.take(2, "b")
    assert (kept.decided, kept.settled) == ({0, 2}, {0, 2})
    assert kept.follow({"a", "b", "stroke"}) == -1
    assert kept.follow({"a", "stroke"}) == 2
    assert kept.decided == {0}
    assert kept.follow({"a", "b"}) == -1
    assert kept.decided == {0, 2}


def test_a_region_that_was_decided_twice_is_decided_until_both_are_taken_back() -> None:
    kept = Decisions(2)
    kept.take(1, "a")
    kept.take(1, "b")
    assert kept.follow({"a"}) == -1
    assert kept.decided == {1}
    assert kept.follow(()) == 1


def test_what_needed_no_step_outlives_the_history() -> None:
    kept = Decisions(3)
    kept.take(0, None)
    kept.leave(1)
    kept.take(2, "a")
    assert kept.follow(()) == 2
    assert (kept.decided, kept.settled, kept.by_hand) == ({0, 1}, {0}, {1})
    kept.take(1, None)
    assert (kept.settled, kept.by_hand) == ({0, 1}, set())
    kept.leave(0)
    assert (kept.settled, kept.by_hand) == ({1}, {0})


def test_the_next_is_sought_round() -> None:
    kept = Decisions(4)
    assert [kept.after(at) for at in range(4)] == [1, 2, 3, 0]
    kept.take(1, "a")
    kept.leave(2)
    assert [kept.after(at) for at in range(4)] == [3, 3, 3, 0]
    kept.take(0, None)
    kept.take(3, "b")
    assert kept.after(3) == -1
    assert Decisions(0).after(0) == -1
