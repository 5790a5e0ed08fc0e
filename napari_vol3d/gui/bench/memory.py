"""What the bench remembers from one day to the next, among the plug-in's settings of napari."""

from __future__ import annotations

from napari.settings import get_plugin_settings

from napari_vol3d.gui.bench.bench import Bench
from napari_vol3d.gui.bench.planes import Plane

PLUGIN = "napari-vol3d"


class Memory:
    """Keeps a bench as the person had it last."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._is_known = False  # whether the person wants four views: not before there was a scan
        self._kept = get_plugin_settings(PLUGIN).reading
        bench.crosshair, bench.wheel_turns = bool(self._kept.crosshair), bool(self._kept.wheel_turns)
        bench.neurological = bool(self._kept.neurological)
        bench.changed.connect(self.keep)

    def let_go(self) -> None:
        """Remember the last, and no more."""
        self.keep()
        self._bench.changed.disconnect(self.keep)

    def restore(self) -> None:
        """Open the four views if they were open, in the same arrangement; once."""
        known, self._is_known = self._is_known, True
        if known or not self._kept.open:
            return
        alone, sizes = str(self._kept.alone), str(self._kept.sizes)  # opening changes what is kept
        self._bench.open()
        if self._bench.arrangement is not None:
            self._bench.arrangement.sizes = sizes
        self._bench.show_only(Plane[alone] if alone in Plane.__members__ else None)

    def keep(self) -> None:
        """Write down how it is now, where that differs."""
        bench, arrangement = self._bench, self._bench.arrangement
        now: dict[str, bool | str] = {
            "crosshair": bench.crosshair, "wheel_turns": bench.wheel_turns, "neurological": bench.neurological,
        }  # fmt: skip
        self._is_known = self._is_known or bench.is_open
        if self._is_known:
            now["open"] = bench.is_open
        if arrangement is not None:
            now |= {"alone": arrangement.alone.name if arrangement.alone else "", "sizes": arrangement.sizes}
        for name, value in now.items():
            if getattr(self._kept, name) != value:
                setattr(self._kept, name, value)
