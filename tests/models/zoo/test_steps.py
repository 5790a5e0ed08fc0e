"""Steps before and after a network: what a scheme says of them gives the same voxels as doing them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import measure_intensity
from napari_vol3d.models.zoo.steps import Step, apply, intensity_of

CENTRE, STRETCH, LINE, CLIP = "zero_mean_unit_variance", "scale_range", "scale_linear", "clip"
FIXED = "fixed_zero_mean_unit_variance"


def steps(*said):
    return [Step(name=name, options=options) for name, options in said]


VOXELS = np.random.default_rng(0).gamma(2, 60, (12, 13, 14)).astype(np.float32)

EXACT = {
    "nothing": ([], "none"),
    "type only": ([("ensure_dtype", {"dtype": "float32"})], "none"),
    "centred": ([(CENTRE, {})], "zscore"),
    "centred, 0.4": ([(CENTRE, {"mode": "per_sample", "axes": "zyx"})], "zscore"),
    "stretched": ([(STRETCH, {})], "minmax"),
    "percentiles": ([(STRETCH, {"min_percentile": 3, "max_percentile": 99.8, "axes": ["z", "y", "x"]})], "quantile"),
    "a window": ([(CLIP, {"min": 20, "max": 150}), (LINE, {"gain": 1 / 130, "offset": -20 / 130})], "window"),
    "a window, cut later": ([(LINE, {"gain": 0.01}), (CLIP, {"min": 0, "max": 1})], "window"),
    "figures, cut": ([(FIXED, {"mean": 30, "std": 50}), (CLIP, {"min": 0.0, "max": 1.0})], "window"),
    "figures, 0.4": ([(CENTRE, {"mode": "fixed", "mean": [30], "std": [50]}), (CLIP, {"min": 0, "max": 1})], "window"),
}  # fmt: skip


@pytest.mark.parametrize("name", EXACT)
def test_a_scheme_gives_the_same_voxels(name):
    said, kind = EXACT[name]
    scheme, notes = intensity_of(steps(*said))
    assert scheme is not None
    assert (scheme.kind, notes) == (kind, ())
    mapped = measure_intensity(VOXELS, scheme).apply(VOXELS)
    np.testing.assert_allclose(mapped, apply(steps(*said), VOXELS, "zyx"), atol=2e-5)


def test_whole_types_have_limits():
    bytes_ = VOXELS.clip(0, 255).round()
    scheme, _ = intensity_of(steps((LINE, {"gain": 1 / 255})), limits=(0, 255))
    assert scheme is not None
    np.testing.assert_allclose(measure_intensity(bytes_, scheme).apply(bytes_), bytes_ / 255, atol=1e-6)


@pytest.mark.parametrize(
    "said",
    [
        [(LINE, {"gain": 0.001})], [(FIXED, {"mean": 100, "std": 20})], [(LINE, {"gain": -1})], [(LINE, {"gain": 0})],
        [(LINE, {"gain": [1, 2]})], [(FIXED, {"mean": "x", "std": 1})], [("binarize", {"threshold": 3})],
        [(STRETCH, {}), (LINE, {"gain": 2, "offset": -1})], [("custom", {})], [("sigmoid", {})],
    ],
)  # fmt: skip
def test_what_no_scheme_says_is_left_open_with_a_sentence(said):
    scheme, notes = intensity_of(steps(*said))
    assert scheme is None
    assert len(notes) == 1


@pytest.mark.parametrize(
    ("said", "kind", "kinds"),
    [
        ([(STRETCH, {"min_percentile": 1, "max_percentile": 99}), (CLIP, {"min": 0, "max": 1})], "quantile", "zyx"),
        ([(LINE, {"gain": 0.1}), (CENTRE, {})], "zscore", "zyx"),
        ([(CENTRE, {"axes": ["y", "x"]})], "zscore", "zyx"),
        ([(CENTRE, {})], "zscore", "bczyx"),
    ],
)
def test_what_is_nearly_said_is_told(said, kind, kinds):
    scheme, notes = intensity_of(steps(*said), kinds=kinds)
    assert scheme is not None
    assert scheme.kind == kind
    assert len(notes) == 1


def test_cutting_at_percentiles_is_part_of_the_scheme():
    scheme, notes = intensity_of(steps((CLIP, {"min_percentile": 0.5, "max_percentile": 99.5}), (CENTRE, {})))
    assert scheme is not None
    assert (scheme.kind, scheme.lower, scheme.upper, notes) == ("zscore", 0.5, 99.5, ())


@pytest.mark.parametrize("name", [CENTRE, STRETCH])
def test_a_constant_is_no_division_by_zero(name):
    assert not apply(steps((name, {})), np.full((2, 2, 2), 7.0), "zyx").any()


def test_scores_are_finished_as_scipy_does():
    scores = np.random.default_rng(1).normal(0, 4, (1, 3, 4, 5, 6))
    done = apply(steps(("softmax", {"axis": "channel"})), scores, "bzyxc")
    np.testing.assert_allclose(done, softmax(scores, axis=-1), atol=1e-6)
    np.testing.assert_array_equal(apply(steps(("binarize", {"threshold": 1.0})), scores, "bzyxc"), scores > 1)
    per_channel = apply(steps((LINE, {"axis": "channel", "gain": [1, 2, 3, 4, 5, 6]})), scores, "bzyxc")
    np.testing.assert_allclose(per_channel, scores * np.arange(1, 7), rtol=1e-5)
    assert apply(steps(("sigmoid", {})), np.array([[-1e4, 0, 1e4]]), "zy").tolist() == [[0, 0.5, 1]]
    assert apply(steps(("ensure_dtype", {"dtype": "uint8"})), np.array([2.7]), "z").tolist() == [2.0]


@pytest.mark.parametrize("said", [("custom", {}), (LINE, {"gain": ["a"]}), (LINE, {"gain": [1, 2, 3]})])
def test_steps_that_cannot_be_done_are_one_sentence(said):
    scores = np.zeros((1, 2, 2, 2, 2))
    with pytest.raises(ModelProblem):
        apply(steps(said), scores, "bzyxc")
