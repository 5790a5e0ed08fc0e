"""A small project in a folder of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from napari_vol3d.core.labels import LabelClass
from napari_vol3d.review.project.records import Case, ImageRef
from napari_vol3d.review.project.store import Project
from tests.review.project import worked as working

CLASSES = (LabelClass(id=1, name="anterior", color="#e69f00"), LabelClass(id=2, name="posterior", color="#56b4e9"))
MODEL = {"name": "hippocampus-t1", "version": "1.0", "sha256": "ab" * 32}


def case(number: int) -> Case:
    name = f"scan_{number:03d}"
    return Case(name=name, code=name, subject=f"s{number}", images=(ImageRef(path=f"images/{name}.nii.gz", role="T1"),))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(
        tmp_path / "study" / "study.vol3d", name="study", cases=[case(n) for n in range(1, 5)], classes=CLASSES,
        model=MODEL,
    )  # fmt: skip


@pytest.fixture(scope="session")
def worked_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which much was done: not to be changed."""
    return working.make(tmp_path_factory.mktemp("worked") / "study.vol3d")


@pytest.fixture
def worked(worked_once: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copy(worked_once, tmp_path))
