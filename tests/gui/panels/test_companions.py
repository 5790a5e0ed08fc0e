"""Layers made of others show the right voxels, copy none, and lie where the others lie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from napari.layers import Image, Labels

from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.gui.layers import origin_of, to_layer, to_volume
from napari_vol3d.gui.panels.companions import Earlier, channels_of, has_channels, has_time, previous_of

pytestmark = pytest.mark.usefixtures("qapp")
GEOMETRY = Geometry(affine=np.array([[0, 0, 1.5, -9], [0, -2, 0, 30], [3, 0, 0, 4], [0, 0, 0, 1.0]]), anatomical=True)
indices = st.one_of(st.integers(-4, 3), st.slices(4))


def series(*, channels: tuple[str, ...] = ()) -> Volume:
    shape = (3, 4, 5, *((len(channels),) if channels else ()), 4)
    data = np.random.default_rng(0).integers(1, 200, shape, dtype=np.uint8)
    return Volume(data=data, geometry=GEOMETRY, name="series", timed=True, channels=channels)


def image(volume: Volume) -> Image:
    data, keywords, _ = to_layer(volume, as_labels=False)
    return Image(data, **keywords)


@given(indices, indices, indices)
def test_every_time_point_is_the_one_before(time: object, z: object, y: object) -> None:
    data = np.random.default_rng(0).integers(1, 200, (4, 4, 4, 3), dtype=np.uint8)
    meant = np.concatenate([np.zeros((1, 4, 4, 3), np.uint8), data[:-1]])
    np.testing.assert_array_equal(Earlier(data, 0)[time, z, y], meant[time, z, y])


def test_the_time_before_is_hidden_and_lies_on_its_layer() -> None:
    layer = image(series())
    before = previous_of(layer)
    assert has_time(layer)
    assert not before.visible
    np.testing.assert_array_equal(before.data[2], layer.data[1])
    assert before.data[0].max() <= layer.contrast_limits[0]
    np.testing.assert_allclose(before.data_to_world((0, 1, 2, 3)), layer.data_to_world((0, 1, 2, 3)))
    assert before.units == layer.units
    assert to_volume(before).geometry is layer.metadata["napari-vol3d"].geometry


def test_labels_have_a_time_before_that_follows_what_is_painted() -> None:
    data, keywords, _ = to_layer(series(), as_labels=True)
    layer = Labels(data, **keywords)
    before = previous_of(layer)
    layer.data[1, 0, 0, 0] = 7
    assert before.data[2][0, 0, 0] == 7
    assert not before.editable
    assert before.data[0].max() == 0


def test_channels_become_layers_that_add_up() -> None:
    layer = image(series(channels=("DAPI", "GFP", "RFP")))
    assert has_channels(layer)
    layers = channels_of(layer)
    assert [one.name for one in layers] == ["series DAPI", "series GFP", "series RFP"]
    assert len({one.colormap.name for one in layers}) == 3
    assert {str(one.blending) for one in layers} == {"additive"}
    for index, one in enumerate(layers):
        assert np.shares_memory(one.data, layer.data)
        np.testing.assert_array_equal(one.data, layer.data[:, index])
        np.testing.assert_allclose(one.data_to_world((1, 1, 2, 3)), np.delete(layer.data_to_world((1, 0, 1, 2, 3)), 1))
        origin = origin_of(one)
        assert origin is not None
        assert origin.leading == ("time",)
        assert to_volume(one).frames == 4


def test_a_plain_image_has_neither() -> None:
    plain = Image(np.zeros((4, 5, 6)))
    assert not has_time(plain)
    assert not has_channels(plain)
    with pytest.raises(ValueError, match="with channels was expected"):
        channels_of(plain)
