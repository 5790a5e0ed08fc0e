"""A table as rows to look at: the worst first, named as on the screen."""

from __future__ import annotations

from typing import Any

from napari_vol3d.core.agreement import ClassAgreement
from napari_vol3d.gui.panels.agreement_rows import ALL_CLASSES, Screen, case_rows, class_rows, code_in, pairs_in
from napari_vol3d.review.project.agreement import AgreementRow, AgreementTable, summarized

SCREEN = Screen(
    readers={"reader 1": "ann", "reader 2": "bob"}, cases={"case-1": "Scan A", "case-2": "Scan B"},
    colors={1: "#e69f00"},
)  # fmt: skip
NAMES = {1: "tip", 2: "body"}


def row(case: str, class_id: int, dice: float | None, *, hd95: float | None = 1.0, pair: Any = None) -> AgreementRow:
    first, second = pair or ("reader 1", "reader 2")
    figures = ClassAgreement(
        id=class_id, name=NAMES[class_id], dice=dice, hd95_mm=hd95, first_ml=1.5, second_ml=None, difference_ml=None,
        difference_percent=-10.0, objects_first=2, objects_second=1, objects_matched=1, object_precision=0.5,
        object_recall=1.0, object_f1=2 / 3,
    )  # fmt: skip
    return AgreementRow(case=case, first=first, second=second, figures=figures)


def table(*rows: AgreementRow) -> AgreementTable:
    return AgreementTable(rows=rows, summary=summarized(rows))


MODEL = ("reader 1", "model")
TABLE = table(
    row("case-1", 1, 0.9, pair=MODEL), row("case-1", 1, 0.8), row("case-1", 2, 0.5, hd95=2.0),
    row("case-2", 1, 0.3), row("case-2", 2, 0.5, hd95=9.0),
)  # fmt: skip
READERS = ("reader 1", "reader 2")


def test_readers_come_before_the_model() -> None:
    assert pairs_in(TABLE) == (READERS, MODEL)


def test_the_worst_case_is_the_first() -> None:
    rows = case_rows(TABLE, READERS, SCREEN, class_id=None)
    assert [(case, one.name) for case, one in rows] == [
        ("case-2", "Scan B tip"), ("case-2", "Scan B body"), ("case-1", "Scan A body"), ("case-1", "Scan A tip"),
    ]  # fmt: skip
    only = case_rows(TABLE, READERS, SCREEN, class_id=1)
    assert [(one.name, one.dice) for _, one in only] == [("Scan B", 0.3), ("Scan A", 0.8)]
    assert {one.color for _, one in only} == {"#e69f00"}
    none = case_rows(table(row("case-1", 1, None), row("case-2", 1, 0.0, hd95=None)), READERS, SCREEN, class_id=1)
    assert [case for case, _ in none] == ["case-2", "case-1"]


def test_a_class_has_the_means_of_its_cases() -> None:
    rows = class_rows(TABLE, READERS, SCREEN)
    assert [(class_id, one.name) for class_id, one in rows] == [(None, ALL_CLASSES), (1, "tip"), (2, "body")]
    assert rows[1][1].dice == (0.8 + 0.3) / 2
    assert rows[2][1].hd95_mm == 5.5
    assert "median 0.55 of 2 cases" in rows[1][1].tip
    assert [class_id for class_id, _ in class_rows(TABLE, MODEL, SCREEN)] == [1]


def test_names_of_the_screen() -> None:
    known = {"reader 1": "ann", "reader 1 repeat 2": "ann, repeat 2", "worklist": "everybody's list", "model": "model"}
    assert {called: SCREEN.reader(called) for called in known} == known
    cases = {"case-1": "Scan A", "case-2 frame 3": "Scan B frame 3", "case-9": "case-9"}
    assert {called: SCREEN.case(called) for called in cases} == cases
    known_cases = {"a": 1, "b frame 1": 2}
    assert [code_in(called, known_cases) for called in ("a frame 3", "b frame 1", "c")] == ["a", "b frame 1", "c"]


def test_hints_say_whose_volume_is_whose() -> None:
    tip = case_rows(TABLE, READERS, SCREEN, class_id=1)[0][1].tip
    assert "ann: 1.5 mL, 2 objects" in tip
    assert "bob: 1 object<" in tip
