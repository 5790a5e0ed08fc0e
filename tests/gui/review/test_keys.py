"""The keys of the Review tab: each does its one thing, and only while a project is open."""

from __future__ import annotations

from typing import Any

from napari import Viewer
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut

from napari_vol3d.gui.correct.keys import LEFT, RIGHT
from napari_vol3d.gui.review.keys import KEYS, ReviewKeys


def test_no_key_is_given_twice() -> None:
    ours = [QKeySequence(key).toString() for keys, _ in KEYS.values() for key in keys]
    assert len(set(ours)) == len(ours)
    for others in (RIGHT, LEFT):
        assert not {QKeySequence(key).toString() for key in others.values()} & set(ours)
    naparis = {QKeySequence(str(key)).toString() for keys in default_shortcuts.values() for key in keys}
    assert not naparis & set(ours)


def test_keys_are_heard_while_they_are_listened_to(qtbot: Any, viewer: Viewer) -> None:
    done: list[str] = []
    keys = ReviewKeys(viewer, {name: (lambda name=name: done.append(name)) for name in KEYS})
    there = viewer.window._qt_window.findChildren(QShortcut)
    ours = [one for one in there if one.key().toString() in {"Shift+F", "PgDown"}]
    assert len(ours) == 2
    assert not any(one.isEnabled() for one in ours)
    keys.listen(True)
    assert all(one.isEnabled() for one in ours)
    for one in ours:
        one.activated.emit()
    assert sorted(done) == ["flag", "go_next"]
    keys.let_go()
    del there, ours
