"""Measuring the intensities of a scan, however large it is."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from napari_vol3d.core.box import Box
from napari_vol3d.core.intensity import IntensityMap, measure_intensity
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import ModelCard


def measure_scan(frame: Volume, card: ModelCard) -> tuple[IntensityMap, ...]:
    """Give the intensity map of each channel, as the model's scheme has it."""
    channels = (*frame.data.shape[3:], 1)[0]
    return tuple(measure_intensity(_Channel(frame, c), card.input.intensity) for c in range(channels))


class _Channel:
    """One channel of a volume, plane by plane: the volume may be far larger than memory."""

    def __init__(self, volume: Volume, number: int) -> None:
        self.shape: tuple[int, ...] = volume.shape
        self._volume, self._number = volume, number

    def __getitem__(self, z: int) -> NDArray[Any]:
        _, y, x = self._volume.shape
        plane: NDArray[Any] = self._volume.read(Box(start=(z, 0, 0), stop=(z + 1, y, x)))[0]
        return plane if plane.ndim == 2 else plane[..., self._number]
