"""What the report says of each class: how far from the prediction, how large, how well readers agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from napari_vol3d.core.labels import default_color
from napari_vol3d.review.project import plots
from napari_vol3d.review.project.agreement import AgreementTable, ClassSummary
from napari_vol3d.review.project.measured import ClassOfCase, Measured, names_of
from napari_vol3d.review.project.page import Cell, figure, section, side_by_side, table
from napari_vol3d.review.project.plots import Series
from napari_vol3d.review.project.store import Project

MOST_CLASSES = 12  # in one plot
SMALL_ML, UM3_PER_ML = 1e-5, 1e12  # what a microscope sees is told in cubic micrometres


def dice_section(project: Project, measured: Measured) -> str:
    """Say how far the accepted labels are from the prediction."""
    series = _series(project, measured, "dice")
    if not series:
        return section("Prediction and accepted labels", "No accepted scan has a prediction to compare with.")
    colors = _colors(project, measured)
    rows = (_class_row(items, colors) for items in _by_class(measured).values())
    drawn, more = _drawn(series, worst=lambda one: min(one.values))
    heads = ("Class", "Scans", "Median Dice", "Lowest Dice", "Median HD95, mm", "Voxels added", "Voxels removed")
    return section(
        "Prediction and accepted labels",
        "How far people moved from the prediction: Dice of 1 means that nothing of a class was changed. These are no "
        "figures of accuracy, because the accepted labels were made from the prediction.",
        side_by_side(
            figure(plots.distributions(drawn, "Dice"), f"Each point is a scan; the bar spans the quartiles.{more}"),
            figure(plots.over_time(drawn, "Dice"), "By when the scan was accepted; lines: running medians."),
        ),
        table(heads, rows, numbers=frozenset(range(1, 7))),
    )  # fmt: skip


def _class_row(items: Sequence[ClassOfCase], colors: Mapping[int, str]) -> Sequence[Cell]:
    dices, distances = ([v for one in items if (v := getattr(one, name)) is not None] for name in ("dice", "hd95_mm"))
    return (
        (colors[items[0].id], items[0].name), str(len(items)), number(_median(dices), 3),
        number(min(dices, default=None), 3), number(_median(distances), 2),
        f"{sum(one.added for one in items):,}", f"{sum(one.removed for one in items):,}",
    )  # fmt: skip


def volumes_section(project: Project, measured: Measured) -> str:
    """Say how large the classes are; nothing where no scan has a unit of length."""
    largest = max((item.accepted_ml or 0.0 for one in measured.accepted for item in one.classes), default=0.0)
    unit, factor = ("µm³", UM3_PER_ML) if largest < SMALL_ML else ("mL", 1.0)
    series = _series(project, measured, "accepted_ml", factor=factor)
    if not series:
        return ""
    rows: list[Sequence[Cell]] = [
        ((one.color, one.name), str(len(one.values)), *(f"{f(one.values):.3g}" for f in (np.mean, np.std, min, max)))
        for one in series
    ]
    drawn, more = _drawn(series, worst=lambda one: -max(one.values))
    caption = f"Each point is a scan; the bar spans the quartiles.{more}"
    plot = figure(plots.distributions(drawn, f"Volume, {unit}"), caption)
    heads = ("Class", "Scans", f"Mean, {unit}", "SD", "Least", "Most")
    return section(
        "Volumes", "Volume of each class in the accepted labels; 0 where only the prediction has it.",
        side_by_side(plot, table(heads, rows, numbers=frozenset(range(1, 6)))),
    )  # fmt: skip


def readers_section(measured: Measured) -> str:
    """Say how readings agree; nothing where nobody was asked for one."""
    if measured.agreement is None or not measured.agreement.rows:
        return ""
    rows = [_pair_row(one, measured.agreement) for one in measured.agreement.summary]
    heads = ("First", "Second", "Class", "Scans", "Mean Dice", "Lowest", "Median HD95, mm", "Volume, %", "Object F1")
    return section(
        "Agreement between readings",
        "Accepted labels of two readings of a scan, and of a reading and the prediction. Volume: mean difference, "
        "first less second, in percent of their mean; object F1: at IoU 0.5, mean.",
        table(heads, rows, numbers=frozenset(range(3, 9))),
    )


def _pair_row(one: ClassSummary, found: AgreementTable) -> Sequence[str]:
    ours = (row for row in found.rows if (row.first, row.second, row.figures.id) == (one.first, one.second, one.id))
    dices = [row.figures.dice for row in ours if row.figures.dice is not None]
    figures, percent = one.figures, one.figures["difference_percent"].mean
    return (
        one.first, one.second, one.name, str(figures["dice"].n), number(figures["dice"].mean, 3),
        number(min(dices, default=None), 3), number(figures["hd95_mm"].median, 2),
        "–" if percent is None else f"{percent:+.1f}", number(figures["object_f1"].mean, 2),
    )  # fmt: skip


def _by_class(measured: Measured) -> dict[int, list[ClassOfCase]]:
    found: dict[int, list[ClassOfCase]] = {}
    for one in measured.accepted:
        for item in one.classes:
            found.setdefault(item.id, []).append(item)
    return dict(sorted(found.items()))


def _series(project: Project, measured: Measured, figure_name: str, *, factor: float = 1.0) -> list[Series]:
    """Give one figure of each class over the accepted cases that have it."""
    names, colors, found = names_of(project), _colors(project, measured), []
    for i in _by_class(measured):
        pairs = [
            (value * factor, one.when)
            for one in measured.accepted
            for item in one.classes
            if item.id == i and (value := getattr(item, figure_name)) is not None and one.when
        ]
        if pairs:
            values, times = zip(*pairs, strict=True)
            name = names.get(i, f"class {i}")
            found.append(Series(name=name, color=colors[i], values=values, times=times))
    return found


def _drawn(series: Sequence[Series], *, worst: Callable[[Series], float]) -> tuple[list[Series], str]:
    """Choose the series that can be told apart in one plot, and the words for the rest."""
    chosen = sorted(range(len(series)), key=lambda k: worst(series[k]))[:MOST_CLASSES]
    rest = len(series) - len(chosen)
    return [series[k] for k in sorted(chosen)], f" {rest} more classes are in the table." if rest else ""


def _colors(project: Project, measured: Measured) -> dict[int, str]:
    return {i: default_color(i) for i in _by_class(measured)} | {item.id: item.color for item in project.classes}


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None


def number(value: float | None, digits: int) -> str:
    """Give a figure as text; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"
