"""The histogram edits a window by mouse and keys, and shows it in the colours of the layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_vol3d.core.windows import Window, histogram
from napari_vol3d.gui.forms.histogram import HistogramForm

LEFT, NO_BUTTON = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
SAMPLE = np.random.default_rng(0).integers(-1000, 1001, 50_000).astype(float)


@pytest.fixture
def form(qtbot: Any) -> HistogramForm:
    form = HistogramForm()
    qtbot.addWidget(form)
    form.resize(300, 90)
    form.show_histogram(histogram(SAMPLE))
    form.setValue((-150, 250))
    form.show()
    return form


def pull(form: HistogramForm, start: float, by: float) -> None:
    """Drag from one grey level by some grey levels."""
    places = np.linspace(form.place_of(start), form.place_of(start + by), 5)
    _send(form, QEvent.Type.MouseButtonPress, places[0], LEFT, LEFT)
    for place in places[1:]:
        _send(form, QEvent.Type.MouseMove, place, NO_BUTTON, LEFT)
    _send(form, QEvent.Type.MouseButtonRelease, places[-1], LEFT, NO_BUTTON)


def _send(form: HistogramForm, kind: Any, place: float, button: Any, buttons: Any) -> None:
    at = QPointF(float(place), 40.0)
    where = QPointF(form.mapToGlobal(at.toPoint()))
    QApplication.sendEvent(form, QMouseEvent(kind, at, where, button, buttons, Qt.KeyboardModifier.NoModifier))


@pytest.mark.parametrize(
    ("start", "by", "expected"),
    [
        (-150, -300, (-450, 250)), (250, 200, (-150, 450)), (50, 500, (350, 750)), (-800, 100, (-50, 250)),
        (900, -200, (-150, 50)),
    ],
    ids=["low", "high", "between", "beside low", "beside high"],
)  # fmt: skip
def test_what_is_taken_is_what_moves(form: HistogramForm, start: float, by: float, expected: Any) -> None:
    pull(form, start, by)
    assert form.value() == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize(("start", "by"), [(-150, 900), (250, -900)])
def test_ends_do_not_pass_each_other(form: HistogramForm, start: float, by: float) -> None:
    pull(form, start, by)
    low, high = form.value()
    assert low < high
    assert low >= -150
    assert high <= 250


def test_a_window_beyond_the_grey_levels_can_be_taken(form: HistogramForm) -> None:
    form.setValue((-3000, 5000))
    for level in form.value():
        assert 0 <= form.place_of(level) <= form.width()
    pull(form, 5000, -4500)
    assert form.value() == pytest.approx((-3000, 500), abs=30)


def test_places_and_levels_are_each_others_inverse(form: HistogramForm) -> None:
    for level in (-999.5, -3.0, 0.0, 812.0):
        assert form.level_at(form.place_of(level)) == pytest.approx(level)


def test_close_ends_leave_something_to_move_both_by(form: HistogramForm) -> None:
    form.setValue((0, 70))
    pull(form, 35, 400)
    low, high = form.value()
    assert high - low == pytest.approx(70)
    assert low == pytest.approx(400, abs=5)


def test_a_double_click_fits_what_is_offered(qtbot: Any, form: HistogramForm) -> None:
    qtbot.mouseDClick(form, LEFT)
    assert form.value() == (-150, 250)  # nothing is known that fits
    form.auto = Window(-990.0, 990.0)
    qtbot.mouseDClick(form, LEFT)
    assert form.value() == (-990.0, 990.0)


def test_arrows_move_and_widen(qtbot: Any, form: HistogramForm) -> None:
    for key, expected in (
        (Qt.Key.Key_Right, (-142, 258)), (Qt.Key.Key_Left, (-150, 250)), (Qt.Key.Key_Up, (-154, 254)),
        (Qt.Key.Key_Down, (-149.92, 249.92)),
    ):  # fmt: skip
        qtbot.keyClick(form, key)
        assert form.value() == pytest.approx(expected)


def test_a_change_is_told_once_and_no_change_is_not(qtbot: Any, form: HistogramForm) -> None:
    told: list[tuple[float, float]] = []

    def tell() -> None:
        told.append(form.value())

    form.valueChanged.connect(tell)
    form.setValue((0, 80))
    form.setValue((0, 80))
    assert told == [(0, 80)]
    with pytest.raises(ValueError, match="from low to high"):
        form.setValue((80, 0))


def test_the_window_is_painted_in_the_colours_of_the_layer(form: HistogramForm) -> None:
    form.show_ramp([(1, 0, 0, 1), (0, 0, 1, 1)])
    picture = form.grab().toImage()
    scale = picture.width() / form.width()
    for level, color in ((-900, (255, 0, 0)), (900, (0, 0, 255))):
        seen = picture.pixelColor(round(form.place_of(level) * scale), picture.height() - round(6 * scale))
        assert (seen.red(), seen.green(), seen.blue()) == pytest.approx(color, abs=3)


def test_air_does_not_flatten_the_rest(form: HistogramForm) -> None:
    form.show_histogram(histogram(np.append(SAMPLE, np.full(100_000, -1000.0))))
    counts = form._histogram.counts if form._histogram is not None else np.zeros(1)
    assert np.median(counts) > 0.3 * counts.max()


def test_nothing_known_is_painted_too(qtbot: Any) -> None:
    form = HistogramForm()
    qtbot.addWidget(form)
    assert not form.grab().isNull()
    form.show_histogram(histogram(np.zeros(0)))
    assert not form.grab().isNull()
    form.setEnabled(False)
    assert not form.grab().isNull()
