"""Whether "look here first" earns its name: places and scores of real predictions, held against known labels.

Run by hand: `python benchmarks/suspicious.py [--json FILE] [--quick]`; it needs the hippocampi of `VOL3D_DATA`. The
bundled model foresees the 40 scans that its recipe keeps back: neither trained on nor used to choose anything here.

- `gain_first5`: share of the wrong voxels (another id than the reference's) inside the boxes of the first 5 places,
  over the share inside 5 random boxes of the same shapes; means of all scans. Random boxes have their centres on
  voxels with a face neighbour of another predicted id, are moved into the scan, and do not overlap, as ours do not;
  200 draws.
- `gain_first5_turned`: the same against random boxes that are turned, by the axes, to hold the most boundary: how much
  of the gain is more than lying along it.
- `share_first5`, `share_random5`, `share_turned5`, `voxels_first5`: what these are made of; voxels of all 5 together.
- `auc_scan_order`: how often, of a scan whose mean Dice of both classes is below the median and one whose is not, the
  first has the higher score; 0.5 is chance. `auc_one_run`: the same of the score by mean uncertainty, which needs no
  runs over altered scans.
- `*_low`, `*_high`: 95 % intervals, by drawing scans anew (2,000 times). `seconds_scan`: of the verb, warm engine.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from annotator_cases import MODEL, SCANS
from common import Figures, arguments, finish, machine, table, tell
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.core.metrics import dice
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.suspicion import Place, scan_score
from napari_vol3d.io.registry import read_volume
from napari_vol3d.models.store import Model, find_model, find_recipe
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.foresee import Foresight, foresee
from napari_vol3d.pipeline.settings import SegmentSettings

FIRST = 5
DRAWS, RESAMPLES, TRIES = 200, 2000, 50
QUICK_CASES, QUICK_DRAWS = 6, 40
TARGET_GAIN, TARGET_AUC = 3.0, 0.7
FIGURES = ("dice", "score", "one_run", "first", "random", "turned")
Row = dict[str, Any]
Random = np.random.Generator


def main() -> None:
    """Foresee, hold against the reference, and tell."""
    chosen = arguments(__doc__).parse_args()
    if not SCANS.is_dir():
        tell(f"There are no hippocampi at {SCANS}: set VOL3D_DATA.")
        return
    names: list[str] = json.loads(find_recipe(MODEL).read_text(encoding="utf-8"))["test"]
    if chosen.quick:
        tell(f"Quick: {QUICK_CASES} of {len(names)} scans, {QUICK_DRAWS} draws instead of {DRAWS}.")
        names = names[:: len(names) // QUICK_CASES][:QUICK_CASES]
    figures, began = machine("scipy"), time.perf_counter()
    rows = foresee_all(names, QUICK_DRAWS if chosen.quick else DRAWS)
    figures |= summary(rows) | {"seconds": time.perf_counter() - began}
    table(("scan", "Dice", "score", "first 5", "random", "turned", "first place"), [line(row) for row in rows])
    finish(figures, chosen.json)
    tell(f"Targets: gain_first5 {TARGET_GAIN:g}, auc_scan_order {TARGET_AUC:g}.")


def foresee_all(names: Sequence[str], draws: int) -> list[Row]:
    """Measure scan by scan, with one engine."""
    model, engine, rng = find_model(MODEL), Engine(device="cpu"), np.random.default_rng(0)
    try:
        return [measured(name, model, engine, rng, draws) for name in names]
    finally:
        engine.close()


def measured(name: str, model: Model, engine: Engine, rng: Random, draws: int) -> Row:
    """Foresee one scan, and hold it against its reference."""
    scan = read_volume(SCANS / "images" / f"{name}.nii.gz")
    reference = np.asarray(read_volume(SCANS / "labels" / f"{name}.nii.gz").data).astype(np.uint8)
    found = to_end(foresee(scan, model, SegmentSettings(cache=False), engine=engine))
    places, wrong, edge = found.places[:FIRST], found.labels != reference, boundary(found.labels)
    boxes = [place.box for place in places]
    shapes = [box.shape for box in boxes]
    plain = [share(wrong, random_boxes(edge, shapes, rng, as_it_is)) for _ in range(draws)]
    turned = [share(wrong, random_boxes(edge, shapes, rng, along(edge))) for _ in range(draws)]
    both = [dice(found.labels == item.id, reference == item.id) for item in found.classes]
    return {
        "scan": name, "dice": float(np.mean([value for value in both if value is not None])), "score": found.score,
        "one_run": scan_score(found.labels, found.uncertainty), "first": share(wrong, boxes),
        "random": float(np.mean(plain)), "turned": float(np.mean(turned)),
        "voxels": sum(box.size for box in boxes), "seconds": found.seconds, "words": first_words(places),
    }  # fmt: skip


def summary(rows: Sequence[Row]) -> Figures:
    """Give the figures of all scans, with intervals."""
    of = {key: np.array([row[key] for row in rows]) for key in FIGURES}

    def gain(pick: NDArray[Any]) -> float:
        return float(of["first"][pick].mean() / of["random"][pick].mean())

    def order(pick: NDArray[Any]) -> float:
        return auc(of["score"][pick], of["dice"][pick])

    every = np.arange(len(rows))
    return {
        "cases": len(rows), "gain_first5": gain(every), **interval("gain_first5", gain, len(rows)),
        "gain_first5_turned": float(of["first"].mean() / of["turned"].mean()),
        "auc_scan_order": order(every), **interval("auc_scan_order", order, len(rows)),
        "auc_one_run": auc(of["one_run"], of["dice"]),
        "share_first5": float(of["first"].mean()), "share_random5": float(of["random"].mean()),
        "share_turned5": float(of["turned"].mean()), "voxels_first5": float(np.mean([row["voxels"] for row in rows])),
        "median_dice": float(np.median(of["dice"])), "seconds_scan": float(np.median([row["seconds"] for row in rows])),
    }  # fmt: skip


def interval(key: str, figure: Callable[[NDArray[Any]], float], count: int) -> Figures:
    """Give the 2.5th and 97.5th percentile of a figure over scans drawn anew."""
    rng = np.random.default_rng(1)
    drawn = [figure(rng.integers(0, count, count)) for _ in range(RESAMPLES)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return {f"{key}_low": float(low), f"{key}_high": float(high)}


def auc(scores: NDArray[Any], dices: NDArray[Any]) -> float:
    """Give how often a scan with a Dice below the median scores above one without, ties by half; NaN where all tie."""
    low = dices < np.median(dices)
    if not low.any():
        return float("nan")
    first, second = scores[low][:, None], scores[~low][None, :]
    return float(((first > second) + 0.5 * (first == second)).mean())


def boundary(labels: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether a voxel (z, y, x) has a face neighbour with another id."""
    cross = ndimage.generate_binary_structure(3, 1)
    ends = [find(labels, footprint=cross, mode="nearest") for find in (ndimage.minimum_filter, ndimage.maximum_filter)]
    return np.asarray(ends[0] != ends[1])


