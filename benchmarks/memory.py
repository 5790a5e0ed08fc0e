"""How much memory a run takes, and that it does not grow with the volume: a lazy volume in, labels to disk.

Run by hand: `python benchmarks/memory.py [--json FILE] [--quick]`. Each volume is segmented by a fresh parent and a
fresh engine with a small network and one memory budget; told are the peaks of both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from common import (
    QUICK_STEPS,
    Figures,
    Side,
    arguments,
    arrange_cache,
    finish,
    kept_model,
    machine,
    nuclei_volume,
    run_to_end,
    tell,
)
from numpy.typing import NDArray

from napari_vol3d.core.box import Triple
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.io.label_store import LabelSpec, LabelStore
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

WIDTHS = (4, 8)
HALO = 8
BUDGET_GB = 0.5
EDGE = 128  # of the block that the lazy volume repeats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lazy:
    """A volume that is nowhere: each voxel is computed when a part becomes a NumPy array, as zarr and dask do.

    Slicing gives another lazy volume; steps must be 1 or a multiple, and parts must not be empty.

    Attributes
    ----------
    block : ndarray of uint16, shape (E, E, E)
        What is repeated; each repetition is brighter or darker, so that no two are the same.
    spans : tuple of range
        Voxels along (z, y, x).
    """

    block: NDArray[np.uint16]
    spans: tuple[range, range, range]

    @property
    def shape(self) -> tuple[int, ...]:
        """(Z, Y, X)."""
        return tuple(len(span) for span in self.spans)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The block's."""
        return self.block.dtype

    @property
    def ndim(self) -> int:
        """Three."""
        return 3

    @property
    def size(self) -> int:
        """Voxels."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Lazy:
        keys = [part for part in (key if isinstance(key, tuple) else (key,)) if part is not Ellipsis]
        if not all(isinstance(part, slice) for part in keys):
            raise TypeError(f"A lazy volume is cut with slices; received {key}.")
        spans = [self.spans[axis][keys[axis]] if axis < len(keys) else self.spans[axis] for axis in range(3)]
        return Lazy(block=self.block, spans=(spans[0], spans[1], spans[2]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        z, y, x = (np.fromiter(span, np.int64, len(span)) for span in self.spans)
        edge = self.block.shape[0]
        voxels = self.block[np.ix_(z % edge, y % edge, x % edge)]
        shade = (7 * (z // edge))[:, None, None] + (5 * (y // edge))[:, None] + 3 * (x // edge)
        voxels += shade.astype(np.uint16)
        return voxels if dtype is None else voxels.astype(dtype)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--edges", type=int, nargs="+", help="edges of the volumes; 256 512 1024 where absent")
    chosen = parser.parse_args()
    arrange_cache()
    edges = chosen.edges or ((128, 256) if chosen.quick else (256, 512, 1024))
    if chosen.quick:
        tell("Quick: volumes of 128 and 256 voxels along each axis, instead of 256, 512 and 1024.")
    figures: Figures = machine() | {"budget_gb": BUDGET_GB}
    kept_model(WIDTHS, steps=QUICK_STEPS, halo=HALO)
    for edge in edges:
        with Side("memory") as parent:
            found = parent("run_lazily", (edge,) * 3)
        figures |= {f"{name}_{edge}": value for name, value in found.items()}
        tell(f"{edge}^3: " + ", ".join(f"{name} {value:.4g}" for name, value in found.items()))
    peaks = [float(figures[f"peak_mb_{edge}"]) for edge in edges]  # type: ignore[arg-type]
    figures["spread"] = max(peaks) / min(peaks) - 1
    finish(figures, chosen.json)


def run_lazily(shape: Triple) -> dict[str, float]:
    """Segment a lazy volume, labels to an OME-Zarr on disk, and give the peaks (MB) of the engine and this process."""
    block = np.asarray(nuclei_volume((EDGE,) * 3).data)
    z, y, x = (range(length) for length in shape)
    volume = Volume(data=Lazy(block=block, spans=(z, y, x)), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)))
    model = kept_model(WIDTHS, steps=QUICK_STEPS, halo=HALO)
    settings = SegmentSettings(device="cpu", memory_gb=BUDGET_GB)
    spec = LabelSpec(
        geometry=volume.geometry, shape=shape, dtype=np.dtype(np.uint8), classes=model.card.output.classes,
        run="memory benchmark",
    )  # fmt: skip
    engine = Engine(device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        try:
            store = LabelStore.create(Path(folder) / "labels.zarr", spec)
            began = time.perf_counter()
            prediction = run_to_end(segment(volume, model, settings, engine=engine, sink=store))
            seconds = time.perf_counter() - began
            foreground = sum(voxels for number, voxels in prediction.counts.items() if number)
            return {
                "peak_mb": peak_mb(engine.process.pid),
                "parent_peak_mb": peak_mb(os.getpid()),
                "seconds": seconds,
                "foreground": foreground / float(np.prod(shape)),
            }
        finally:
            engine.close()


def peak_mb(pid: int) -> float:
    """Give the most memory (MB) that a process ever held, by the kernel's own account (Linux)."""
    status = Path(f"/proc/{pid}/status")
    if not status.is_file():
        sys.exit("memory.py reads /proc: it runs on Linux only.")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    main()
