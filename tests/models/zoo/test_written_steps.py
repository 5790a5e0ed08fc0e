"""Schemes said as steps of the zoo, and read again, are the same schemes."""

from __future__ import annotations

import numpy as np
import pytest

from napari_vol3d.core.intensity import IntensityScheme, measure_intensity
from napari_vol3d.models.zoo.steps import intensity_of
from napari_vol3d.models.zoo.written_steps import network_input, steps_after, steps_before
from tests.builders import make_card

SAID = [
    IntensityScheme(kind="none"), IntensityScheme(kind="minmax"), IntensityScheme(kind="zscore", lower=0, upper=100),
    IntensityScheme(kind="zscore", lower=0.5, upper=99.5), IntensityScheme(kind="quantile", lower=1, upper=99.8),
    IntensityScheme(kind="window", lower=-1000, upper=400), IntensityScheme(kind="window", lower=0, upper=1),
]  # fmt: skip
UNSAID = [IntensityScheme(kind="maximum"), IntensityScheme(kind="zscore", over="nonzero")]
PATCH = np.random.default_rng(0).normal(100, 300, (10, 11, 12, 2)).astype(np.float32)


def card_of(tmp_path, scheme, **changes):
    (tmp_path / "model.keras").write_bytes(b"weights")
    return make_card(tmp_path / "model.keras", input={"intensity": scheme, "channels": ("a", "b")}, **changes)


@pytest.mark.parametrize("scheme", SAID)
def test_said_and_read_again(tmp_path, scheme):
    steps = steps_before(card_of(tmp_path, scheme).input)
    assert steps is not None
    found, notes = intensity_of(steps)
    assert found is not None
    assert (found.kind, notes) == (scheme.kind, ())
    if scheme.kind in ("zscore", "quantile", "window"):
        assert (found.lower, found.upper) == pytest.approx((scheme.lower, scheme.upper))


@pytest.mark.parametrize("scheme", [*SAID, *UNSAID])
def test_the_network_is_given_what_the_scheme_says(tmp_path, scheme):
    given = network_input(card_of(tmp_path, scheme), PATCH)
    own = np.stack([measure_intensity(c, scheme).apply(c) for c in np.moveaxis(PATCH, -1, 0)], axis=-1)
    # The zoo measures before it cuts: of a normal distribution 0.5 % at each end, 3 % of the deviation.
    np.testing.assert_allclose(given, own, atol=0.12 if scheme.kind == "zscore" and scheme.lower else 1e-5)


@pytest.mark.parametrize("scheme", UNSAID)
def test_what_the_zoo_has_no_step_for(tmp_path, scheme):
    assert steps_before(card_of(tmp_path, scheme).input) is None


def test_only_logits_need_a_step_behind(tmp_path):
    names = [
        [step.name for step in steps_after(card_of(tmp_path, SAID[0], output={"activation": activation}))]
        for activation in ("none", "softmax", "sigmoid")
    ]
    assert names == [["softmax"], [], []]
