"""Plots: one element that is well formed, in the page's colours, with every value in its place."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib import rcParams

from napari_vol3d.review.project.plots import Series, distributions, histogram, over_time, progress_plot

START = datetime(2026, 3, 1, tzinfo=UTC)
TIMES = tuple(START + timedelta(days=n) for n in range(12))
VALUES = tuple(float(v) for v in np.linspace(0.5, 0.9, 12))
SERIES = [Series(name="anterior $1", values=VALUES, color="#e69f00", times=TIMES),
          Series(name="a<b&c", values=VALUES[:3], color="#56b4e9", times=TIMES[:3])]  # fmt: skip
DRAWN = {
    "progress": lambda: progress_plot(TIMES, 20),
    "nothing yet": lambda: progress_plot((), 20),
    "histogram": lambda: histogram(VALUES, "Minutes"),
    "one value": lambda: histogram((3.0,), "Minutes"),
    "over time": lambda: over_time(SERIES, "Dice"),
    "one series": lambda: over_time([Series(name="", values=VALUES, times=TIMES)], "Minutes"),
    "distributions": lambda: distributions(SERIES, "Dice"),
}


@pytest.mark.parametrize("name", DRAWN)
def test_a_plot_is_one_element_in_the_colours_of_the_page(name):
    text = DRAWN[name]()
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert root.get("viewBox")
    assert root.get("aria-label")
    assert "currentColor" in text
    assert "var(--grid)" in text
    assert not re.search(r"#0[1-9]0\d0\d\b|DejaVu|width=\"[\d.]+pt", text)
    assert not re.search(r"(?:href|src)=\"(?!#)", text)


def test_the_same_values_give_the_same_plot():
    assert DRAWN["over time"]() == DRAWN["over time"]()


def test_texts_are_texts():
    words = "".join(ElementTree.fromstring(distributions(SERIES, "Dice")).itertext())
    assert "anterior $1" in words
    assert "a<b&c" in words


def test_each_value_is_a_point():
    assert distributions(SERIES[:1], "Dice").count("<use ") >= len(VALUES)


def test_the_settings_of_matplotlib_stay():
    before = dict(rcParams)
    progress_plot(TIMES, 20)
    assert dict(rcParams) == before
