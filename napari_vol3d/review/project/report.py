"""The report of a project: one HTML file that opens in any browser, to be sent, printed and kept.

Cases are their codes, people "annotator 1" and on; notes and paths are not in it.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from napari_vol3d import __version__
from napari_vol3d.core.errors import FileProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.review.project import plots
from napari_vol3d.review.project.accepting import labels_of_version
from napari_vol3d.review.project.class_sections import dice_section, number, readers_section, volumes_section
from napari_vol3d.review.project.foreseen import labels_of_prediction
from napari_vol3d.review.project.measured import CaseFigures, Measured, measure
from napari_vol3d.review.project.nameless import Nameless
from napari_vol3d.review.project.outgoing import refuse_ending, refuse_own_file, scan_of
from napari_vol3d.review.project.page import Cell, figure, gallery, page, section, side_by_side, table, tiles
from napari_vol3d.review.project.pictures import picture_of
from napari_vol3d.review.project.plots import Series
from napari_vol3d.review.project.store import Project

RESEARCH = "For research use only, not a medical device."
WORST = 6  # pictures
STATUS_COLORS = {
    "accepted": "#009e73", "flagged": "#e69f00", "rejected": "#d55e00", "in review": "#56b4e9", "predicted": "#0072b2",
    "todo": "#999999",
}  # fmt: skip
MINUTES_PER_HOUR = 60.0


def write_report(project: Project, path: Path) -> Generator[Progress, None, Path]:
    """Write the report of a project.

    Parameters
    ----------
    path : Path
        The HTML file, whose name says so; an older one is replaced.

    Raises
    ------
    FileProblem
        If the project's file is damaged; scans that can't be read are told of in the report.
    SaveProblem
        If it can't be written, or is a file of the project; what was there before is untouched.
    """
    refuse_ending(path, ".html", ".htm")
    refuse_own_file(project, path)
    measured = yield from measure(project)
    pictures = yield from _pictures(project, measured)
    yield Progress(phase="Drawing")
    shown = Nameless.of(project)
    body = [
        tiles(_headlines(measured)), _work(measured), dice_section(project, measured),
        volumes_section(project, measured), readers_section(measured), _worst(pictures), _cases(measured, shown),
        _made_with(measured, shown),
    ]  # fmt: skip
    notes = " ".join(measured.notes[:5])
    title = shown.text(project.name) or "Review report"
    footer = f"{RESEARCH} {notes} Notes, paths and names of people are left out.".replace("  ", " ")
    return write_text(path, page(title, _subtitle(measured), body, footer))


def _subtitle(measured: Measured) -> str:
    people = len({one.accepted.who for one in measured.cases if one.accepted})
    made = datetime.now(UTC).strftime("%d %B %Y").lstrip("0")
    by = f", accepted by {people} annotator{'s' * (people != 1)}" if people else ""
    return f"Review of {len(measured.cases)} scans{by}. Report of {made}. {RESEARCH}"


def _headlines(measured: Measured) -> Iterable[tuple[str, str]]:
    cases, done = measured.cases, measured.accepted
    count = {status: sum(one.row.reading.status == status for one in cases) for status in STATUS_COLORS}
    left = count["todo"] + count["predicted"] + count["in review"]
    hours = sum(one.minutes for one in cases) / MINUTES_PER_HOUR
    yield f"{count['accepted']} of {len(cases)}", "scans accepted"
    yield str(left), "left to do"
    yield f"{count['flagged']} / {count['rejected']}", "flagged / rejected"
    yield f"{hours:.1f} h", "of active work"
    if done:
        median = float(np.median([one.minutes for one in done]))
        yield f"{median:.1f} min", "median for an accepted scan"
        if left:
            yield f"{left * median / MINUTES_PER_HOUR:.1f} h", "left at this pace"
    compared = [one for one in done if one.mean_dice is not None]
    if compared:
        yield number(float(np.median([one.mean_dice for one in compared])), 3), "median Dice of the prediction"
        same = sum(all(item.added == item.removed == 0 for item in one.classes) for one in compared)
        yield f"{100 * same / len(compared):.0f} %", "accepted unchanged"


def _work(measured: Measured) -> str:
    done = measured.accepted
    if not done:
        return section("Progress", "Nothing is accepted yet.")
    times, minutes = [one.when for one in done if one.when], [one.minutes for one in done]
    timed = Series(name="", values=tuple(minutes), times=tuple(times))
    return section(
        "Progress", "When scans were accepted, and how long they took: minutes of activity, idle time not counted.",
        side_by_side(
            figure(plots.progress_plot(times, len(measured.cases)), "Accepted scans; dashed: all scans."),
            figure(plots.histogram(minutes, "Minutes per scan"), "Distribution of the minutes per accepted scan."),
            figure(plots.over_time([timed], "Minutes per scan"), "Minutes per scan by when it was accepted; "
                   "line: running median over nine scans."),
        ),
    )  # fmt: skip


def _pictures(project: Project, measured: Measured) -> Generator[Progress, None, list[tuple[CaseFigures, str]]]:
    """Draw the cases with the lowest Dice."""
    compared = [one for one in measured.accepted if one.mean_dice is not None and one.mean_dice < 1]
    worst = sorted(compared, key=lambda one: one.mean_dice or 0.0)[:WORST]
    colors, drawn, start = {item.id: item.color for item in project.classes}, [], time.monotonic()
    for done, one in enumerate(worst):
        yield Progress(phase="Drawing", done=done, total=len(worst), seconds=time.monotonic() - start)
        before = labels_of_prediction(project, str(one.prediction))
        after = labels_of_version(project, one.accepted.key) if one.accepted else before
        try:
            picture = picture_of(scan_of(project, one.row.case), before, after, colors)
        except FileProblem:  # the notes of the figures say so
            continue
        drawn += [(one, picture)] if picture else []
    return drawn


def _worst(pictures: Sequence[tuple[CaseFigures, str]]) -> str:
    if not pictures:
        return ""
    shown = (
        figure(picture, f"{one.code}: mean Dice {number(one.mean_dice, 3)}, {one.minutes:.1f} min")
        for one, picture in pictures
    )
    return section(
        "Where prediction and accepted labels differ most",
        "The scans with the lowest mean Dice, each in the slice with the most changed voxels. Solid: accepted; dashed: "
        "predicted.",
        gallery(shown),
    )  # fmt: skip


def _cases(measured: Measured, shown: Nameless) -> str:
    heads = ("Case", "Status", "Annotator", "Minutes", "Versions", "Score", "Mean Dice", "Largest HD95, mm", "Accepted")
    rows = (_case_row(one, shown) for one in measured.cases)
    lead = "The score orders what to look at first: 0 looks sound, 1 deserves the first look."
    return section("All scans", lead, table(heads, rows, numbers=frozenset(range(3, 8))))


def _case_row(one: CaseFigures, shown: Nameless) -> Sequence[Cell]:
    reading = one.row.reading
    distances = [item.hd95_mm for item in one.classes if item.hd95_mm is not None]
    return (
        one.code, (STATUS_COLORS[reading.status], reading.status), shown.person(reading.annotator) or "–",
        f"{one.minutes:.1f}", str(len(one.versions)), number(one.row.score, 2), number(one.mean_dice, 3),
        number(max(distances, default=None), 2), one.when.strftime("%Y-%m-%d") if one.when else "–",
    )  # fmt: skip


def _made_with(measured: Measured, shown: Nameless) -> str:
    models: dict[tuple[str, str], int] = {}
    for one in measured.cases:
        if one.accepted and one.accepted.model:
            key = (shown.text(one.accepted.model) or "model", one.accepted.model_sha256)
            models[key] = models.get(key, 0) + 1
    rows = [(name, sha256 or "–", str(count)) for (name, sha256), count in models.items()]
    lead = f"Written by napari-vol3d {__version__}. Every version's provenance is in the export of figures."
    parts = [table(("Model", "sha256 of its weights", "Accepted scans"), rows, numbers=frozenset({2}))] if rows else []
    return section("Made with", lead, *parts)
