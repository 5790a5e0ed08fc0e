"""No key of a tool is another's: neither of a tool, nor of napari's labels and images, nor of ours."""

from __future__ import annotations

from typing import Any, get_args

import napari.components._viewer_key_bindings
import napari.layers.image._image_key_bindings
import napari.layers.labels._labels_key_bindings  # noqa: F401 - these three give napari's keys to its actions
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels, Layer
from napari.utils.action_manager import action_manager
from napari.utils.shortcuts import default_shortcuts
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence

from napari_vol3d.gui.bench import blink, hold_to_hide
from napari_vol3d.gui.bench.arrangement import KEYS
from napari_vol3d.gui.correct.keys import LEFT, RIGHT, Hand, keys_of
from napari_vol3d.gui.correct.shortcuts import REDO, UNDO
from napari_vol3d.gui.correct.tool import Tool
from napari_vol3d.gui.correcting_room import OTHER_KEYS  # which imports all tools

HANDS: tuple[Hand, ...] = get_args(Hand)
HELD = (hold_to_hide.KEY, blink.KEY)  # over a view
OURS = (
    UNDO, REDO, "Alt+0", *KEYS.values(), *HELD, Qt.Key.Key_BracketLeft, Qt.Key.Key_BracketRight, Qt.Key.Key_Escape,
    Qt.Key.Key_Return, Qt.Key.Key_Space, Qt.Key.Key_Delete,
)  # fmt: skip


def as_qt(key: Any) -> str:
    return QKeySequence(key).toString()


def naparis(*owners: type) -> set[str]:
    """Give the keys that napari gives to layers of some kinds, and to its viewer."""
    actions = {name for name, action in action_manager._actions.items() if action.keymapprovider in owners}
    shortcuts = {str(key) for name in actions for key in default_shortcuts.get(name, ())}
    return {as_qt(key) for key in shortcuts | {str(key) for owner in owners for key in owner.class_keymap}}


@pytest.mark.parametrize("hand", HANDS)
def test_no_key_is_given_twice(hand: Hand) -> None:
    keys = [as_qt(key) for key in keys_of(hand).values()]
    assert all(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("hand", HANDS)
def test_naparis_labels_and_images_and_our_other_keys_keep_theirs(hand: Hand) -> None:
    """A shortcut of the window is heard before the canvas: what is held over a view would never hear of its key."""
    keys = {as_qt(key) for key in keys_of(hand).values()}
    taken = naparis(Labels, Image, Layer, ViewerModel)
    assert {"P", "X", "C", "V", "Ctrl+Y"} <= taken  # or nothing was compared
    assert not keys & taken
    assert not keys & {as_qt(key) for key in OURS}
    assert not keys & {as_qt(key) for key in OTHER_KEYS}


def test_both_hands_have_all_tools() -> None:
    assert keys_of("right") is RIGHT
    assert keys_of("left") is LEFT
    assert set(RIGHT) == set(LEFT) == {tool.__name__ for tool in _tools(Tool)}


def _tools(kind: type) -> set[type]:
    """Give the tools of the room, without what they are built upon."""
    found: set[type] = set()
    for each in kind.__subclasses__():
        ours = each.__module__.startswith("napari_vol3d.") and getattr(each, "title", "")
        found |= _tools(each) | ({each} if ours else set())
    return found
