"""How far a project is: for people as a table, for programs as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from napari_vol3d.review.project.nameless import Nameless
from napari_vol3d.review.project.records import STATUSES, Row
from napari_vol3d.review.project.store import Project

HEADINGS = ("case", "scan", "status", "score", "who", "min", "note")
LONGEST = 40  # letters of a note


def status_for_people(project: Project) -> str:
    """Give lines for a terminal: counts, minutes, a row a case; then how far each reader is."""
    rows = project.rows()
    said = project.model
    model = f", {said['name']} {said.get('version', '')}".rstrip() if said.get("name") else ""
    lines = [f"{project.name}: {len(rows)} cases{model}", _counted(rows), ""]
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines += ["  ".join(map(str.ljust, line, widths)).rstrip() for line in cells]
    return "\n".join([*lines, *(f"{name}: {_counted(project.rows(name))}" for name in project.readers())])


def status_for_programs(project: Project) -> str:
    """Give the same as JSON that may leave the house: codes for cases, "annotator 1" for people, no notes."""
    shown, rows = Nameless.of(project), project.rows()
    readers = {shown.person(name): _figures(project.rows(name)) for name in project.readers()}
    listed = [
        {"case": row.case.code, "status": row.reading.status, "score": row.score,
         "annotator": shown.person(row.reading.annotator), "minutes": _minutes([row])}
        for row in rows
    ]  # fmt: skip
    model = {name: shown.text(str(said)) for name, said in project.model.items()}
    whole = {"project": shown.text(project.name), "model": model, **_figures(rows)}
    return json.dumps({**whole, "readers": readers, "rows": listed}, indent=2)


def _figures(rows: Sequence[Row]) -> dict[str, Any]:
    found = Counter(row.reading.status for row in rows)
    return {"cases": len(rows), "counts": {one: found[one] for one in STATUSES}, "minutes": _minutes(rows)}


def _counted(rows: Sequence[Row]) -> str:
    figures = _figures(rows)
    counts = ", ".join(f"{count} {one}" for one, count in figures["counts"].items() if count)
    return f"{counts}; {figures['minutes']:g} min"


def _minutes(rows: Sequence[Row]) -> float:
    return round(sum(row.reading.seconds for row in rows) / 60, 1)


def _cells(row: Row) -> tuple[str, ...]:
    reading = row.reading
    note = " ".join(reading.note.split())
    return (
        row.case.code, row.case.name, reading.status, "" if row.score is None else f"{row.score:.2f}",
        reading.annotator, f"{reading.seconds / 60:.1f}" if reading.seconds else "", note[:LONGEST],
    )  # fmt: skip
