"""Waiting until nobody else talks to the engine."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from napari_vol3d.core.progress import Progress
from napari_vol3d.pipeline.child import Engine

WAIT_SECONDS = 0.05


@contextlib.contextmanager
def taking_turns(engine: Engine) -> Iterator[Iterator[Progress]]:
    """Give what waits until the engine is nobody else's; once that is through, it is ours until the end."""
    held = False

    def wait() -> Iterator[Progress]:
        nonlocal held
        while not held:
            held = engine.turn.acquire(timeout=WAIT_SECONDS)
            if not held:
                yield Progress(phase="Waiting for the engine")

    try:
        yield wait()
    finally:
        if held:
            engine.turn.release()
