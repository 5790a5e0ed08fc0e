"""A table of agreement as rows to look at: of one pair of readers, by class and by case, the worst first."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from napari_vol3d.core.agreement import ClassAgreement
from napari_vol3d.gui.forms.figure_model import FigureRow
from napari_vol3d.gui.forms.row_words import rich
from napari_vol3d.review.project.agreement import AgreementRow, AgreementTable, ClassSummary, Spread
from napari_vol3d.review.project.agreement_pairs import EVERYBODY, MODEL

FRAME, REPEAT = " frame ", " repeat "
ALL_CLASSES = "all classes"
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What is called how on the screen: the table itself names nobody.

    Attributes
    ----------
    readers : mapping of str to str
        Names by what the table calls them: "reader 1".
    cases : mapping of str to str
        Names by code.
    colors : mapping of int to str
        Of classes, "#rrggbb".
    """

    readers: Mapping[str, str]
    cases: Mapping[str, str]
    colors: Mapping[int, str]

    def reader(self, called: str) -> str:
        """Name who has read: "ann", "ann, repeat 1", "everybody's list"."""
        name, _, repeat = called.partition(REPEAT)
        shown = "everybody's list" if name == EVERYBODY else self.readers.get(name, name)
        return f"{shown}, repeat {repeat}" if repeat else shown

    def case(self, called: str) -> str:
        """Name a case, of a series with its time point."""
        code = code_in(called, self.cases)
        return called.replace(code, self.cases[code], 1) if code in self.cases else called


def code_in(called: str, known: Mapping[str, object]) -> str:
    """Give the code of a case that a table names, of a series without the time point."""
    return called if called in known else called.rpartition(FRAME)[0] or called


def pairs_in(table: AgreementTable) -> tuple[Pair, ...]:
    """Give who is compared with whom: readers first, then the model with each."""
    found = dict.fromkeys((item.first, item.second) for item in table.summary)
    return tuple(sorted(found, key=lambda pair: MODEL in pair))


def class_rows(table: AgreementTable, pair: Pair, screen: Screen) -> list[tuple[int | None, FigureRow]]:
    """Give a row for each class, of means over cases, with its id; first one for all, where there are several."""
    found = [item for item in table.summary if (item.first, item.second) == pair]
    rows = [(item.id, _class_row(item, screen)) for item in found]
    tip = rich(("Every case and class of these two, in the list below",))
    return [*([(None, FigureRow(name=ALL_CLASSES, tip=tip))] if len(rows) > 1 else []), *rows]


def case_rows(
    table: AgreementTable, pair: Pair, screen: Screen, *, class_id: int | None
) -> list[tuple[str, FigureRow]]:
    """Give a row for each case, of one class or (None) of each, with the case as the table calls it; worst first.

    The worst has the least Dice; of equals the one with the larger distance.
    """
    found = [row for row in table.rows if (row.first, row.second) == pair and class_id in (None, row.figures.id)]
    several = class_id is None and len({row.figures.id for row in found}) > 1
    return [(row.case, _case_row(row, screen, several=several)) for row in sorted(found, key=_how_good)]


def _how_good(row: AgreementRow) -> tuple[float, float, str]:
    figures = row.figures
    good = math.inf if figures.dice is None else figures.dice
    return good, -math.inf if figures.hd95_mm is None else -figures.hd95_mm, row.case


def _class_row(item: ClassSummary, screen: Screen) -> FigureRow:
    means = [item.figures[name].mean for name in ("dice", "hd95_mm", "difference_percent", "object_f1")]
    dice, hd95, difference, f1 = means
    lines = (
        item.name, _spread("Dice", item.figures["dice"], ""), _spread("HD95", item.figures["hd95_mm"], " mm"),
        _spread("volume difference", item.figures["difference_percent"], " %"),
        _spread("object F1", item.figures["object_f1"], ""), "Click to list only this class below.",
    )  # fmt: skip
    return FigureRow(
        name=item.name, color=screen.colors.get(item.id, ""), dice=dice, hd95_mm=hd95, difference_percent=difference,
        f1=f1, tip=rich(lines),
    )  # fmt: skip


def _case_row(row: AgreementRow, screen: Screen, *, several: bool) -> FigureRow:
    figures, case = row.figures, screen.case(row.case)
    first, second = screen.reader(row.first), screen.reader(row.second)
    lines = (
        f"{case}, {figures.name}", f"{first}: {_ml(figures.first_ml)}{_objects(figures.objects_first)}",
        f"{second}: {_ml(figures.second_ml)}{_objects(figures.objects_second)}",
        f"{figures.objects_matched} objects in common", _missing(figures), "Double click to open this case.",
    )  # fmt: skip
    return FigureRow(
        name=f"{case} {figures.name}" if several else case, color=screen.colors.get(figures.id, ""), dice=figures.dice,
        hd95_mm=figures.hd95_mm, difference_percent=figures.difference_percent, f1=figures.object_f1, tip=rich(lines),
    )  # fmt: skip


def _spread(name: str, spread: Spread, unit: str) -> str:
    if spread.mean is None or spread.median is None:
        return ""
    return f"{name}: mean {spread.mean:.3g}{unit}, median {spread.median:.3g}{unit} of {spread.n} cases"


def _ml(volume: float | None) -> str:
    return "" if volume is None else f"{volume:.4g} mL, "


def _objects(count: int) -> str:
    return f"{count} object{'' if count == 1 else 's'}"


def _missing(figures: ClassAgreement) -> str:
    return "Only one of them has this class." if not figures.objects_first or not figures.objects_second else ""
