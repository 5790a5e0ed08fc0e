"""Damaged journals: found, kept, and never replayed to labels that nobody saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review import damage
from napari_vol3d.review.journal import Journal
from napari_vol3d.review.replay import replay
from napari_vol3d.review.schema import writing
from tests.review.scripts import Person, first_labels, layer_of

FLIPS = 80
STEPS = 30


class Past:
    """A journal, and all states that its labels went through."""

    def __init__(self, path: Path) -> None:
        self.path, self.first = path, first_labels()
        self.layer = replace(layer_of(self.first), about={"model": "m", "affine": [[1.0, 0.1]]})
        self.journal = Journal.open(path)
        self.journal.add_layer(self.layer, base=self.first)
        append, move = self.journal.append, self.journal.move
        person = Person(self.first.copy(), lambda e: append(self.layer, e), lambda t: move(self.layer, t), seed=2)
        self.states = [self.first.tobytes()]
        for _ in range(STEPS):
            person.step()
            self.states.append(person.labels.tobytes())
        self.bytes = path.read_bytes()

    def recovered(self, damaged: bytes) -> int | None:
        """Open a damaged copy, and give how many steps it was replayed to; None without a base."""
        self.path.write_bytes(damaged)
        journal = Journal.open(self.path)
        if journal.recovery is None:
            assert replay(journal, self.layer).tobytes() == self.states[-1]
            return STEPS
        assert (self.path.parent / journal.recovery.kept).read_bytes() == damaged
        assert Journal.open(self.path).recovery is None
        layers = {layer.key: layer for layer in journal.layers()}
        line = journal.line(layers[self.layer.key]) if layers else None
        if line is None or line.base is None or layers[self.layer.key] != self.layer:
            return None
        return max(i for i, state in enumerate(self.states) if state == replay(journal, self.layer).tobytes())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Past:
    return Past(tmp_path_factory.mktemp("past") / "a.journal")


@pytest.fixture
def past(made: Past, tmp_path: Path) -> Past:
    """Give a copy of its own to each test: the journal is made once."""
    copy = object.__new__(Past)
    copy.__dict__.update(made.__dict__, path=tmp_path / "a.journal", journal=Journal(tmp_path / "a.journal"))
    copy.path.write_bytes(made.bytes)
    return copy


def test_a_flipped_bit_anywhere_gives_a_state_that_was_never_another(past: Past) -> None:
    rng = np.random.default_rng(0)
    steps = []
    for place in rng.integers(0, len(past.bytes), FLIPS):
        damaged = bytearray(past.bytes)
        damaged[place] ^= 1 << int(rng.integers(8))
        steps.append(past.recovered(bytes(damaged)))
    assert sum(step is None for step in steps) < FLIPS / 5
    assert sum(step == STEPS for step in steps) > FLIPS / 5  # unused bytes, and pages other than of events
    assert any(step not in (None, STEPS) for step in steps)


def test_a_first_page_of_zeros_hides_nothing(past: Past) -> None:
    assert past.recovered(bytes(damage.PAGE) + past.bytes[damage.PAGE :]) == STEPS


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_a_file_that_was_cut_gives_what_is_left(past: Past, share: float) -> None:
    past.recovered(past.bytes[: int(len(past.bytes) * share)])


def test_a_file_of_something_else_gives_an_empty_journal_and_is_kept(past: Past) -> None:
    assert past.recovered(b"I was a text once. " * 1000) is None
    assert past.journal.layers() == ()


def test_what_stands_behind_a_gap_is_kept_and_not_done(past: Past) -> None:
    with writing(past.journal.engine, past.path) as connection:
        connection.exec_driver_sql("UPDATE events SET payload = x'00' WHERE number = 12")
    journal = Journal.open(past.path)
    assert journal.recovery is not None
    assert journal.recovery.lost == 1
    assert journal.recovery.behind > 0
    assert f"{journal.recovery.edits} corrections were recovered, {journal.recovery.behind} more" in (
        journal.recovery.words
    )
    assert replay(journal, past.layer).tobytes() == past.states[10]
    line = journal.line(past.layer)
    assert line.lost == 1
    assert len(line.edits) > line.at
    assert len(journal.unsaved()) == 1
    journal.undo(past.layer)
    journal.redo(past.layer)
    assert replay(journal, past.layer).tobytes() == past.states[10]


def test_a_layer_that_can_not_be_read_is_known_again_when_it_is_added(past: Past) -> None:
    with writing(past.journal.engine, past.path) as connection:
        connection.exec_driver_sql("UPDATE layers SET scan = 'other'")
    journal = Journal.open(past.path)
    assert [layer.name for layer in journal.layers()] == ["unknown"]
    with pytest.raises(Vol3dError, match="keeps corrections"):
        replay(journal, journal.layers()[0])
    np.testing.assert_array_equal(
        replay(journal, journal.layers()[0], past.first), np.frombuffer(past.states[-1], np.uint16).reshape(
            past.first.shape
        )
    )  # fmt: skip
    journal.add_layer(past.layer)
    assert replay(journal, past.layer).tobytes() == past.states[-1]


def test_a_journal_that_changes_while_it_is_recovered_is_left_alone(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter(((1, 1, 1), (1, 1, 2)))
    monkeypatch.setattr(damage, "_looks", lambda path: next(looks))
    past.path.write_bytes(b"?" * 5000)
    with pytest.raises(Vol3dError, match="changed by another program"):
        Journal.open(past.path)
    assert past.path.read_bytes() == b"?" * 5000
