"""How much tiling changes the labels, halo by halo, against the whole volume in one patch.

Run by hand: `python benchmarks/halo.py SCAN [--model NAME] [--edge 160]`. Cuts a cube out of the middle of the scan and
prints, for each halo, the tiles, their redundancy and the share of the foreground (union of both) that differs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from common import run_to_end

from napari_vol3d.core.box import Box
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.plan import GIGABYTE
from napari_vol3d.pipeline.prediction import Prediction
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

CORE = 48  # voxels that a tile owns along each axis, at least


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path)
    parser.add_argument("--model", default="hippocampus-t1")
    parser.add_argument("--edge", type=int, default=160)
    chosen = parser.parse_args()
    model, scan = find_model(chosen.model), read_volume(chosen.scan)
    start = tuple(max(0, (n - chosen.edge) // 2) for n in scan.shape)
    stop = tuple(min(n, a + chosen.edge) for a, n in zip(start, scan.shape, strict=True))
    cube = scan.cropped(Box(start=start, stop=stop))
    engine = Engine(device="cpu")
    try:
        whole = run(cube, model, engine, SegmentSettings(memory_gb=64, cache=False))
        if whole.plan.count != 1:
            sys.exit("The cube does not fit one patch; choose a smaller --edge.")
        for halo in (0, 8, 16, 24, 32, 40, 48):
            budget = (2 * halo + CORE) ** 3 * model.card.inference.bytes_per_voxel / GIGABYTE
            tiled = run(cube, model, engine, SegmentSettings(memory_gb=budget, halo=halo, cache=False))
            foreground = (whole.labels > 0) | (tiled.labels > 0)
            share = np.count_nonzero(whole.labels != tiled.labels) / max(1, np.count_nonzero(foreground))
            sys.stdout.write(
                f"halo {halo:2}: {tiled.plan.count:3} tiles of {tiled.plan.tiles.patch_size}, "
                f"{tiled.plan.tiles.redundancy:.1f}x work, {share:.2e} of the foreground differs\n"
            )
            sys.stdout.flush()
    finally:
        engine.close()


def run(volume: Volume, model: Model, engine: Engine, settings: SegmentSettings) -> Prediction:
    """Segment to the end."""
    return run_to_end(segment(volume, model, settings, engine=engine))


if __name__ == "__main__":
    main()
