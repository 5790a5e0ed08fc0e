"""One verb talks to an engine at a time."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from napari_vol3d.pipeline.turns import taking_turns


def test_the_second_waits_until_the_first_is_through():
    engine = SimpleNamespace(turn=threading.Lock())
    with taking_turns(engine) as first:
        assert list(first) == []
        with taking_turns(engine) as second:
            assert next(second).phase == "Waiting for the engine"
        assert engine.turn.locked()  # who gives up waiting leaves the turn where it is
    assert not engine.turn.locked()
