"""The history of a training run: one line an epoch, for people and plots."""

from __future__ import annotations

import json
from pathlib import Path

from napari_vol3d.engine.messages import Epoch
from napari_vol3d.io.safe_write import write_text

HISTORY_NAME = "history.jsonl"


class History:
    """The figures of every finished epoch, kept in a file of the model folder.

    Attributes
    ----------
    lines : list of dict
        "epoch", "seconds" (of the run so far), "loss", "mean dice" and the Dice of each class.
    """

    def __init__(self, folder: Path, *, resume: bool) -> None:
        self._path = folder / HISTORY_NAME
        if not resume:
            self._path.unlink(missing_ok=True)
        text = self._path.read_text(encoding="utf-8") if self._path.exists() else ""
        self.lines: list[dict[str, float]] = []
        for line in text.splitlines():
            if line.endswith("}"):  # a kill can cut the last one
                self._take(json.loads(line))

    def add(self, report: Epoch, seconds: float) -> None:
        """Add an epoch; one that is done again after a kill replaces what followed the checkpoint."""
        self._take({"epoch": report.epoch, "seconds": round(seconds, 1), **report.figures})
        write_text(self._path, "".join(json.dumps(line) + "\n" for line in self.lines))

    def _take(self, line: dict[str, float]) -> None:
        self.lines = [*(old for old in self.lines if old["epoch"] < line["epoch"]), line]

    @property
    def epochs(self) -> int:
        """Epochs finished."""
        return int(self.lines[-1]["epoch"]) if self.lines else 0

    @property
    def best_epoch(self) -> int:
        """The epoch whose weights were kept: the first with the highest mean Dice, or the lowest loss without one."""
        if not self.lines:
            return 0
        return int(max(self.lines, key=lambda line: (line.get("mean dice", -line["loss"]), -line["epoch"]))["epoch"])

    @property
    def seconds(self) -> float:
        """Wall-clock seconds of training so far, over all its sessions."""
        return self.lines[-1].get("seconds", 0.0) if self.lines else 0.0
