"""The table of agreement: its means are those of NumPy, its texts are read back, and a bad case does not end it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from napari_vol3d.core.agreement import agreement
from napari_vol3d.core.errors import FileProblem, SaveProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Spacing
from napari_vol3d.review.project.agreement import FIGURES, AgreementTable, Compared, agreement_table, pseudonyms

SPACING = (2.0, 1.0, 0.5)
NAMES = {1: "anterior", 2: "posterior"}


def reading(seed: int, reader: int) -> np.ndarray:
    truth, own = (np.random.default_rng(key).normal(size=(10, 12, 14)) for key in (seed, [seed, reader]))
    smooth = ndimage.gaussian_filter(truth + 0.3 * own, 1.3)
    return np.digitize(smooth, np.quantile(smooth, [0.7, 0.88])).astype(np.uint8)


def pair(
    case: str, one: np.ndarray, other: np.ndarray, *, spacing: Spacing | None = SPACING, second: str = "reader 2"
) -> Compared:
    return Compared(
        case=case, first="reader 1", second=second, labels=lambda: (one, other), spacing=lambda: spacing, names=NAMES
    )


def ran(steps: Generator[Progress, None, AgreementTable]) -> tuple[AgreementTable, list[Progress]]:
    reports: list[Progress] = []
    while True:
        try:
            reports.append(next(steps))
        except StopIteration as end:
            return end.value, reports


@pytest.fixture
def table() -> AgreementTable:
    """Four cases; in the last the second reader found nothing of class 2, in the third nobody did."""
    pairs = []
    for seed in range(4):
        one, other = reading(seed, 1), reading(seed, 2)
        if seed >= 2:
            other[other == 2] = 0
        if seed == 2:
            one[one == 2] = 0
        pairs += [pair(f"case-{seed}", one, other), pair(f"case-{seed}", one, reading(seed, 3), second="model")]
    return ran(agreement_table(pairs))[0]


def test_rows_are_the_agreement_of_each_pair(table: AgreementTable) -> None:
    rows = [row for row in table.rows if (row.case, row.second) == ("case-1", "reader 2")]
    wanted = agreement(reading(1, 1), reading(1, 2), SPACING, names=NAMES)
    assert tuple(row.figures for row in rows) == wanted
    assert [row.figures.id for row in table.rows if (row.case, row.second) == ("case-2", "reader 2")] == [1]
    assert table.notes == ()


def test_means_are_over_the_cases_where_a_figure_exists(table: AgreementTable) -> None:
    assert [(s.first, s.second, s.id, s.name) for s in table.summary] == [
        ("reader 1", "reader 2", 1, "anterior"), ("reader 1", "reader 2", 2, "posterior"),
        ("reader 1", "model", 1, "anterior"), ("reader 1", "model", 2, "posterior"),
    ]  # fmt: skip
    for item in table.summary:
        key = (item.first, item.second, item.id)
        rows = [row.figures for row in table.rows if (row.first, row.second, row.figures.id) == key]
        for figure in FIGURES:
            values = np.array([getattr(row, figure) for row in rows], float)  # None is NaN
            found = item.figures[figure]
            assert found.n == np.isfinite(values).sum()
            assert found.mean == pytest.approx(np.nanmean(values))
            assert found.median == pytest.approx(np.nanmedian(values))
    posterior = table.summary[1].figures
    assert (posterior["dice"].n, posterior["hd95_mm"].n, posterior["object_recall"].n) == (3, 2, 2)


def test_json_holds_everything_and_null_where_there_is_nothing(table: AgreementTable) -> None:
    content = json.loads(table.as_json())
    assert len(content["rows"]) == len(table.rows)
    last = next(r for r in content["rows"] if (r["case"], r["second"], r["id"]) == ("case-3", "reader 2", 2))
    assert (last["dice"], last["hd95_mm"], last["object_recall"]) == (0.0, None, None)
    for row, item in zip(table.rows, content["rows"], strict=True):
        assert {figure: item[figure] for figure in FIGURES} == {f: getattr(row.figures, f) for f in FIGURES}
    assert content["summary"][1]["figures"]["dice"] == pytest.approx(
        {"mean": table.summary[1].figures["dice"].mean, "median": table.summary[1].figures["dice"].median, "n": 3}
    )


def test_csv_is_read_back_by_pandas(table: AgreementTable) -> None:
    frame = pd.read_csv(io.StringIO(table.as_csv()))
    assert list(frame.columns) == ["case", "first", "second", "class", "name", *FIGURES]
    for figure in FIGURES:
        wanted = np.array([getattr(row.figures, figure) for row in table.rows], float)
        np.testing.assert_allclose(frame[figure].to_numpy(float), wanted, rtol=1e-9)
    means = pd.read_csv(io.StringIO(table.summary_csv()))
    grouped = frame.groupby(["first", "second", "class"], sort=False)
    np.testing.assert_allclose(means["dice_mean"], grouped["dice"].mean(), rtol=1e-9)
    np.testing.assert_allclose(means["hd95_mm_median"], grouped["hd95_mm"].median(), rtol=1e-9)
    assert means["object_f1_n"].tolist() == grouped["object_f1"].count().tolist()


def test_a_name_stays_in_its_cell() -> None:
    odd = 'a "large", \n region'
    one = Compared(
        case="c", first="reader 1", second="reader 2", labels=lambda: (reading(0, 1), reading(0, 2)),
        spacing=lambda: None, names={1: odd},
    )  # fmt: skip
    table, _ = ran(agreement_table([one]))
    lines = list(csv.reader(io.StringIO(table.as_csv())))
    assert [line[4] for line in lines[1:]] == ['a "large", region', "class 2"]
    assert {len(line) for line in lines} == {5 + len(FIGURES)}
    assert lines[1][lines[0].index("hd95_mm")] == ""  # no unit of length
    assert list(csv.reader(io.StringIO(table.summary_csv())))[1][5 + 3] == ""


def test_each_pair_is_reported() -> None:
    pairs = [pair(f"case-{seed}", reading(seed, 1), reading(seed, 2)) for seed in range(3)]
    _, reports = ran(agreement_table(pairs))
    assert [(report.done, report.total) for report in reports] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    table, reports = ran(agreement_table([]))
    assert (table.rows, table.summary, len(reports)) == ((), (), 1)
    assert json.loads(table.as_json())["rows"] == []


def raising(error: Exception) -> Any:
    def give() -> Any:
        raise error

    return give


def test_what_cannot_be_compared_is_left_out_and_said_once() -> None:
    sound, other = reading(0, 1), reading(0, 2)
    secret = FileProblem("There is no Jane_Doe.nii.gz.")
    common = {"first": "reader 1", "names": NAMES}
    pairs = [
        pair("case-0", sound, other[:-1]),
        Compared(case="case-1", second="model", labels=raising(secret), spacing=lambda: SPACING, **common),
        Compared(case="case-2", second="reader 2", labels=lambda: (sound, other), spacing=raising(secret), **common),
        Compared(case="case-2", second="model", labels=lambda: (sound, other), spacing=raising(secret), **common),
        pair("case-3", sound, other),
    ]
    table, reports = ran(agreement_table(pairs))
    assert table.notes == (
        "case-0, reader 1 and reader 2: left out, because the labels differ in shape.",
        "case-1, reader 1 and model: left out, because the labels are damaged.",
        "case-2: no distances and volumes, because its scan can't be read.",
    )
    assert tuple(report.note for report in reports if report.note) == table.notes
    assert {row.case for row in table.rows} == {"case-2", "case-3"}
    of_two = [row.figures for row in table.rows if (row.case, row.second) == ("case-2", "reader 2")]
    assert of_two == list(agreement(sound, other, None, names=NAMES))
    assert "Jane" not in table.as_json()


def test_trouble_with_the_project_itself_is_no_gap_in_a_table() -> None:
    broken = Compared(
        case="case-0", first="reader 1", second="model", labels=raising(SaveProblem("The disk is gone.")),
        spacing=lambda: SPACING, names=NAMES,
    )  # fmt: skip
    with pytest.raises(SaveProblem, match="gone"):
        ran(agreement_table([broken]))


def test_readers_have_the_same_numbers_in_whatever_order_they_come() -> None:
    names = [f"person {n}" for n in range(12)]
    found = pseudonyms(names)
    assert pseudonyms([*reversed(names), "", names[3]]) == found
    assert sorted(found) == sorted(names)
    assert len(set(found.values())) == 12
    assert not any(name in told for name in names for told in found.values())
