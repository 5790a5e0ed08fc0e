"""What is said of training can be said from outside by the one module that others may import."""

from __future__ import annotations

from napari_vol3d.engine import messages, training_messages
from napari_vol3d.engine.message import Message


def test_all_of_them_are_among_the_messages():
    for name, found in vars(training_messages).items():
        if isinstance(found, type) and issubclass(found, Message) and found is not Message:
            assert getattr(messages, name) is found
