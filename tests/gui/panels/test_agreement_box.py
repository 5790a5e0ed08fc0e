"""Comparing beside the window: it can be cancelled, it forgets another project, and it says what is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.panels.agreement_box import AgreementBox
from napari_vol3d.gui.review.session import Session
from napari_vol3d.review.project.store import Project
from tests.gui.panels.test_readers import two_readers
from tests.gui.review.conftest import WAIT_MS
from tests.gui.review.conftest import project as project
from tests.gui.review.conftest import room as room
from tests.gui.review.conftest import session as session

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def box(qtbot: Any, session: Session, project: Project) -> Iterator[AgreementBox]:
    two_readers(project)
    box = AgreementBox()
    qtbot.addWidget(box)
    box.show()
    box.follow(session)
    yield box
    box.let_go()


def test_cancelled_means_nothing_changes(qtbot: Any, box: AgreementBox) -> None:
    qtbot.mouseClick(box.ui.compare, LEFT)
    job = box._job
    assert job is not None
    qtbot.mouseClick(box.ui.cancel, LEFT)
    qtbot.waitUntil(lambda: not job.running, timeout=WAIT_MS)
    assert box.found is None
    assert box.ui.compare.isVisible()


def test_a_class_is_listed_alone_and_all_again(qtbot: Any, box: AgreementBox) -> None:
    box.compare()
    qtbot.waitUntil(lambda: box.found is not None, timeout=WAIT_MS)
    assert len(box.ui.classes.rows) == 1  # of one class there is no row for all
    place = box.ui.class_view.visualRect(box.ui.classes.index(0, 0)).center()
    qtbot.mouseClick(box.ui.class_view.viewport(), LEFT, pos=place)
    assert [row.name for row in box.ui.cases.rows] == ["scan_1", "scan_0"]


def test_what_is_missing_is_said(qtbot: Any, box: AgreementBox, project: Project) -> None:
    for file in (project.path.parent / "images").iterdir():
        file.unlink()
    box.compare()
    qtbot.waitUntil(lambda: box.found is not None, timeout=WAIT_MS)
    assert "its scan can't be read" in box.ui.said.text()
    assert box.ui.said.text().endswith("(and 1 more)")
    assert box.ui.cases.rows[0].hd95_mm is None


def test_another_project_is_another_table(qtbot: Any, box: AgreementBox) -> None:
    box.compare()
    qtbot.waitUntil(lambda: box.found is not None, timeout=WAIT_MS)
    box.follow(None)
    assert box.found is None
    assert box.ui.pair.count() == len(box.ui.cases.rows) == 0
    assert not box.ui.case_view.isVisible()
