"""All figures of a project as tables for statistics, and its provenance: every version, and who did what.

People are "annotator 1" and on, cases their codes. Notes are left out, because they are free text and may hold names.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

from napari_vol3d import __version__
from napari_vol3d.core.progress import Progress
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.io.seg_nrrd import printable
from napari_vol3d.review.project.accepting import versions_of
from napari_vol3d.review.project.measured import CaseFigures, Measured, measure, names_of
from napari_vol3d.review.project.nameless import Nameless, readings
from napari_vol3d.review.project.outgoing import made_folder, refuse_foreign, refuse_own_file
from napari_vol3d.review.project.records import Reading, Version
from napari_vol3d.review.project.store import Project

CASES = (
    "case", "status", "score", "annotator", "minutes", "versions", "accepted", "model", "mean_dice", "added_voxels",
    "removed_voxels",
)  # fmt: skip
CLASSES = (
    "case", "class_id", "class", "dice", "hd95_mm", "predicted_ml", "accepted_ml", "accepted_voxels", "added_voxels",
    "removed_voxels",
)  # fmt: skip
# How the files begin that it writes, and that it may replace.
BEGINNINGS = {
    "cases.csv": ",".join(CASES[:4]), "classes.csv": ",".join(CLASSES[:4]), "agreement.csv": "case,first,second",
    "provenance.json": '{\n  "program": "napari-vol3d ',
}  # fmt: skip
LEFT_OUT = "Notes, paths, settings that name files, and people's names are left out."


def export_figures(project: Project, folder: Path) -> Generator[Progress, None, tuple[Path, ...]]:
    """Write cases.csv, classes.csv and provenance.json; agreement.csv too where people were asked for readings.

    A figure without meaning is an empty cell. Dice and HD95 of classes.csv are between the prediction and the accepted
    labels, those of agreement.csv between two readings, or a reading and the newest prediction.

    Parameters
    ----------
    folder : Path
        Made where there is none; files of an older export in it are replaced.

    Raises
    ------
    FileProblem
        If the project's file is damaged.
    SaveProblem
        If a file can't be written, or another of that name is there; what was there before is untouched.
    """
    refuse_own_file(project, *(folder / name for name in BEGINNINGS))
    for name, begins in BEGINNINGS.items():
        refuse_foreign(folder / name, begins)
    measured = yield from measure(project)
    shown = Nameless.of(project)
    made_folder(folder)
    tables = {"cases.csv": (CASES, _case_rows(measured, shown)), "classes.csv": (CLASSES, _class_rows(measured))}
    written = [write_text(folder / name, _csv(heads, rows)) for name, (heads, rows) in tables.items()]
    if measured.agreement is not None:
        written.append(write_text(folder / "agreement.csv", measured.agreement.as_csv()))
    text = json.dumps(provenance(project, shown), indent=2, ensure_ascii=False) + "\n"
    written.append(write_text(folder / "provenance.json", text))
    return tuple(written)


def provenance(project: Project, shown: Nameless) -> dict[str, Any]:
    """Give every version of every reading and all that people did, in words that JSON knows."""
    codes, names = {case.key: case.code for case in project.cases()}, names_of(project)
    of_reading = {one.key: one for one in readings(project)}
    versions = [(one, version) for one in of_reading.values() for version in versions_of(project, one.key)]
    numbers = {version.key: version.number for _, version in versions}
    return {
        "program": f"napari-vol3d {__version__}",
        "project": shown.text(project.name),
        "left_out": LEFT_OUT,
        "classes": [{"id": item.id, "name": item.name, "color": item.color} for item in project.classes],
        "versions": [
            {"case": codes[one.case], **_reading(one, shown), **_version(version, shown, names, numbers)}
            for one, version in versions
        ],
        "acts": [
            {
                "time": act.time, "who": shown.person(act.who), "act": act.act,
                "case": codes[of_reading[act.reading].case] if act.reading in of_reading else None,
                "version": numbers.get(act.details.get("version", "")), **shown.details(act),
            }
            for _, act in project.acts()
        ],
    }  # fmt: skip


def reader_of(reading: Reading, shown: Nameless) -> str:
    """Say whose reading it is: "worklist" of the one that everybody works on."""
    again = f", reading {reading.repeat + 1}" if reading.repeat else ""
    return (shown.person(reading.reader) or "worklist") + again


def _reading(reading: Reading, shown: Nameless) -> dict[str, Any]:
    return {"reader": reader_of(reading, shown), "blind": reading.blind}


def _version(version: Version, shown: Nameless, names: dict[int, str], numbers: dict[str, int]) -> dict[str, Any]:
    changed = [
        {"id": int(i), "class": names.get(int(i), f"class {i}"), "added": added, "removed": removed}
        for i, (added, removed) in version.changed.items()
    ]
    return {
        "number": version.number, "parent": numbers.get(version.parent or ""), "time": version.time,
        "who": shown.person(version.who), "active_seconds": round(version.seconds, 1),
        "model": shown.text(version.model), "model_sha256": version.model_sha256,
        "settings": shown.plain(dict(version.settings)), "changed_voxels": changed,
        "shape": list(version.shape), "sha256": version.sha256,
    }  # fmt: skip


def _case_rows(measured: Measured, shown: Nameless) -> Iterable[Sequence[Any]]:
    for one in measured.cases:
        reading, version = one.row.reading, one.accepted
        yield (
            one.code, reading.status, one.row.score, shown.person(reading.annotator), round(one.minutes, 2),
            len(one.versions), version.time if version else None, shown.text(version.model) if version else None,
            one.mean_dice, *_changed(one),
        )  # fmt: skip


def _changed(one: CaseFigures) -> tuple[int | None, int | None]:
    if one.accepted is None:
        return None, None
    return sum(item.added for item in one.classes), sum(item.removed for item in one.classes)


def _class_rows(measured: Measured) -> Iterable[Sequence[Any]]:
    for one in measured.cases:
        for item in one.classes:
            yield (
                one.code, item.id, printable(item.name), item.dice, item.hd95_mm, item.predicted_ml, item.accepted_ml,
                item.voxels, item.added, item.removed,
            )  # fmt: skip


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(heads)
    table.writerows([f"{cell:.10g}" if isinstance(cell, float) else cell for cell in row] for row in rows)
    return text.getvalue()
