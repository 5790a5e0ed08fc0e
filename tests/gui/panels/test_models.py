"""The tab of models by clicks: what is listed, what is wrong with it, and the ways out."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_vol3d.gui.panels.models import ADD, LIST, ModelsPanel, mean_dice
from napari_vol3d.models.card import CARD_NAME
from napari_vol3d.models.library import default_model
from napari_vol3d.models.store import list_models

LEFT = Qt.MouseButton.LeftButton
WAIT_MS = 30_000


@pytest.fixture(autouse=True)
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Three models of a person: a sound one, one whose file was changed, one without its file."""
    folder = tmp_path / "own"
    monkeypatch.setenv("VOL3D_MODELS", str(folder))
    for name in ("sound", "changed", "broken"):
        shutil.copytree(list_models()[0].folder, folder / f"{name}-1.0")
        card = json.loads((folder / f"{name}-1.0" / CARD_NAME).read_text())
        card |= {"name": name, "title": f"The {name} one", "source": {"container": "keras", "sha256": "0" * 64}}
        (folder / f"{name}-1.0" / CARD_NAME).write_text(json.dumps(card))
    weights = list_models()[0].card.weights.file
    with (folder / "changed-1.0" / weights).open("ab") as file:
        file.write(b"more")
    (folder / "broken-1.0" / weights).unlink()
    return folder


@pytest.fixture
def panel(qtbot: Any, own: Path) -> Iterator[ModelsPanel]:
    panel = ModelsPanel()
    qtbot.addWidget(panel)
    panel.resize(320, 800)
    panel.show()
    checked(qtbot, panel)
    yield panel
    panel.let_go()
    checked(qtbot, panel)


def checked(qtbot: Any, panel: ModelsPanel) -> None:
    job = panel.checking
    assert job is not None
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)


def states(panel: ModelsPanel) -> dict[str, tuple[str, str]]:
    return {Path(row.key).name: (row.origin, row.state) for row in panel.ui.list.rows.rows}


def choose(panel: ModelsPanel, own: Path, name: str) -> None:
    panel.ui.list.setValue(str(own / f"{name}-1.0"))


def test_all_are_listed_with_what_is_wrong_with_them(panel: ModelsPanel, own: Path) -> None:
    found = states(panel)
    assert found.pop("hippocampus-t1") == ("bundled", "sound")
    assert found == {
        "changed-1.0": ("added", "changed"), "sound-1.0": ("added", "sound"), "broken-1.0": ("", "broken"),
    }  # fmt: skip
    choose(panel, own, "changed")
    assert "changed" in panel.ui.wrong.text()
    choose(panel, own, "broken")
    assert "missing" in panel.ui.wrong.text()
    choose(panel, own, "sound")
    assert not panel.ui.wrong.isVisible()
    assert "The sound one" in panel.ui.card.toPlainText()


def test_a_model_is_removed_after_it_was_asked(qtbot: Any, panel: ModelsPanel, own: Path) -> None:
    choose(panel, own, "sound")
    qtbot.mouseClick(panel.ui.remove, LEFT)
    qtbot.mouseClick(panel.ui.no, LEFT)
    assert (own / "sound-1.0").is_dir()
    qtbot.mouseClick(panel.ui.remove, LEFT)
    with qtbot.waitSignal(panel.changed):
        qtbot.mouseClick(panel.ui.yes, LEFT)
    assert not (own / "sound-1.0").exists()
    assert "sound-1.0" not in states(panel)
    assert "Removed The sound one" in panel.ui.said.text()
    checked(qtbot, panel)


def test_what_can_not_be_opened_is_not_deleted_unseen(qtbot: Any, panel: ModelsPanel, own: Path) -> None:
    choose(panel, own, "broken")
    qtbot.mouseClick(panel.ui.remove, LEFT)
    assert "broken-1.0" in panel.ui.question.text()
    qtbot.mouseClick(panel.ui.no, LEFT)
    assert (own / "broken-1.0").is_dir()
    qtbot.mouseClick(panel.ui.remove, LEFT)
    qtbot.mouseClick(panel.ui.yes, LEFT)
    assert not (own / "broken-1.0").exists()
    assert "Removed broken-1.0" in panel.ui.said.text()
    checked(qtbot, panel)


