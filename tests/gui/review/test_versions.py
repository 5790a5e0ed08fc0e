"""Older versions: looked at, compared voxel by voxel, put back."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari import Viewer

from napari_vol3d.gui.review.session import Session
from napari_vol3d.gui.review_room import ReviewRoom
from tests.gui.review.conftest import WAIT_MS, opened, written
from tests.gui.review.test_session import labels_of, paint


def test_versions_are_listed_looked_at_compared_and_put_back(
    qtbot: Any, viewer: Viewer, room: ReviewRoom, session: Session
) -> None:
    form, judging = room.panel.ui.versions, room.panel.judging
    assert judging is not None
    opened(qtbot, session, 0)
    first = labels_of(session).copy()
    judging.accept()
    written(qtbot, session)
    paint(session, 2, 2)
    judging.accept()
    written(qtbot, session)
    qtbot.waitUntil(lambda: len(form.value()) == 2, timeout=WAIT_MS)
    old = next(version for version in form.value() if version.number == 1)

    form.lookRequested.emit(old.key)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=WAIT_MS)
    assert np.array_equal(viewer.layers[-1].data, first)
    assert not viewer.layers[-1].editable

    with qtbot.waitSignal(judging.said, timeout=WAIT_MS) as said:
        form.compareRequested.emit(old.key)
    assert said.args == ["6 voxels differ from version 1."]
    assert np.count_nonzero(viewer.layers[-1].data) == 6

    form.restoreRequested.emit(old.key)
    qtbot.waitUntil(lambda: np.array_equal(labels_of(session), first), timeout=WAIT_MS)
    written(qtbot, session)
    opened(qtbot, session, 1)
    assert [layer.name for layer in viewer.layers] == ["scan_1", "scan_1 labels"]
    qtbot.waitUntil(lambda: form.value() == (), timeout=WAIT_MS)
