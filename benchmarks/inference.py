"""How fast a volume becomes labels: ours, MONAI, medicai and a plain predict loop, the same weights, all in one run.

Run by hand in the environment of `make bench-env`: `.venv-bench/bin/python benchmarks/inference.py --json FILE`.
The sides take turns, each in its own warm process with all cores, from stored voxels to labels; medians are told.
README.md beside this file says what each figure means.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import psutil
from common import (
    DATA,
    QUICK_STEPS,
    REPO,
    Figures,
    Side,
    arguments,
    arrange_cache,
    finish,
    kept_model,
    machine,
    mirrored,
    nuclei_volume,
    run_to_end,
    table,
    tell,
    variant,
)
from numpy.typing import NDArray

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.intensity import IntensityMap, measure_intensity
from napari_vol3d.core.volume import Volume
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

ROI = 96
BATCHES = (1, 2, 4)
EQUAL_TO = 1e-4
WHOLE_BYTES = 1100  # a voxel, for the whole volume in one pass
PIECE = 160  # edge of what is compared where the whole does not fit into memory

Timed = tuple[float, NDArray[Any]]
Run = Callable[[Volume], Timed]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One model on one volume; `key` goes before the names of its figures."""

    key: str
    title: str
    model: Model
    volume: Volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """Who segments."""

    engine: Engine
    keras: Side
    torch: Side
    settings: SegmentSettings


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--repeats", type=int, default=None, help="rounds; 5, or 2 with --quick")
    parser.add_argument("--memory-gb", type=float, default=None, help="our memory budget; what a person gets if absent")
    parser.add_argument("--precision", default="auto", help="of our side: auto (float32 on a CPU) or bfloat16")
    parser.add_argument("--case", action="append", help="only the cases with these keys; '' is the first")
    chosen = parser.parse_args()
    arrange_cache()
    repeats = chosen.repeats or (2 if chosen.quick else 5)
    given = {} if chosen.memory_gb is None else {"memory_gb": chosen.memory_gb}
    settings = SegmentSettings.of({"precision": chosen.precision, **given})
    figures: Figures = machine("torch", "monai", "medicai")
    figures |= {"repeats": repeats, "precision": settings.precision}
    cases = quick_cases() if chosen.quick else full_cases()
    engine = Engine(precision=settings.precision)
    try:
        with Side("side_keras") as keras, Side("side_torch") as torch:
            sides = Sides(engine=engine, keras=keras, torch=torch, settings=settings)
            rates = [keras("matrix_rate")]
            for case in cases:
                if chosen.case is None or case.key in chosen.case:
                    figures |= {case.key + key: value for key, value in measure(case, sides, repeats, rates).items()}
            figures["matrix_gflops"] = max(rates) / 1e9
    finally:
        engine.close()
    finish(figures, chosen.json)


def quick_cases() -> list[Case]:
    """Give one small case."""
    volume = nuclei_volume((96, 96, 128))
    tell("Quick: one volume of 96 x 96 x 128 and the plain U-Net alone, instead of 224 x 224 x 224, a scan and two.")
    return [Case(key="", title="U-Net, nuclei", model=kept_model(steps=QUICK_STEPS), volume=volume)]


def full_cases() -> list[Case]:
    """Give both networks on 224 x 224 x 224 voxels and on a real scan, where there is one."""
    shape = (224, 224, 224)
    unet, bundled = kept_model(), find_model("hippocampus-t1")
    cases = [
        Case(key="", title="U-Net, nuclei", model=unet, volume=nuclei_volume(shape)),
        Case(key="bundled_", title="bundled, mirrored hippocampi", model=bundled, volume=hippocampi(shape)),
    ]
    path = DATA / "scans" / "t1_crop.nii.gz"
    if not path.is_file():
        tell(f"No real scan: {path} is not there; VOL3D_DATA names another folder.")
        return cases
    scan = read_volume(path)
    return [
        *cases,
        Case(key="scan_", title="U-Net, t1_crop", model=unet, volume=scan),
        Case(key="bundled_scan_", title="bundled, t1_crop", model=bundled, volume=scan),
    ]


def hippocampi(shape: Triple) -> Volume:
    """Fill a volume with mirror images of the sample, and noise, so that no two are the same."""
    sample = read_volume(REPO / "sample_data" / "hippocampus_average.nii.gz")
    piece = np.asarray(sample.data, dtype=np.float32)
    noise = np.random.default_rng(0).normal(scale=0.02 * float(piece.max()), size=shape)
    return sample.with_data(np.clip(mirrored(piece, shape) + noise, 0, 60_000).astype(np.uint16))


