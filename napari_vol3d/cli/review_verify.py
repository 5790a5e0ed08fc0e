"""Playing each accepted version again from the log of its project."""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import TYPE_CHECKING

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.progress import Progress

if TYPE_CHECKING:
    from napari_vol3d.review.project.store import Project

FAILED = 1


def verify_versions(project: Project) -> Generator[Progress, None, tuple[int, list[str]]]:
    """Compare each version with what its reading's history gives.

    Returns
    -------
    int, list of str
        How many are the same bit for bit, and one sentence for each that is not.
    """
    from napari_vol3d.review.project.accepting import verify, versions_of

    readings = [(case, one) for case in project.cases() for one in project.readings_of(case.key)]
    same, problems = 0, list[str]()
    for done, (case, reading) in enumerate(readings):
        for version in versions_of(project, reading.key):
            try:
                verify(project, version)
                same += 1
            except Vol3dError as problem:
                problems.append(f"{case.code}, version {version.number}: {problem}")
        yield Progress(phase="Verifying", done=done + 1, total=len(readings))
    return same, problems


def print_verdict(same: int, problems: list[str]) -> int:
    """Say what was found, and give the exit code."""
    for words in problems:
        sys.stderr.write(f"napari-vol3d: {words}\n")
    many = "1 version is" if same == 1 else f"{same:,} versions are"
    sys.stdout.write(f"{many} what the log gives, bit for bit.\n")
    return FAILED if problems else 0
