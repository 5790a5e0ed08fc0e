"""One hand on the keyboard: the keys of the tools, for a mouse or pen in the right hand or in the left.

Letters that napari gives to labels or images keep their meaning, and so do H and Q, which are held over a view; those
that napari gives to points and shapes are the tools' only while none of these is chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Hand: TypeAlias = Literal["right", "left"]  # that holds the mouse or the pen

RIGHT: Mapping[str, str] = {
    "BallBrush": "W", "Eraser": "D", "ThresholdBrush": "T", "PickClass": "A", "FillBetween": "Shift+A", "Smooth": "S",
    "GrowFromSeeds": "G", "SplitObject": "R", "MoveEdge": "Shift+S", "Islands": "Shift+D", "Scissors": "Shift+R",
    "Relabel": "Shift+Q", "CopyFrom": "Shift+W", "PredictHere": "Shift+G", "Probabilities": "Shift+T",
}  # fmt: skip
LEFT: Mapping[str, str] = {
    "BallBrush": "I", "Eraser": "K", "ThresholdBrush": ",", "PickClass": ".", "FillBetween": "J", "Smooth": "N",
    "GrowFromSeeds": "U", "SplitObject": ";", "MoveEdge": "Shift+N", "Islands": "Shift+K",
    "Scissors": "Shift+U", "Relabel": "Shift+O", "CopyFrom": "Shift+I", "PredictHere": "Shift+J",
    "Probabilities": "Shift+Y",
}  # fmt: skip


def keys_of(hand: Hand) -> Mapping[str, str]:
    """Give the key of each tool by the name of its class."""
    return RIGHT if hand == "right" else LEFT