def test_one_is_used_by_default_and_not_any_more(qtbot: Any, panel: ModelsPanel, own: Path) -> None:
    choose(panel, own, "sound")
    with qtbot.waitSignal(panel.changed):
        panel.ui.preferred.click()
    assert default_model() == "sound"
    assert panel.ui.list.rows.rows[[Path(row.key).name for row in panel.ui.list.rows.rows].index("sound-1.0")].preferred
    assert panel.model is not None
    assert panel.model.card.name == "sound"  # still the one that is shown
    panel.ui.preferred.click()
    assert default_model() == ""
    checked(qtbot, panel)


@pytest.mark.parametrize("kind", ["zip", "zoo"])
def test_a_model_is_exported(
    qtbot: Any, panel: ModelsPanel, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    asked: list[str] = []

    def answer(parent: Any, title: str, proposed: str, filters: str) -> tuple[str, str]:
        asked.append(Path(proposed).name)
        return str(tmp_path / "out"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    choose(panel, own, "sound")
    (panel.ui.export_zip if kind == "zip" else panel.ui.export_zoo).trigger()
    job = panel.exporting
    assert job is not None
    assert panel.ui.stop.isVisible()
    qtbot.waitUntil(lambda: not job.running, timeout=4 * WAIT_MS)
    assert panel.ui.said.text() == "Wrote out.zip"
    assert not panel.ui.stop.isVisible()
    assert asked[0].startswith("sound-1.0")
    names = zipfile.ZipFile(tmp_path / "out.zip").namelist()
    assert any(name.endswith(CARD_NAME if kind == "zip" else ("rdf.yaml", "bioimageio.yaml")) for name in names)
    (panel.ui.export_zip if kind == "zip" else panel.ui.export_zoo).trigger()
    assert "out.zip is there already" in panel.ui.said.text()


def test_an_export_that_gives_way_to_another_does_not_speak_for_it(
    qtbot: Any, panel: ModelsPanel, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / f"{len(jobs)}.zip"), ""))
    jobs: list[Any] = []
    choose(panel, own, "sound")
    for export in (panel.ui.export_zoo, panel.ui.export_zip):
        export.trigger()
        jobs.append(panel.exporting)
    said: list[str] = []
    jobs[0].ended.connect(lambda: said.append(panel.ui.said.text()))
    for job in jobs:
        qtbot.waitUntil(lambda job=job: not job.running, timeout=4 * WAIT_MS)
    assert said in (["Writing 1.zip ..."], ["Wrote 1.zip"])
    assert panel.ui.said.text() == "Wrote 1.zip"
    assert [path.name for path in tmp_path.glob("*.zip")] == ["1.zip"]


def test_adding_has_its_own_pages_and_leads_back(
    qtbot: Any, panel: ModelsPanel, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = shared_data / "models" / "refuse" / "weights_only_2d.hdf5"
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(wrong), ""))
    panel.ui.add_file.trigger()
    assert panel.pages.currentIndex() == ADD
    qtbot.waitUntil(panel.adding.ui.back.isVisible, timeout=WAIT_MS)
    before = states(panel)
    qtbot.mouseClick(panel.adding.ui.back, LEFT)
    assert panel.pages.currentIndex() == LIST
    assert states(panel) == before
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    panel.ui.add_folder.trigger()
    assert panel.pages.currentIndex() == LIST


def test_what_is_being_checked_ends_with_a_panel_that_qt_has_destroyed(qtbot: Any, own: Path) -> None:
    panel = ModelsPanel()
    panel.add(own / "sound-1.0")
    jobs = (panel.checking, panel.adding.job)
    panel.deleteLater()
    QApplication.sendPostedEvents(panel, QEvent.Type.DeferredDelete)
    panel.let_go()  # as the dock does when its window is gone
    for job in jobs:
        assert job is not None
        qtbot.waitUntil(lambda job=job: not job.running, timeout=WAIT_MS)


def test_the_mean_is_of_the_classes_that_were_measured() -> None:
    card = list_models()[0].card
    assert card.validation is not None
    figures = card.validation.model_copy(update={"mean_dice": {"a": 0.5, "b": None}})
    assert mean_dice(card.model_copy(update={"validation": figures})) == 0.5
    assert mean_dice(card.model_copy(update={"validation": None})) is None