def measure(case: Case, sides: Sides, repeats: int, rates: list[float]) -> Figures:
    """Time all sides in turns, and hold ours and MONAI's labels against the whole volume's."""
    size = " x ".join(str(length) for length in case.volume.shape)
    tell(f"\n{case.title}, {size}, model {case.model.card.name}")
    flops = prepare(case, sides)
    runs: dict[str, Run] = {
        "ours": partial(ours, case, sides),
        "plain": partial(with_keras, "plain", case, sides),
        "medicai": partial(with_keras, "medicai", case, sides),
    }
    batches = BATCHES if repeats >= 5 else BATCHES[:1]
    runs |= {f"monai, batch {batch}": partial(with_monai, case, sides, batch) for batch in batches}
    ours(case, sides, variant(case.volume, 1))  # the first run compiles, and measures the halo
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    labels: dict[str, NDArray[Any]] = {}
    for turn in range(repeats):
        volume = variant(case.volume, 2 + turn)  # our cache of results must not answer
        for name, run in runs.items():
            taken, labels[name] = run(volume)
            seconds[name].append(taken)
        rates.append(sides.keras("matrix_rate"))
        if turn == 0:
            first = {name.partition(",")[0]: found for name, found in labels.items()}
            slow = [name for name in runs if name.startswith("monai") and name != fastest(seconds)]
            runs = {name: run for name, run in runs.items() if name not in slow}  # best batch size only
    medians = {name.partition(",")[0]: statistics.median(seconds[name]) for name in runs}
    table(("side", "seconds", "times ours"), [(n, s, s / medians["ours"]) for n, s in medians.items()])
    useful = flops * float(np.prod(case.volume.shape)) / medians["ours"]
    return {
        **{f"seconds_{name}": taken for name, taken in medians.items()},
        **{f"vs_{name}": taken / medians["ours"] for name, taken in medians.items() if name != "ours"},
        "useful_share": useful / max(rates),
        "monai_batch": int(fastest(seconds).rpartition(" ")[2]),
        **agreements(case, sides, variant(case.volume, 2), first),
    }


def fastest(seconds: dict[str, list[float]]) -> str:
    """Name MONAI's best batch size, by the first turn."""
    return min((name for name in seconds if name.startswith("monai")), key=lambda name: seconds[name][0])


def prepare(case: Case, sides: Sides) -> float:
    """Load the network on every side and check that PyTorch's is the same; give its FLOPs a voxel.

    The peers' first patch is computed here, outside the timing.
    """
    flops, weights, leak = sides.keras("describe", str(case.model.weights))
    sides.torch("hold", case.model.card.name, weights, leak)
    volume = case.volume.read(Box(start=(0, 0, 0), stop=(ROI,) * 3))
    patch = measure_intensity(volume, case.model.card.input.intensity).apply(volume)
    ours_, theirs = sides.keras("scores", str(case.model.weights), patch), sides.torch(
        "scores", case.model.card.name, patch
    )
    off = float(np.abs(ours_ - theirs).max() / max(1.0, np.abs(ours_).max()))
    if off > EQUAL_TO:
        raise SystemExit(f"The PyTorch network differs from the Keras one by {off:.2g} of the largest score.")
    warm = volume, measure_intensity(volume, case.model.card.input.intensity)
    sides.torch("monai", case.model.card.name, *warm, ROI, 1)
    for name in ("plain", "medicai"):
        sides.keras(name, str(case.model.weights), *warm, ROI)
    tell(f"{flops / 1e3:.0f} kFLOP a voxel; PyTorch's scores differ from Keras' by {off:.1e} at most")
    return float(flops)


def ours(case: Case, sides: Sides, volume: Volume) -> Timed:
    """Segment with the verb, as the window and the command line do."""
    began = time.perf_counter()
    prediction = run_to_end(segment(volume, case.model, sides.settings, engine=sides.engine))
    return time.perf_counter() - began, prediction.labels


def with_keras(function: str, case: Case, sides: Sides, volume: Volume) -> Timed:
    """Segment with the plain loop or medicai."""
    timed: Timed = sides.keras(function, str(case.model.weights), *stored(case, volume), ROI)
    return timed


def with_monai(case: Case, sides: Sides, batch: int, volume: Volume) -> Timed:
    """Segment with MONAI."""
    timed: Timed = sides.torch("monai", case.model.card.name, *stored(case, volume), ROI, batch)
    return timed


def stored(case: Case, volume: Volume) -> tuple[NDArray[Any], IntensityMap]:
    """Give what a peer gets: stored voxels, and how they are normalised, which ours measures within its time."""
    data = np.asarray(volume.data)
    return data, measure_intensity(data, case.model.card.input.intensity)


def agreements(case: Case, sides: Sides, volume: Volume, labels: dict[str, NDArray[Any]]) -> Figures:
    """Hold ours and MONAI's labels against those of one pass over the whole volume, or over a piece that fits."""
    if float(np.prod(volume.shape)) * WHOLE_BYTES > psutil.virtual_memory().available:
        z, y, x = (max(0, (length - PIECE) // 2) for length in volume.shape)
        volume = volume.cropped(Box(start=(z, y, x), stop=(z + PIECE, y + PIECE, x + PIECE)))
        labels = {"ours": ours(case, sides, volume)[1], "monai": with_monai(case, sides, 1, volume)[1]}
        tell(f"The whole volume in one pass does not fit into memory: a piece of {volume.shape} is compared.")
    try:
        with Side("side_keras") as alone:  # its memory goes with it
            reference = alone("whole", str(case.model.weights), *stored(case, volume))
    except BrokenProcessPool:
        tell("One pass over the whole volume died, probably of memory: no agreement is measured.")
        return {"agreement": None, "agreement_monai": None}
    return {
        "agreement": agreement(labels["ours"], reference),
        "agreement_monai": agreement(labels["monai"], reference),
        "agreement_voxels": int(np.prod(volume.shape)),
        "foreground_share": float((reference > 0).mean()),
    }


def agreement(labels: NDArray[Any], reference: NDArray[Any]) -> float:
    """Give 1 - differing voxels over the union of both foregrounds."""
    union, differing = np.count_nonzero((labels > 0) | (reference > 0)), np.count_nonzero(labels != reference)
    return 1.0 - float(differing) / max(1.0, float(union))


if __name__ == "__main__":
    main()
