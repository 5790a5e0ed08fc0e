"""The window's one engine process: started ahead, replaced when it died or another kind is wanted."""

from __future__ import annotations

from napari_vol3d.core.errors import EngineProblem
from napari_vol3d.pipeline.child import Engine


class EngineKeeper:
    """Holds at most one engine process."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._kind = ("", "")

    def get(self, device: str, precision: str = "auto") -> Engine:
        """Give a living engine for `device` that computes in `precision`; it may still be waking up."""
        # One that refused, for want of a GPU for instance, would refuse again: it is kept, to say so.
        gone = self._engine is not None and not self._engine.alive and self._engine.refusal is None
        if self._engine is not None and (gone or self._kind != (device, precision)):
            self._engine.close()
            self._engine = None
        if self._engine is None:
            self._engine, self._kind = Engine(device=device, precision=precision), (device, precision)
        return self._engine

    @property
    def device_name(self) -> str:
        """What the engine runs on; empty while it wakes up."""
        ready = self._engine.check_ready() if self._engine is not None else None
        return ready.device if ready else ""

    @property
    def refusal(self) -> EngineProblem | None:
        """Why the engine will not wake up, if it said so."""
        if self._engine is not None:
            self._engine.check_ready()
        return self._engine.refusal if self._engine is not None else None

    def close(self) -> None:
        """End the process: its memory and the GPU's are free again."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
