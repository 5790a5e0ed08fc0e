"""A network is only taken for rebuilt where it gives the scores of the original."""

from __future__ import annotations

import numpy as np
import pytest
from keras import layers

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.engine.rebuild import channels_of, no_volume, rebuild, stored_size
from napari_vol3d.engine.replay import computed
from tests.builders import chain

FIRST = {"data_format": "channels_first"}


def test_size_and_channels_are_found_in_either_order():
    last, first = chain((4, 6, 8, 2), layers.Conv3D(1, 1)), chain((2, 4, 6, 8), layers.Conv3D(1, 1, **FIRST))
    assert stored_size(last) == stored_size(first) == (4, 6, 8)
    assert channels_of(last) == channels_of(first) == [2]
    assert stored_size(chain((None, 6, 8, 2), layers.Conv3D(1, 1))) is None


def test_as_many_filters_as_voxels_do_not_mislead_the_check():
    # Keras adds the bias of a channels-first convolution along x where both counts are the same.
    model = chain((1, 8, 8, 8), layers.Conv3D(8, 3, padding="same", bias_initializer="normal", **FIRST),
                    layers.Conv3D(2, 1, **FIRST))  # fmt: skip
    rebuilt = rebuild(model)
    assert rebuilt.fixed is None
    scan = np.random.default_rng(0).normal(size=(1, 5, 5, 5, 1)).astype(np.float32)
    wanted = np.moveaxis(computed(model, [np.moveaxis(scan, -1, 1)])[0], 1, -1)
    np.testing.assert_allclose(rebuilt.network(scan), wanted, atol=1e-5)


def test_where_keras_itself_is_wrong_at_the_stored_size_it_is_said():
    for filters, told in ((8, True), (6, False)):
        parts = (layers.Conv3D(filters, 3, padding="same", **FIRST), layers.Conv3D(2, 1, **FIRST))
        (said, *_) = rebuild(chain((1, 8, 8, 8), *parts)).notes
        assert said.startswith("Channels come last instead of first")
        assert ("labels may differ from its predict" in said) == told


def test_scores_that_differ_are_not_taken(monkeypatch):
    # A layer that `from_config` makes another one of.
    monkeypatch.setattr(layers.LeakyReLU, "get_config", lambda self: {"negative_slope": 0.9, "name": self.name})
    with pytest.raises(ModelProblem, match="rebuilt it gives other scores"):
        rebuild(chain((8, 8, 8, 1), layers.LeakyReLU(negative_slope=0.1)))


def test_what_runs_at_its_own_size_only_is_tried_there(monkeypatch):
    monkeypatch.setattr(layers.LeakyReLU, "get_config", lambda self: {"negative_slope": 0.9, "name": self.name})
    parts = layers.LeakyReLU(negative_slope=0.1), layers.Conv3D(2, 1), layers.Reshape((512, 2))
    with pytest.raises(ModelProblem, match="rebuilt it gives other scores"):
        rebuild(chain((8, 8, 8, 1), *parts))


def test_a_flat_list_of_voxels_becomes_a_volume_with_a_name_of_its_own():
    parts = layers.Reshape((512, 2), name="volume"), layers.Conv1D(2, 1)
    rebuilt = rebuild(chain((8, 8, 8, 1), layers.Conv3D(2, 1, name="scan"), *parts))
    assert (rebuilt.fixed, rebuilt.network.outputs[0].shape) == ((8, 8, 8), (None, 8, 8, 8, 2))
    assert {"volume", "volume_1"} <= {layer.name for layer in rebuilt.network.layers}


def test_what_is_no_volume_is_described():
    assert no_volume((None, 1)) == "The output is 1 number a scan, not a score a voxel."
    assert no_volume((None, 10)) == "The output is 10 numbers a scan, not a score a voxel."


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: chain((1, 8, 8, 8), layers.Conv3D(2, 1, **FIRST), layers.LayerNormalization()), "channels last"),
        (lambda: chain((None, None, None, 1), layers.Permute((3, 2, 1, 4)), layers.Conv3D(2, 1)), "usual 3D layers"),
    ],
)
def test_channels_last_are_asked_for_where_they_would_help(model, words):
    with pytest.raises(ModelProblem) as refused:
        rebuild(model())
    assert words in refused.value.hint


def test_a_layer_that_fails_is_named_without_what_keras_says():
    rebuilt = rebuild(chain((8, 8, 8, 1), layers.LayerNormalization(axis=(1, 2, 3), name="whole")))
    assert rebuilt.notes == (
        "It takes 8 x 8 x 8 voxels only: layer whole (LayerNormalization) fails at other sizes of patches.",
    )


def test_sizes_that_are_no_multiples_are_not_called_lost_edges():
    parts = (layers.Conv3D(2, 3, strides=2), layers.Conv3DTranspose(2, 3, strides=2))
    rebuilt = rebuild(chain((None, None, None, 1), *parts))
    assert rebuilt.fit.margin == (0, 0, 0)
    sizes = "5 x 5 x 5 voxels and multiples of 2 x 2 x 2 more"
    assert rebuilt.notes == (f"It takes {sizes}: zeros are put around its patches.",)
