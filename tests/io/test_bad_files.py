"""Bad files are refused with the true reason, whole ones read as they are; nothing crashes, hangs or allocates."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.io.bad_files import ROOMS, Case, cases_of
from tests.io.bad_nifti import packed
from tests.io.caged import Cage, Outcome

MOST_GROWN = 100_000_000  # bytes, for files of some kilobytes
LARGE = np.random.default_rng(5).integers(0, 4000, (200, 200, 100), dtype=np.int16)


@pytest.fixture(scope="module")
def cage() -> Iterator[Cage]:
    # Mapped wherever that is possible: a mapped file that is too short ends the process.
    with Cage(addresses=1_000_000_000, mapped_from=0) as server:
        yield server


def wrong(case: Case, outcome: Outcome) -> str:
    """Say how an outcome differs from what was expected, "" where it does not."""
    told = f"{case.name}: {outcome.verdict} {outcome.words}"
    if outcome.grown > MOST_GROWN:
        return f"{told}: {outcome.grown:,} bytes"
    if case.verdict == "same":
        if outcome.verdict != "read":
            return told
        found = {name: outcome.facts[name] for name in case.facts}
        return "" if same_facts(found, case.facts) else f"{told}: {found} instead of {case.facts}"
    fits = outcome.verdict == case.verdict and re.search(case.words, outcome.words) and "\n" not in outcome.words
    return "" if fits else f"{told} instead of {case.verdict} {case.words!r}"


def same_facts(found: dict, expected: dict) -> bool:
    others = all(found[name] == value for name, value in expected.items() if name != "affine")
    return others and np.allclose(found["affine"], expected["affine"], rtol=0, atol=1e-5)


@pytest.mark.parametrize("room", ROOMS)
def test_each_comes_to_what_it_must(room, cage, tmp_path):
    failures = []
    for number, case in enumerate(cases_of(room)):
        folder = tmp_path / str(number)
        folder.mkdir()
        failures.append(wrong(case, cage.read(case.make(folder), case.part)))
    assert not any(failures), "\n".join(filter(None, failures))


def test_the_corpus_is_large_and_has_whole_files_of_each_format():
    cases = [case for room in ROOMS for case in cases_of(room)]
    assert len({case.name for case in cases}) == len(cases) > 600
    whole = {re.split(r"[:. ]", case.name)[0] for case in cases if case.verdict == "same"}
    read = {"nifti", "npy", "mgh", "mgz", "nrrd", "nhdr", "mha", "mhd", "tiff", "zarr", "hdf5", "dicom", "slices"}
    assert whole >= read


def test_a_file_that_changes_all_the_time_is_refused(cage, tmp_path):
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(packed(LARGE))
    assert cage.read(path).verdict == "read"
    ended, times = threading.Event(), iter(range(10**9))

    def touch() -> None:
        while not ended.wait(0.001):
            os.utime(path, ns=(0, next(times)))

    writer = threading.Thread(target=touch)
    writer.start()
    try:
        outcome = cage.read(path)
    finally:
        ended.set()
        writer.join()
    assert outcome.verdict == "refused"
    assert outcome.words.startswith("The file is changing")


def test_the_cage_tells_what_happens_in_it(tmp_path):
    """The control arm: with a limit of 20 MB or a hundredth of a second, a whole large file is not read."""
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(packed(LARGE))
    for limits, verdict in (({}, "read"), ({"addresses": 2_000_000}, "over_memory"), ({"seconds": 0.01}, "hang")):
        with Cage(**limits) as small:
            assert small.read(path).verdict == verdict


def test_the_comparison_sees_a_difference(cage, tmp_path):
    case = next(case for case in cases_of("nifti") if case.name == "nifti: plain")
    outcome = cage.read(case.make(tmp_path))
    assert not wrong(case, outcome)
    for changes in ({"voxels": "0"}, {"shape": [1]}, {"affine": [0.0] * 16}, {"unit": "um"}, {"anatomical": False}):
        other = Outcome(verdict="read", facts=outcome.facts | changes)
        assert wrong(case, other)
    assert wrong(case, Outcome(verdict="crash"))
    assert wrong(case, Outcome(verdict="read", facts=outcome.facts, grown=10**9))
    assert isinstance(case.make(tmp_path), Path)
