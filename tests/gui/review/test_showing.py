"""The layers of a case come together and go together; what is only looked at can't be corrected."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer
from napari.layers import Labels

from napari_vol3d.gui.correct.correctable import why_not
from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review.showing import look_at, show, take_away
from napari_vol3d.gui.review_room import ReviewRoom
from napari_vol3d.review.project.store import Project
from tests.gui.review.conftest import opened
from tests.gui.review.test_loading import run


def test_what_somebody_else_has_is_only_looked_at(
    viewer: Viewer, room: ReviewRoom, session: Session, project: Project
) -> None:
    desk = room.panel._desk
    shown = show(run(project, next(iter(session.rows))), project, desk, held="Ben has it.")
    assert shown.record is None
    assert not shown.labels.editable
    assert why_not(shown.labels) == "Ben has it."
    assert desk.record_of(shown.labels) is None
    take_away(shown, viewer)
    assert not viewer.layers


def test_what_is_looked_at_goes_with_the_case(qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session) -> None:
    opened(qtbot, session, 0)
    shown = session.shown
    assert shown is not None
    look_at(shown, viewer, Labels(np.zeros_like(shown.labels.data), name="old"), "It is old.")
    assert viewer.layers.selection.active is shown.labels
    assert room.panel._desk.record is shown.record
    assert len(viewer.layers) == 3
    viewer.layers.remove(shown.images[0])  # by the person
    session.open(list(session.rows)[1])
    qtbot.waitUntil(lambda: session.shown is not None and session.shown is not shown)
    assert [layer.name for layer in viewer.layers] == ["scan_1", "scan_1 labels"]
