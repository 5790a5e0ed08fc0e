"""What all tools leave alone is what a person chose, and stays so while classes and scans come and go."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qtpy.QtCore import Qt

from napari_vol3d.gui.forms.limits import ANY, BACKGROUND, NO_SCAN, ONE_VALUE, LimitsForm

SCAN = (-1024.0, 3071.0)


@pytest.fixture
def form(qtbot: Any) -> LimitsForm:
    form = LimitsForm()
    qtbot.addWidget(form)
    form.show()
    return form


def choose(form: LimitsForm, place: int) -> None:
    """Choose an entry as a person does."""
    form.inside.setCurrentIndex(place)
    form.inside.activated.emit(place)


def test_at_first_nothing_is_limited(form: LimitsForm) -> None:
    assert form.value() == (None, None)
    assert not form.ranged.isEnabled()
    assert form.ranged.toolTip() == NO_SCAN
    assert not form.range.isVisible()
    assert form.minimumSizeHint().width() <= 320


def test_one_class_any_class_or_background(qtbot: Any, form: LimitsForm) -> None:
    form.set_classes({3: "liver", 7: "spleen"})
    assert [form.inside.itemText(k) for k in range(4)] == [ANY, BACKGROUND, "liver", "spleen"]
    for place, class_ids in enumerate((None, {0}, {3}, {7})):
        with qtbot.waitSignal(form.valueChanged):
            choose(form, place)
        assert form.value() == (class_ids, None)


def test_a_chosen_class_stays_chosen_by_its_id_whatever_it_is_called(qtbot: Any, form: LimitsForm) -> None:
    """A limit that went away in silence would let tools write where nobody wants them to."""
    form.set_classes({1: "lesion", 2: "lesion", 5: "liver"})
    choose(form, 3)
    assert form.value()[0] == {2}
    with qtbot.assertNotEmitted(form.valueChanged):
        form.set_classes({1: "lesion", 2: "lesion", 5: "liver"})
        form.set_classes({1: "lesion", 2: "cyst", 4: "new"})
    assert form.value()[0] == {2}
    assert form.inside.currentText() == "cyst"
    with qtbot.waitSignal(form.valueChanged):
        form.set_classes({1: "cyst"})
    assert form.value()[0] is None
    choose(form, 1)
    with qtbot.assertNotEmitted(form.valueChanged):
        form.set_classes({})
    assert form.value()[0] == {0}


def test_a_range_counts_while_it_is_wanted(qtbot: Any, form: LimitsForm) -> None:
    form.set_range(SCAN)
    assert form.ranged.isEnabled()
    with qtbot.waitSignal(form.valueChanged):
        qtbot.mouseClick(form.ranged, Qt.MouseButton.LeftButton, pos=form.ranged.rect().center() - _left(form))
    assert form.range.isVisible()
    assert form.value() == (None, SCAN)
    with qtbot.waitSignal(form.valueChanged):
        form.range.setValue((100.0, 400.0))
    assert form.value() == (None, (100.0, 400.0))
    with qtbot.assertNotEmitted(form.valueChanged):
        form.set_range(SCAN)  # the same scan once more
    assert form.value() == (None, (100.0, 400.0))
    form.ranged.setChecked(False)
    assert form.value() == (None, None)
    assert not form.range.isVisible()


def _left(form: LimitsForm) -> Any:
    """Give the way from the middle of the box to its tick."""
    middle = form.ranged.rect().center()
    middle.setX(middle.x() - 8)
    middle.setY(0)
    return middle


@pytest.mark.parametrize(("whole", "why"), [
    (None, NO_SCAN), ((5.0, 5.0), ONE_VALUE), ((float("nan"), float("nan")), ONE_VALUE),
    ((0.0, float("inf")), ONE_VALUE),
])  # fmt: skip
def test_the_range_of_another_scan_never_stays(qtbot: Any, form: LimitsForm, whole: Any, why: str) -> None:
    form.set_range(SCAN)
    form.ranged.setChecked(True)
    with qtbot.waitSignal(form.valueChanged):
        form.set_range(whole)
    assert form.value() == (None, None)
    assert not form.ranged.isEnabled()
    assert form.ranged.toolTip() == why
    form.set_range(SCAN)
    assert form.ranged.isEnabled()
    assert form.value() == (None, None)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(low=st.floats(-1e5, 1e5), span=st.floats(1e-4, 1e6))
def test_a_new_scan_offers_all_its_values_with_digits_that_tell_them_apart(
    form: LimitsForm, low: float, span: float
) -> None:
    form.set_range((low, low + span))
    form.ranged.setChecked(True)
    chosen = form.value()[1]
    assert chosen == pytest.approx((low, low + span), abs=1e-3 * span)
    assert 10.0 ** -form.range.decimals() <= max(span / 10, 1.0)
