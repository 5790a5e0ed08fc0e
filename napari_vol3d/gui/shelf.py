"""Which labels belong to which scan: what the last run found in each, and which layer Save would save."""

from __future__ import annotations

from dataclasses import dataclass

from napari.components import LayerList
from napari.layers import Image, Labels, Layer

from napari_vol3d.gui.layers import is_preview, same_grid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finding:
    """What a run found: its layer, and the words for it, as rich text."""

    labels: Labels
    text: str


class Shelf:
    """Remembers runs by scan, as long as their layers are in the viewer."""

    def __init__(self, layers: LayerList) -> None:
        self._layers = layers
        self._scan_of: dict[Labels, Image] = {}
        self._found: dict[Image, Finding] = {}

    def begin(self, scan: Image, labels: Labels) -> None:
        """Note that a run over `scan` fills `labels`."""
        self._scan_of[labels] = scan

    def finish(self, scan: Image, labels: Labels, text: str) -> None:
        """Note what the run found."""
        self._found[scan] = Finding(labels=labels, text=text)

    def tidy(self) -> None:
        """Forget layers that were removed."""
        there = set(self._layers)
        self._scan_of = {labels: scan for labels, scan in self._scan_of.items() if {labels, scan} <= there}
        self._found = {scan: found for scan, found in self._found.items() if {scan, found.labels} <= there}

    def finding(self, scan: Image | None) -> Finding | None:
        """Give what the last run over a scan found, None where there was none, or its layer is gone."""
        self.tidy()
        return None if scan is None else self._found.get(scan)

    def to_save(self, scan: Image | None, picked: Labels | None) -> Labels | None:
        """Give the labels that Save is about.

        Parameters
        ----------
        scan : Image or None
            The chosen scan.
        picked : Labels or None
            The labels layer that the person has selected since they chose the scan.

        Returns
        -------
        Labels or None
            What was picked, what the scan's last run found, or a newer layer that lies on the scan: the first of
            them that is not hidden. None where no labels are the scan's.
        """
        found = self.finding(scan)
        newest = [layer for layer in reversed(self._layers) if _is_kept(layer) and self._is_of(layer, scan)]
        if found is not None:
            newest = newest[: newest.index(found.labels)]
        wanted = [picked, None if found is None else found.labels, *newest]
        there = [layer for layer in wanted if layer is not None and layer in self._layers]
        return next((layer for layer in there if layer.visible), there[0] if there else None)

    def _is_of(self, labels: Labels, scan: Image | None) -> bool:
        if scan is None:
            return False
        made_for = self._scan_of.get(labels)
        return same_grid(labels, scan) if made_for is None else made_for is scan


def _is_kept(layer: Layer) -> bool:
    return isinstance(layer, Labels) and not is_preview(layer)
