"""A run goes on with another's labels only where it would give the same ones itself."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_vol3d.core.box import Box
from napari_vol3d.core.labels import LabelClass
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import Conform, ModelCard, PostProcessing
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.same_run import how_it_begins, run_key
from napari_vol3d.pipeline.settings import SegmentSettings
from tests.builders import make_card

SETTINGS = SegmentSettings()


@pytest.fixture
def scan(tmp_path: Path) -> Volume:
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(b"voxels")
    return Volume(data=np.zeros((4, 5, 6), np.uint8), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), source=path)


def model(**changes: object) -> Model:
    return of(make_card(Path("model.keras"), **{"sha256": "0" * 64, **changes}))


def of(card: ModelCard) -> Model:
    return Model(folder=Path("models/tiny"), card=card, origin="added")


def test_what_changes_no_label_changes_nothing(scan: Volume) -> None:
    known = run_key(scan, [model()], SETTINGS)
    card = model().card
    words = card.model_copy(update={"title": "Other", "version": "9", "citation": "Somebody"})
    faster = card.model_copy(update={"inference": card.inference.model_copy(update={"seconds_per_megavoxel": 3.0})})
    elsewhere = Model(folder=Path("elsewhere"), card=card, origin="trained")
    for same in (of(words), of(faster), elsewhere):
        assert run_key(scan, [same], SETTINGS) == known
    for settings in ({"device": "cpu"}, {"cache": False}):
        assert run_key(scan, [model()], SegmentSettings(**settings)) == known


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "1" * 64},
        {"input": {"orientation": "LIA"}},
        {"input": {"conform": Conform()}},
        {"output": {"post": PostProcessing(largest_component=True)}},
        {"output": {"activation": "softmax"}},
        {"output": {"classes": (LabelClass(id=4, name="dim", color="#ff0000"), make_card(Path("w"), sha256="0" * 64)
                                .output.classes[1])}},
        {"inference": {"halo": 4}},
        {"inference": {"scheme": "overlap"}},
    ],
)  # fmt: skip
def test_another_network_or_card_is_another_run(scan: Volume, changes: dict[str, object]) -> None:
    other = model(**changes)
    assert run_key(scan, [other], SETTINGS) != run_key(scan, [model()], SETTINGS)
    # Of several models, whose probabilities are averaged, each counts.
    assert run_key(scan, [model(), other], SETTINGS) != run_key(scan, [model(), model()], SETTINGS)


def test_other_settings_and_regions_are_other_runs(scan: Volume) -> None:
    box = Box(start=(0, 0, 0), stop=(2, 2, 2))
    keys = [run_key(scan, [model()], SETTINGS), run_key(scan, [model()], SETTINGS, region=box)]
    keys += [run_key(scan, [model()], SegmentSettings(**each)) for each in ({"mirror": True}, {"halo": 3})]
    assert len(set(keys)) == 4


def test_a_file_that_was_replaced_is_another_one(scan: Volume, tmp_path: Path) -> None:
    for name in ("t2.nii.gz", "mask.nii.gz"):
        (tmp_path / name).write_bytes(b"voxels")
    files, mask = {"T2": tmp_path / "t2.nii.gz"}, tmp_path / "mask.nii.gz"

    def key() -> str:
        return run_key(scan, [model()], SETTINGS, files=files, mask=mask)

    known = key()
    assert key() == known
    assert known not in (run_key(scan, [model()], SETTINGS, files=files), run_key(scan, [model()], SETTINGS, mask=mask))
    for path in (tmp_path / "scan.nii.gz", *files.values(), mask):
        before = path.stat()
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
        assert key() != known
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert key() == known


def test_of_a_folder_each_file_counts(scan: Volume, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.dcm").write_bytes(b"a slice")
    series = replace(scan, source=folder)
    known = run_key(series, [model()], SETTINGS)
    (folder / "1.dcm").write_bytes(b"another slice")
    assert run_key(series, [model()], SETTINGS) != known
    shutil.rmtree(folder)
    assert run_key(series, [model()], SETTINGS) != known  # and nothing is raised: the reader has the say there


def test_how_it_begins_is_said() -> None:
    half = Box(start=(0, 0, 0), stop=(2, 5, 6))
    assert how_it_begins([half], (4, 5, 6)) == "Going on where an earlier run was cut short: 50% is done."
    assert how_it_begins([], (4, 5, 6)).endswith("it begins anew.")
