"""How readers agree over a project: with each other, with themselves, and with the model; rows, means, and text.

    table = yield from agreement_table(pairs_of(project))  # of agreement_pairs
    write_text(folder / "agreement.csv", table.as_csv())

Nobody is named: readers are "reader 1", "reader 2", cases their codes.
"""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from operator import attrgetter
from typing import Any

import numpy as np

from napari_vol3d.core.agreement import ClassAgreement, agreement
from napari_vol3d.core.errors import FileProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing

PHASE = "Comparing readings"
FIGURES = tuple(item.name for item in fields(ClassAgreement) if item.name not in ("id", "name"))
_figures = attrgetter(*FIGURES)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """Two readings of a case that are to be compared.

    Attributes
    ----------
    case : str
        Its code.
    first, second : str
        Whose readings they are: "reader 1", "model".
    labels : callable
        Gives both label volumes, arrays of integers, shape (Z, Y, X); called when it is their turn.
    spacing : callable
        Gives the spacing along (z, y, x) in mm; None where the scan has no unit of length.
    names : mapping of int to str
        Class names by id.
    """

    case: str
    first: str
    second: str
    labels: Callable[[], tuple[Any, Any]]
    spacing: Callable[[], Spacing | None]
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementRow:
    """How well two readings of a case agree in one class."""

    case: str
    first: str
    second: str
    figures: ClassAgreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A figure over the cases where it exists: mean and median are None where that is none of them."""

    mean: float | None
    median: float | None
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSummary:
    """How well the same two agree in one class over all cases; `figures` by the name that they have in a row."""

    first: str
    second: str
    id: int
    name: str
    figures: Mapping[str, Spread] = field(hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementTable:
    """All figures, their means, and a sentence for each thing that is missing in them."""

    rows: tuple[AgreementRow, ...]
    summary: tuple[ClassSummary, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> str:
        """Give everything; what does not exist is null."""
        rows = [{"case": r.case, "first": r.first, "second": r.second, **asdict(r.figures)} for r in self.rows]
        summary = [asdict(item) for item in self.summary]
        content = {"format_version": 1, "rows": rows, "summary": summary, "notes": self.notes}
        return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)

    def as_csv(self) -> str:
        """Give the rows, one a case, pair and class; what does not exist is empty."""
        rows = ([r.case, r.first, r.second, r.figures.id, r.figures.name, *_figures(r.figures)] for r in self.rows)
        return _csv(["case", "first", "second", "class", "name", *FIGURES], rows)

    def summary_csv(self) -> str:
        """Give mean, median and number of each figure, one row a pair and class."""
        heads = [f"{figure}_{what}" for figure in FIGURES for what in ("mean", "median", "n")]
        rows = ([s.first, s.second, s.id, s.name, *(value for f in FIGURES for value in asdict(s.figures[f]).values())]
                for s in self.summary)  # fmt: skip
        return _csv(["first", "second", "class", "name", *heads], rows)


def pseudonyms(names: Iterable[str]) -> dict[str, str]:
    """Give "reader 1", "reader 2" ... for names, the same whatever their order; "" is nobody and left out.

    Examples
    --------
    >>> pseudonyms(["zoe", "ann", "zoe", ""])
    {'ann': 'reader 1', 'zoe': 'reader 2'}
    """
    return {name: f"reader {n}" for n, name in enumerate(sorted({*names} - {""}), start=1)}


def agreement_table(pairs: Sequence[Compared]) -> Generator[Progress, None, AgreementTable]:
    """Compare readings, pair by pair.

    Parameters
    ----------
    pairs : sequence of Compared
        Those of one case best stand together.

    Yields
    ------
    Progress
        Before the first and after each pair; its note says what is missing.

    Returns
    -------
    AgreementTable
        A row for each pair and class. A pair whose labels can't be read or compared is left out and noted; a scan
        that can't be read costs the figures in mm and mL only.

    Raises
    ------
    JournalProblem
        If the project itself can't be read just now.
    """
    rows: list[AgreementRow] = []
    notes: dict[str, None] = {}
    began = time.monotonic()
    yield Progress(phase=PHASE, total=len(pairs))
    for done, pair in enumerate(pairs, start=1):
        found, told = _compared(pair)
        rows += (AgreementRow(case=pair.case, first=pair.first, second=pair.second, figures=item) for item in found)
        fresh = "" if told in notes else told  # of a scan that can't be read each of its pairs tells
        notes |= {told: None} if told else {}
        seconds = time.monotonic() - began
        yield Progress(phase=PHASE, done=done, total=len(pairs), seconds=seconds, note=fresh)
    return AgreementTable(rows=tuple(rows), summary=summarized(rows), notes=tuple(notes))


def summarized(rows: Iterable[AgreementRow]) -> tuple[ClassSummary, ...]:
    """Give the means of the same pair and class, pairs as they come first, classes in order of the ids."""
    groups: dict[tuple[str, str], dict[int, list[ClassAgreement]]] = {}
    for row in rows:
        groups.setdefault((row.first, row.second), {}).setdefault(row.figures.id, []).append(row.figures)
    return tuple(
        ClassSummary(
            first=first, second=second, id=class_id, name=found[0].name,
            figures={figure: _spread(getattr(item, figure) for item in found) for figure in FIGURES},
        )
        for (first, second), classes in groups.items() for class_id, found in sorted(classes.items())
    )  # fmt: skip


def _compared(pair: Compared) -> tuple[tuple[ClassAgreement, ...], str]:
    """Compare one pair; give what was found, and what is missing. Notes hold no name of a file."""
    try:
        spacing, note = pair.spacing(), ""
    except Vol3dError:
        spacing, note = None, f"{pair.case}: no distances and volumes, because its scan can't be read."
    where = f"{pair.case}, {pair.first} and {pair.second}"
    try:
        return agreement(*pair.labels(), spacing, names=pair.names), note
    except ScanMismatch:
        return (), f"{where}: left out, because the labels differ in shape."
    except FileProblem:
        return (), f"{where}: left out, because the labels are damaged."


def _spread(values: Iterable[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known:
        return Spread(mean=None, median=None, n=0)
    return Spread(mean=float(np.mean(known)), median=float(np.median(known)), n=len(known))


def _csv(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.10g}"
    return "" if value is None else " ".join(value.split()) if isinstance(value, str) else value
