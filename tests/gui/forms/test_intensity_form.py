"""Every intensity scheme goes in and out unchanged, and shows what it needs."""

from __future__ import annotations

from typing import Any

import pytest

from napari_vol3d.core.intensity import SCHEMES, IntensityScheme
from napari_vol3d.gui.forms.intensity_form import KINDS, IntensityForm


@pytest.fixture
def form(qtbot: Any) -> IntensityForm:
    form = IntensityForm()
    qtbot.addWidget(form)
    form.show()
    return form


def test_it_knows_every_scheme() -> None:
    assert set(KINDS) == set(SCHEMES)


@pytest.mark.parametrize(
    "scheme",
    [
        IntensityScheme(), IntensityScheme(kind="zscore", lower=1, upper=99, over="nonzero"),
        IntensityScheme(kind="minmax"), IntensityScheme(kind="minmax", over="nonzero"),
        IntensityScheme(kind="quantile", lower=5, upper=95), IntensityScheme(kind="window", lower=-1000, upper=400.5),
        IntensityScheme(kind="maximum"), IntensityScheme(kind="none"),
    ],
    ids=lambda scheme: f"{scheme.kind} {scheme.over}",
)  # fmt: skip
def test_what_is_shown_is_given_back(form: IntensityForm, scheme: IntensityScheme) -> None:
    form.setValue(scheme)
    assert form.value() == scheme
    limits = scheme.kind in ("zscore", "quantile", "window")
    assert form.lower.isVisible() == form.upper.isVisible() == limits
    assert form.nonzero.isVisible() == (scheme.kind not in ("none", "window"))


def test_another_scheme_begins_with_what_is_usual(qtbot: Any, form: IntensityForm) -> None:
    with qtbot.waitSignal(form.valueChanged):
        form.kind.setCurrentIndex(KINDS.index("quantile"))
    assert form.value() == IntensityScheme(kind="quantile", lower=5, upper=95)
    form.kind.setCurrentIndex(KINDS.index("window"))
    assert form.value() == IntensityScheme(kind="window", lower=0, upper=255)


def test_limits_the_wrong_way_round_are_said(form: IntensityForm) -> None:
    form.setValue(IntensityScheme(kind="window", lower=400, upper=-100))
    assert form.refusal().startswith("Intensities: the lower limit")
    form.kind.setCurrentIndex(KINDS.index("minmax"))
    assert not form.refusal()
