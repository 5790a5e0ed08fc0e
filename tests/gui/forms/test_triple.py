"""Three numbers in a line, as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.gui.forms.triple import Triple


@pytest.fixture
def form(qtbot: Any) -> Triple:
    form = Triple("Voxel size", decimals=4)
    qtbot.addWidget(form)
    form.show()
    return form


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("1 x 1 x 2.5", (1, 1, 2.5)), ("1x1x2.5", (1, 1, 2.5)), ("0.8, 0.8, 3", (0.8, 0.8, 3)), ("2", (2, 2, 2)),
        ("1 × 2 × 3", (1, 2, 3)), ("1 2 3", (1, 2, 3)), ("", None), ("1 x 2", None), ("a", None), ("0", None),
        ("-1 x 1 x 1", None), ("nan", None), ("inf", None), ("1 2 3 4", None),
    ],
)  # fmt: skip
def test_what_is_typed_is_read(form: Triple, text: str, given: Any) -> None:
    form.setText(text)
    assert form.value() == given


def test_what_is_shown_is_given_back_and_only_typing_is_told(qtbot: Any, form: Triple) -> None:
    with qtbot.assertNotEmitted(form.edited):
        form.setValue((0.5, 1.0, 2.1875))
    assert form.text() == "0.5 x 1 x 2.1875"
    assert form.value() == (0.5, 1.0, 2.1875)
    with qtbot.waitSignal(form.edited):
        qtbot.keyClicks(form, "5")


def test_voxels_are_whole(form: Triple) -> None:
    form.setText("128 x 128 x 96")
    assert form.whole() == (128, 128, 96)
    form.setText("1.5")
    assert form.whole() is None
