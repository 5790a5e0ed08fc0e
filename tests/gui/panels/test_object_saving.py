"""The table that is saved is the one that is seen."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtWidgets import QFileDialog, QLabel

from napari_vol3d.gui.bench.under import geometry_under
from napari_vol3d.gui.correct.record import Record
from napari_vol3d.gui.forms.object_model import Listed
from napari_vol3d.gui.panels.object_saving import ask_and_save
from napari_vol3d.gui.panels.object_search import FoundObjects
from tests.core.test_object_table import measured
from tests.gui.bench.conftest import labels as labels
from tests.gui.bench.conftest import scan as scan
from tests.gui.bench.conftest import views as views
from tests.gui.correct.conftest import WAIT_MS
from tests.gui.correct.conftest import desk as desk
from tests.gui.correct.conftest import record as record


def test_rows_are_saved_as_they_are_listed(
    qtbot: Any, record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record.labels[2, 5, 5:9] = record.labels[8, 5, 5] = 1
    table, geometry = measured(record.labels), geometry_under(record.layer)
    found = FoundObjects(record=record, frame=0, table=table, geometry=geometry, seconds=0)
    asked: list[str] = []
    answers = [str(tmp_path / "mine"), str(tmp_path / "nowhere" / "mine.csv"), ""]

    def ask(parent: Any, title: str, proposed: str, kinds: str) -> tuple[str, str]:
        asked.append(Path(proposed).name)
        return answers.pop(0), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", ask)
    said = QLabel()
    qtbot.addWidget(said)
    job = ask_and_save(said, found, Listed(table=table, geometry=geometry), np.array([1, 0]), said.setText)
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    rows = list(csv.DictReader((tmp_path / "mine.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["voxels"] for row in rows] == ["1", "4"]
    world = geometry.affine @ (8, 5, 5, 1)
    assert [float(rows[0][f"centre_{axis}_mm"]) for axis in "xyz"] == pytest.approx(world[:3].tolist())
    assert said.text() == f"Saved mine.csv in {tmp_path}"
    notification_manager.records.clear()
    by_class = Listed(table=table.by_class(), geometry=geometry, by_class=True)
    job = ask_and_save(said, found, by_class, np.array([0]), said.setText)
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    assert notification_manager.records[-1].message.startswith("mine.csv was not saved")
    notification_manager.records.clear()
    assert ask_and_save(said, found, by_class, np.array([0]), said.setText) is None
    assert asked == ["labels objects.csv", "labels classes.csv", "labels classes.csv"]
