"""Damaged at random, files of seven formats are refused or read as before; thousands in `benchmarks/mutations.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from tests.io.caged import Cage, Outcome
from tests.io.mutations import FORMATS, KINDS, Mutant, intact, judge, mutate, place, run

EACH = 40
WRONG = ("crash", "hang", "over_memory", "silent")


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    with Cage() as server:
        yield server


def mutants(format: str, count: int = 400, seed: int = 0) -> list[Mutant]:
    rngs = (np.random.default_rng((seed, number)) for number in range(count))
    return [mutate(intact(format), rng) for rng in rngs]


@pytest.mark.parametrize("format", FORMATS)
def test_none_crashes_hangs_or_is_shown_as_something_else(format, cage, tmp_path):
    results = list(run(format, range(EACH), tmp_path, cage, seed=20))
    assert not [result for result in results if result.verdict in WRONG]
    counts = Counter(result.verdict for result in results)
    assert counts["refused"] > EACH / 4
    assert counts.total() == EACH


@pytest.mark.parametrize("format", FORMATS)
def test_damage_is_of_every_kind_and_everywhere(format):
    made = mutants(format)
    assert {mutant.kind for mutant in made} == set(KINDS)
    assert {mutant.file for mutant in made} == set(intact(format))
    areas = {area for part in intact(format).values() for _, area in part.areas}
    assert {area for mutant in made for area in mutant.areas} >= areas
    changed = [mutant.content != intact(format)[mutant.file].content for mutant in made]
    assert sum(changed) > 0.8 * len(changed)  # a field may be given the value that it has
    assert made == mutants(format)
    assert made != mutants(format, seed=1)


def test_areas_cover_whole_files():
    for format in FORMATS:
        for part in intact(format).values():
            ends = [end for end, _ in part.areas]
            assert ends == sorted(ends)
            assert ends[-1] == len(part.content)


def test_a_difference_is_judged_by_what_was_hit():
    meant = {"voxels": "a"}
    same, other = (Outcome(verdict="read", facts={"voxels": one}) for one in "ab")
    for outcome, area, judged in (
        (same, "covered", "same"), (other, "covered", "silent"), (other, "header", "header_changed"),
        (other, "voxels", "different_unprotected"), (Outcome(verdict="refused"), "covered", "refused"),
        (Outcome(verdict="asked"), "covered", "refused"), (Outcome(verdict="crash"), "header", "crash"),
        (Outcome(verdict="hang"), "header", "hang"), (Outcome(verdict="over_memory"), "voxels", "over_memory"),
    ):  # fmt: skip
        assert judge(outcome, meant, frozenset({area})) == judged


def test_voxels_without_a_checksum_may_change_and_are_seen_to(cage, tmp_path):
    """The control arm: where no checksum is, the comparison finds the difference."""
    parts = intact("nii")
    whole = parts["a.nii"].content
    meant = cage.read(place("nii", {"a.nii": whole}, tmp_path)).facts
    damaged = whole[:-1] + bytes([whole[-1] ^ 1])
    outcome = cage.read(place("nii", {"a.nii": damaged}, tmp_path))
    assert judge(outcome, meant, frozenset({"voxels"})) == "different_unprotected"
