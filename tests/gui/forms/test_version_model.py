"""Versions are listed with who made them, when and how long it took; hints say what was changed."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.version_model import Column, VersionModel
from napari_vol3d.review.project.records import Version

VERSIONS = [
    Version(
        reading="r", number=number, who=who, seconds=84.0 * number, model="Hippocampus 1.0" if number > 1 else "",
        changed={"10": (1200, 88), "2": (0, 4), "3": (0, 0)} if number == 2 else {},
        time=f"2024-03-0{number}T10:00:00.000+00:00", key=f"v{number}",
    )
    for number, who in ((1, "ann"), (2, "bert"), (3, "a<b"))
]  # fmt: skip


@pytest.fixture
def model(qtbot: Any, qtmodeltester: Any) -> Any:
    model = VersionModel()
    model.set_versions(VERSIONS, "v3", {2: "anterior"})
    yield model
    qtmodeltester.check(model)


def test_the_newest_is_first(model: VersionModel) -> None:
    texts = [[model.index(row, column).data() for column in Column] for row in range(3)]
    assert texts == [
        ["3", "3 March 2024", "a<b", "4.2", "Hippocampus 1.0"],
        ["2", "2 March 2024", "bert", "2.8", "Hippocampus 1.0"],
        ["1", "1 March 2024", "ann", "1.4", ""],
    ]
    assert [model.row_of(key) for key in ("v3", "v1", "x", None)] == [0, 2, -1, -1]


def test_hints_say_what_was_changed_by_class(model: VersionModel) -> None:
    newest, second, first = (model.index(row, 0).data(Qt.ItemDataRole.ToolTipRole) for row in range(3))
    assert second.index("anterior: +0 −4 voxels") < second.index("class 10: +1,200 −88 voxels")
    assert "class 3" not in second
    assert "this one is accepted now" in newest
    assert "a&lt;b" in newest
    assert ("no model" in first, "Nothing was changed by hand" in first) == (True, True)


def test_the_accepted_one_is_bold(model: VersionModel) -> None:
    fonts = [model.index(row, 0).data(Qt.ItemDataRole.FontRole) for row in range(3)]
    assert [font is not None and font.bold() for font in fonts] == [True, False, False]


def test_heads_have_hints(model: VersionModel) -> None:
    across = Qt.Orientation.Horizontal
    assert [model.headerData(column, across) for column in Column] == ["no.", "accepted", "who", "min", "model"]
    assert all(model.headerData(column, across, Qt.ItemDataRole.ToolTipRole) for column in Column)