def share(wrong: NDArray[np.bool_], boxes: Sequence[Box]) -> float:
    """Give the share of the wrong voxels that lie inside boxes."""
    inside = np.zeros(wrong.shape, bool)
    for box in boxes:
        inside[box.slices] = True
    return float((wrong & inside).sum() / max(1, wrong.sum()))


Turn = Callable[[Triple, Triple], Box]


def random_boxes(edge: NDArray[np.bool_], shapes: Sequence[Triple], rng: Random, turn: Turn) -> list[Box]:
    """Draw boxes of these shapes around boundary voxels, without overlap unless there is no other place."""
    centres, boxes = np.argwhere(edge), list[Box]()
    for shape in shapes:
        for _ in range(TRIES):
            z, y, x = (int(at) for at in centres[rng.integers(len(centres))])
            box = inside(turn((z, y, x), shape), edge.shape)
            if not any(box.intersect(other).size for other in boxes):
                break
        boxes.append(box)
    return boxes


def as_it_is(centre: Triple, shape: Triple) -> Box:
    """Give the box of a shape around a voxel."""
    z, y, x = (at - length // 2 for at, length in zip(centre, shape, strict=True))
    return Box(start=(z, y, x), stop=(z + shape[0], y + shape[1], x + shape[2]))


def along(edge: NDArray[np.bool_]) -> Turn:
    """Give what turns a shape so that it holds the most boundary."""

    def turn(centre: Triple, shape: Triple) -> Box:
        boxes = [inside(as_it_is(centre, (z, y, x)), edge.shape) for z, y, x in set(itertools.permutations(shape))]
        return max(boxes, key=lambda box: (int(edge[box.slices].sum()), box.start))

    return turn


def inside(box: Box, shape: tuple[int, ...]) -> Box:
    """Move a box into a volume."""
    dz, dy, dx = (max(-a, 0) or min(n - b, 0) for a, b, n in zip(box.start, box.stop, shape, strict=True))
    return box.shifted((dz, dy, dx))


def to_end(verb: Any) -> Foresight:
    """Drive the verb to its end."""
    while True:
        try:
            progress: Progress = next(verb)
        except StopIteration as end:
            found: Foresight = end.value
            return found
        if progress.note:
            raise Vol3dError(progress.note)


def first_words(places: Sequence[Place]) -> str:
    """Say the first place."""
    return places[0].words if places else "none"


def line(row: Row) -> list[object]:
    """Lay a scan out for the table."""
    shares = [f"{row[key]:.3f}" for key in ("first", "random", "turned")]
    return [row["scan"], f"{row['dice']:.3f}", f"{row['score']:.3f}", *shares, row["words"]]


if __name__ == "__main__":
    main()
