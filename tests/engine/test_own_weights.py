"""Weights of this program's U-Nets find their network by their shapes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.adopt import adopt
from napari_vol3d.engine.architectures import UNetDesign, build_unet
from napari_vol3d.engine.messages import Adopt
from napari_vol3d.engine.own_weights import design_of, own_network
from tests.builders import random_unet


def test_the_scores_are_those_of_the_network(tmp_path):
    network = random_unet(widths=(3, 4, 5), channels=2, classes=3, residual=False, down="stride")
    path = tmp_path / "mine.weights.h5"
    network.save_weights(path)
    report = adopt(Adopt(container="weights", source=str(path), target=str(tmp_path / "target.keras")))
    scan = np.random.default_rng(0).normal(size=(1, 8, 8, 8, 2)).astype(np.float32)
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "target.keras")(scan), network(scan), atol=1e-4)
    assert (report.channels, report.scores, report.multiple) == (2, 4, 4)
    assert "plain U-Net of this program" in report.changes[0]


@settings(deadline=None, max_examples=10)
@given(
    down=st.sampled_from(["pool", "stride"]), residual=st.booleans(), deep_supervision=st.sampled_from([0, 1]),
    channels=st.integers(1, 3), classes=st.integers(1, 3),
    widths=st.lists(st.integers(2, 6), min_size=2, max_size=4).map(tuple),
)  # fmt: skip
def test_every_design_is_read_off_the_shapes(deep_supervision, widths, **options):
    design = UNetDesign(deep_supervision=min(deep_supervision, len(widths) - 2), widths=widths, **options)
    counts: dict[str, int] = {}
    shapes = {}
    for layer in build_unet(design).layers:
        kind = {"Conv3D": "conv3d", "Conv3DTranspose": "conv3d_transpose"}.get(type(layer).__name__)
        if kind:
            number = counts[kind] = counts.get(kind, -1) + 1
            shapes[f"{kind}_{number}" if number else kind] = [tuple(w.shape) for w in layer.weights]
    assert design_of(shapes) == design


def test_weights_of_others_are_refused(tmp_path):
    inputs = keras.Input((None, None, None, 1))
    path = tmp_path / "theirs.weights.h5"
    keras.Model(inputs, layers.Conv3D(2, 3)(layers.Conv3D(4, 3)(inputs))).save_weights(path)
    with pytest.raises(ModelProblem, match="fit no network of this program"):
        own_network(path)
