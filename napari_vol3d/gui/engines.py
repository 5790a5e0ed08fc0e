"""The window's one engine process: started ahead, replaced when it died or another device is wanted."""

from __future__ import annotations

from napari_vol3d.pipeline.child import Engine


class EngineKeeper:
    """Holds at most one engine process."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._device = ""

    def get(self, device: str) -> Engine:
        """Give a living engine for `device`; it may still be waking up."""
        if self._engine is not None and (not self._engine.alive or self._device != device):
            self._engine.close()
            self._engine = None
        if self._engine is None:
            self._engine, self._device = Engine(device=device), device
        return self._engine

    @property
    def device_name(self) -> str:
        """What the engine runs on; empty while it wakes up."""
        if self._engine is None or not self._engine.alive:
            return ""
        ready = self._engine.check_ready()
        return ready.device if ready else ""

    def close(self) -> None:
        """End the process: its memory and the GPU's are free again."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
