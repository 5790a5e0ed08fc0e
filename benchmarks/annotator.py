"""Strokes saved: a simulated annotator corrects predictions of the bundled model, with napari's brush and with ours.

Run by hand: `python benchmarks/annotator.py [--json FILE] [--markdown FILE] [--quick] [--cases N] [--aim DICE]
[--over N] [--any-plane]`; it needs the hippocampi of `VOL3D_DATA`. 20 scans that the model has never seen are corrected
until each of the two classes has a Dice of 0.98 with the reference (stricter than their mean).

The annotator is the same on both sides, and only what is at hand differs. He knows the reference as an expert knows
anatomy. At each turn he does what brings the labels nearest to the aim a stroke (`annotator_turns`), and of a stroke
he decides where to begin, the size, and how far to drag (`annotator_strokes`):

- brush: a disc of 1 to 10 voxels across in the axial slices, which paints or erases whatever it covers: napari's brush.
- tools: the same disc in all three planes, balls through neighbouring slices, over all classes or only one, scissors;
  and panels with a button Apply: smoothing, grow and shrink, islands and gaps, fill between slices, thresholds of
  the probabilities (`annotator_tools`).

A press-drag-release is a stroke, and so are a click on Apply and each slider or mark that it needs. Keys, scrolling and
the choice of class, size and limits are none, on both sides; `settings_*` counts these choices.

- `strokes_brush`, `strokes_tools`, `ratio`: all scans together, tools over brush; `ratio_median`: of single scans
- `slices_*`: in which something was drawn; `voxels_*`: changed; `drag_mm_*`: way of the mouse; `median_*`: of the scans
- `by_*`: strokes of the side with tools, by tool; `rows`: the scans
- with `--any-plane` also `*_planes`: napari's disc in all three planes
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from annotator_cases import COUNT, SCANS, load, names, predict
from annotator_turns import ANY_PLANE, PLAIN, TOOLS, Annotator, Tally
from common import Figures, arguments, cores, finish, machine, table, tell

from napari_vol3d.core.metrics import dice

AIM, QUICK_AIM = 0.98, 0.95
QUICK_CASES = 2
ARMS = {"brush": PLAIN, "tools": TOOLS, "planes": ANY_PLANE}
COUNTED = ("strokes", "slices", "voxels", "drag_mm", "settings")
TARGET = 1 / 3
Row = dict[str, Any]


def main() -> None:
    """Predict, correct on both sides, and tell."""
    chosen = _arguments()
    aim = chosen.aim or (QUICK_AIM if chosen.quick else AIM)
    scans = names(chosen.cases or (QUICK_CASES if chosen.quick else COUNT))
    if chosen.quick:
        tell(f"Quick: {len(scans)} scans instead of {COUNT}, to a Dice of {aim:g}.")
    if not SCANS.is_dir():
        tell(f"There are no hippocampi at {SCANS}: set VOL3D_DATA.")
        return
    figures, started = machine("scipy", "scikit-image"), time.perf_counter()
    predict(scans)
    arms = ["brush", "tools", *(["planes"] if chosen.any_plane else [])]
    work = partial(corrected, arms=arms, aim=aim, over=chosen.over)
    with ProcessPoolExecutor(min(cores(), len(scans)), mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(work, scans))
    figures |= {"aim": aim, "over": chosen.over, "cases": len(rows), **totals(rows, arms)}
    figures["seconds"] = time.perf_counter() - started
    heads, lines = per_scan(rows, arms)
    table(heads, lines)
    tell("\n" + markdown(rows, arms) + "\n")
    finish(figures, None)
    _write(chosen.json, json.dumps({**figures, "rows": rows}, indent=2))
    _write(chosen.markdown, markdown(rows, arms))


def corrected(name: str, *, arms: Sequence[str], aim: float, over: int) -> Row:
    """Correct one scan once with each arm."""
    case = load(name)
    row: Row = {"scan": name, **_dice("before", case.prediction, case.reference)}
    for arm in arms:
        annotator = Annotator(case, ARMS[arm], aim=aim, over=over)
        row |= {f"{key}_{arm}": value for key, value in counts(annotator.work()).items()}
        row |= _dice(arm, annotator.labels, case.reference)
        row[f"by_{arm}"] = dict(annotator.tally.by)
    tell(f"{name}: " + ", ".join(f"{row[f'strokes_{arm}']} strokes with {arm}" for arm in arms))
    return row


def counts(tally: Tally) -> dict[str, int]:
    """Give what is counted, as numbers."""
    return {
        "strokes": tally.strokes, "slices": len(tally.slices), "voxels": tally.voxels, "drag_mm": round(tally.drag_mm),
        "settings": tally.settings,
    }  # fmt: skip


def totals(rows: Sequence[Row], arms: Sequence[str]) -> Figures:
    """Add the scans up."""
    found: Figures = {}
    for key, arm in ((key, arm) for key in COUNTED for arm in arms):
        values = [row[f"{key}_{arm}"] for row in rows]
        found[f"{key}_{arm}"] = sum(values)
        found[f"median_{key}_{arm}"] = statistics.median(values)
    for other in arms[1:]:
        end = "" if other == "tools" else f"_{other}"
        shares = [row[f"strokes_{other}"] / row["strokes_brush"] for row in rows]
        found[f"ratio{end}"] = sum(row[f"strokes_{other}"] for row in rows) / sum(row["strokes_brush"] for row in rows)
        found[f"ratio_median{end}"] = statistics.median(shares)
        found[f"reach_the_third{end}"] = sum(share <= TARGET for share in shares)
    by = Counter[str]()
    for row in rows:
        by.update(row["by_tools"])
    return found | {f"by_{name.replace(' ', '_')}": number for name, number in by.most_common()}


def per_scan(rows: Sequence[Row], arms: Sequence[str]) -> tuple[list[str], list[list[object]]]:
    """Give a line a scan: Dice of both classes before, and strokes, slices and voxels of each arm; total and median."""
    keys = [f"{key}_{arm}" for key in COUNTED[:4] for arm in arms]
    heads = ["scan", "Dice", *(key.replace("_", " ") for key in keys), "ratio"]
    lines: list[list[object]] = []
    for row in rows:
        before = " / ".join(f"{row[f'dice_{c}_before']:.3f}" for c in (1, 2))
        share = f"{row['strokes_tools'] / row['strokes_brush']:.2f}"
        lines.append([row["scan"], before, *(row[key] for key in keys), share])
    found = totals(rows, arms)
    lines.append(["all", "", *(found[key] for key in keys), f"{found['ratio']:.2f}"])
    medians = [f"{found[f'median_{key}']:g}" for key in keys]
    lines.append(["median", "", *medians, f"{found['ratio_median']:.2f}"])
    return heads, lines


def markdown(rows: Sequence[Row], arms: Sequence[str]) -> str:
    """Give the same as a table in Markdown."""
    heads, lines = per_scan(rows, arms)
    cells: list[Sequence[object]] = [heads, ["---", "---", *["---:"] * (len(heads) - 2)], *lines]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in cells)


def _dice(when: str, labels: Any, reference: Any) -> Row:
    return {f"dice_{c}_{when}": dice(labels == c, reference == c) for c in (1, 2)}


def _write(target: Path | None, text: str) -> None:
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there")
    parser.add_argument("--cases", type=int, help=f"how many scans; {COUNT}, with --quick {QUICK_CASES}")
    parser.add_argument("--aim", type=float, help=f"the Dice to reach; {AIM}, with --quick {QUICK_AIM}")
    parser.add_argument("--over", type=int, default=0, help="places without harm that a drag crosses")
    parser.add_argument("--any-plane", action="store_true", help="napari's brush in all planes, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
