"""Plots as SVG for a page: its ink, its font, its light or dark. matplotlib, without pyplot and its global figures.

Each gives one `<svg>` element; what is drawn follows the page's colours through `currentColor` and `var(--...)`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

import numpy as np

INK, GRID, ACCENT = "#010203", "#040506", "#070809"  # stand for colours of the page
OF_PAGE = {INK: "currentColor", GRID: "var(--grid)", ACCENT: "var(--accent)"}
WIDTH, HEIGHT = 5.2, 2.5  # inches
FEW, RUNNING = 4, 9  # points from which a running median is drawn, and over how many
MOST_SHOWN = 2000  # points in a plot; of more, every second or third is drawn
SMALL = 9.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Values of one class, or of all.

    Attributes
    ----------
    color : str
        "#rrggbb"
    times : tuple of datetime
        One for each value, where they have one.
    """

    name: str
    values: tuple[float, ...]
    color: str = ACCENT
    times: tuple[datetime, ...] = ()


def progress_plot(times: Sequence[datetime], total: int) -> str:
    """Draw how many scans were accepted by when, and how many there are."""
    figure, axes = _figure("Accepted scans")
    ordered = sorted(times)
    if ordered:
        counts = np.arange(1, len(ordered) + 1)
        axes.step(ordered, counts, where="post", color=ACCENT, linewidth=2)
        axes.fill_between(ordered, counts, step="post", color=ACCENT, alpha=0.15, linewidth=0)
        axes.plot(ordered[-1:], counts[-1:], "o", color=ACCENT, markersize=4)
    axes.axhline(total, color=INK, linestyle=(0, (4, 3)), linewidth=1)
    axes.annotate(f"all {total}", (0, total), xycoords=("axes fraction", "data"), xytext=(2, 2),
                  textcoords="offset points", ha="left", va="bottom", color=INK, fontsize=SMALL)  # fmt: skip
    axes.set_ylim(0, total * 1.14)
    _days(axes)
    return _svg(figure, f"{len(ordered)} of {total} scans accepted over time")


def histogram(values: Sequence[float], label: str) -> str:
    """Draw how values are distributed, and their median."""
    figure, axes = _figure("Scans")
    axes.hist(values, bins=min(max(5, round(len(values) ** 0.5) * 2), 30), color=ACCENT, alpha=0.75, rwidth=0.92)
    median = float(np.median(values))
    axes.axvline(median, color=INK, linestyle=(0, (4, 3)), linewidth=1)
    axes.annotate(f"median {median:.3g}", (median, 1), xycoords=("data", "axes fraction"), xytext=(0, 2),
                  textcoords="offset points", va="bottom", ha="center", color=INK, fontsize=SMALL)  # fmt: skip
    axes.set_xlabel(label)
    axes.yaxis.get_major_locator().set_params(integer=True)
    return _svg(figure, f"{label}: {len(values)} scans, median {median:.3g}")


def over_time(series: Sequence[Series], label: str) -> str:
    """Draw values by when they were accepted, with the running median of each series."""
    figure, axes = _figure(label)
    for one in series:
        order = np.argsort(np.array([time.timestamp() for time in one.times]))
        times, values = [one.times[i] for i in order], np.asarray(one.values)[order]
        step = -(-len(values) // MOST_SHOWN)
        axes.plot(times[::step], values[::step], "o", color=one.color, markersize=4, alpha=0.55, markeredgewidth=0)
        if len(values) >= FEW:
            axes.plot(times, _running_median(values), color=one.color, linewidth=2, label=one.name)
        elif one.name:
            axes.plot([], [], "o", color=one.color, markersize=4, label=one.name)
    _days(axes)
    if any(one.name for one in series) and len(series) > 1:
        axes.legend(frameon=False, labelcolor=INK, fontsize=SMALL, loc="best", ncols=2)
    return _svg(figure, f"{label} over time")


def distributions(series: Sequence[Series], label: str) -> str:
    """Draw each series as a row of points above its quartiles."""
    figure, axes = _figure("", height=max(1.3, 0.62 + 0.42 * len(series)))
    rng = np.random.default_rng(0)  # the points' scatter is the same every time
    for row, one in enumerate(series):
        shown = np.asarray(one.values)[:: -(-len(one.values) // MOST_SHOWN)]
        axes.plot(shown, row + rng.uniform(-0.22, 0.22, len(shown)), "o", color=one.color, markersize=4, alpha=0.6,
                  markeredgewidth=0)  # fmt: skip
        low, middle, high = np.percentile(one.values, (25, 50, 75))
        axes.plot((low, high), (row, row), color=INK, linewidth=1.5, solid_capstyle="butt")
        axes.plot((middle, middle), (row - 0.3, row + 0.3), color=INK, linewidth=2)
    axes.set_yticks(range(len(series)), [_short(one.name) for one in series])
    axes.set_ylim(len(series) - 0.4, -0.6)
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    return _svg(figure, f"{label} by class")


def _figure(label: str, height: float = HEIGHT) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)
    axes.tick_params(colors=INK, labelsize=SMALL, length=0)
    axes.xaxis.label.set(color=INK, size=SMALL + 0.5)
    axes.set_axisbelow(True)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    axes.set_title(label, loc="left", color=INK, fontsize=SMALL + 0.5)
    return figure, axes


def _days(axes: Any) -> None:
    """Label the axis of time as shortly as it can be."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.xaxis.get_offset_text().set(color=INK, size=SMALL)


def _running_median(values: Any) -> list[float]:
    half = RUNNING // 2
    return [float(np.median(values[max(0, k - half) : k + half + 1])) for k in range(len(values))]


def _short(name: str, most: int = 28) -> str:
    shown = name.replace("$", r"\$")  # matplotlib would take it for a formula
    return shown if len(name) <= most else f"{shown[: most - 1]}…"


def _svg(figure: Any, title: str) -> str:
    """Give the figure as one element whose texts are texts, in the page's colours and font."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    drawn = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": title}):
        FigureCanvasSVG(figure).print_svg(drawn, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = drawn.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    for ours, of_page in OF_PAGE.items():
        text = text.replace(ours, of_page)
    text = re.sub(r"font: ([\d.]+px) ", r"font-size: \1; font-family: ", text)  # one form for both that it writes
    text = re.sub(r"font-family: [^;\"]*", "font-family: inherit", text)
    text = re.sub(r' (?:width|height)="[\d.]+pt"', "", text, count=2)
    label = escape(title, quote=True)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
