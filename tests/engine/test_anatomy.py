"""What is read from a graph is what the network does: voxels beyond the halo don't matter, and those at it do."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from napari_vol3d.engine.anatomy import study
from napari_vol3d.engine.architectures import UNetDesign, build_unet
from napari_vol3d.engine.fused import BlockTranspose3D, FusedConv3D
from tests.builders import random_unet

ANY = (None, None, None, 1)
LOUD = 1e14  # so that the weakest path, a third or less at each of twenty layers, still shows in float32


def chain(*parts):
    inputs = keras.Input(ANY)
    features = inputs
    for part in parts:
        features = part(features)
    return keras.Model(inputs, features)


def conv(size=3, **options):
    return layers.Conv3D(2, size, **{"padding": "same", "activation": "relu", **options})


def up(size=2, stride=2, padding="same"):
    return layers.Conv3DTranspose(2, size, strides=stride, padding=padding)


def unet(**design):
    return build_unet(UNetDesign(classes=1, **design))


def joined():
    """A long path, and a short one that is joined to it."""
    inputs = keras.Input(ANY)
    deep = up()(conv()(layers.MaxPooling3D(2)(conv()(inputs))))
    return keras.Model(inputs, conv(1)(layers.Concatenate()([deep, conv(5)(inputs)])))


def wrapped():
    """A whole network as one layer of another."""
    inputs = keras.Input(ANY)
    return keras.Model(inputs, layers.Softmax()(conv()(chain(conv(), layers.MaxPooling3D(2), conv(), up())(inputs))))


NETWORKS = {
    "unet of 2 levels": (lambda: unet(widths=(2, 3)), 2),
    "unet of 4 levels": (lambda: unet(widths=(2, 2, 2, 2)), 8),
    "strided unet": (lambda: unet(widths=(2, 2, 2), down="stride", residual=False), 4),
    "dilated": (lambda: chain(conv(), conv(dilation_rate=4), conv(dilation_rate=(8, 2, 1)), conv(1)), 1),
    "dilated, fused": (lambda: chain(FusedConv3D(2, 3, padding="same", dilation_rate=5), conv()), 1),
    "one axis": (lambda: chain(conv((1, 1, 5)), layers.MaxPooling3D((1, 2, 4)), layers.UpSampling3D((1, 2, 4))), 4),
    "even kernels": (lambda: chain(conv(4), conv(2, strides=2), conv(4), up(4)), 2),
    "large transposed kernel": (lambda: chain(layers.AveragePooling3D(2), conv(), up(3), conv()), 2),
    "transposed without stride": (lambda: chain(up(4, 1), conv()), 1),
    "overlapping pools": (lambda: chain(layers.MaxPooling3D(3, 2, padding="same"), conv(), layers.UpSampling3D(2)), 2),
    "padded by hand": (lambda: chain(layers.ZeroPadding3D(2), conv(5, padding="valid"), layers.Cropping3D(0)), 1),
    "block transpose": (lambda: chain(conv(strides=3), conv(), BlockTranspose3D(2, (3, 3, 3))), 3),
    "short and long path": (joined, 2),
    "model in a model": (wrapped, 2),
}


def make_averaging(network):
    """Give random positive weights of sum one: nothing cancels, and nothing is cut by a ReLU."""
    rng = np.random.default_rng(0)
    for variable in network.weights:
        if "kernel" in variable.path:
            kernel = rng.uniform(0.5, 1.5, variable.shape)
            variable.assign(kernel / kernel.sum() * kernel.shape[-1])


def dependencies(network, multiple, length, axis):
    """Pairs of an input plane and an output plane that depends on it, for all places of the input plane."""
    shape = [multiple] * 3
    shape[axis] = length
    quiet = np.ones((multiple, *shape, 1), np.float32)
    loud, middle = quiet.copy(), length // multiple // 2 * multiple
    for place in range(multiple):
        np.moveaxis(loud[place], axis, 0)[middle + place] *= LOUD
    before, after = (keras.ops.convert_to_numpy(network(patch)) for patch in (quiet, loud))
    changed = np.moveaxis(after / before - 1 > 1e-5, axis + 1, 1).any(axis=(2, 3, 4))
    return [(middle + place, int(out)) for place in range(multiple) for out in np.flatnonzero(changed[place])]


@pytest.mark.parametrize("name", NETWORKS)
def test_multiple_and_halo_are_what_the_network_does(name):
    make, multiple = NETWORKS[name]
    network = make()
    make_averaging(network)
    if name == "model in a model":
        network = keras.Model(network.inputs[0], network.layers[-2].output)  # softmax hides how loud it is
    anatomy = study(network)
    assert anatomy.multiple == multiple
    assert not anatomy.instance_statistics
    length = -(-(2 * anatomy.halo + 4 * multiple + 3) // multiple) * multiple
    pairs = [pair for axis in range(3) for pair in dependencies(network, multiple, length, axis)]
    assert max(abs(i - o) for i, o in pairs) == anatomy.halo


@pytest.mark.parametrize("down", ["pool", "stride"])
def test_tiles_at_multiples_are_exact_with_the_halo_and_others_are_not(down):
    network = random_unet(widths=(4, 6, 8), down=down, residual=False)
    anatomy = study(network)
    scan = np.random.default_rng(0).normal(size=(1, 80, 8, 8, 1)).astype(np.float32)
    whole = keras.ops.convert_to_numpy(network(scan))

    def worst(start):
        """Largest difference in the part of a tile that is a halo away from where it was cut."""
        part = keras.ops.convert_to_numpy(network(scan[:, start : start + 64]))
        inside = slice(anatomy.halo if start else 0, 64 - anatomy.halo)
        return np.abs(part - whole[:, start : start + 64])[:, inside].max()

    assert worst(anatomy.multiple) < 1e-5
    assert worst(4 * anatomy.multiple) < 1e-5
    assert worst(anatomy.multiple + 1) > 1e-2


def test_known_receptive_fields(shared_data):
    folder = shared_data / "models" / "meshnet_t1_gwm"
    meshnet = study(keras.saving.load_model(folder / "model5_gw_ae_anysize.keras", compile=False))
    assert (meshnet.multiple, meshnet.halo, meshnet.unknown) == (1, 46, ())
    brain = keras.saving.load_model(shared_data / "models" / "deepbrain_mask" / "graph_v2_anysize.keras", compile=False)
    assert study(brain).multiple == 8
    classifier = keras.saving.load_model(shared_data / "models" / "refuse" / "classifier_64.h5", compile=False)
    assert study(classifier).instance_statistics


@pytest.mark.parametrize(
    ("layer", "depends"),
    [
        (layers.BatchNormalization(), False),
        (layers.LayerNormalization(), False),
        (layers.LayerNormalization(axis=(1, 2, 3, 4)), True),
        (layers.UnitNormalization(axis=-1), False),
        (layers.UnitNormalization(axis=(1, 2, 3)), True),
        (layers.GroupNormalization(groups=1), True),
        (layers.Softmax(axis=1), True),
        (layers.PReLU(shared_axes=(1, 2, 3)), False),
        (layers.Activation("gelu"), False),
        (layers.Dense(3), False),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_what_depends_on_the_whole_patch(layer, depends):
    anatomy = study(chain_of_shape((8, 8, 8, 1), conv(), layer))
    assert anatomy.instance_statistics is depends
    assert anatomy.unknown == ()


def chain_of_shape(shape, *parts):
    inputs = keras.Input(shape)
    features = inputs
    for part in parts:
        features = part(features)
    return keras.Model(inputs, features)


def test_squeeze_and_excitation_sees_the_whole_patch():
    inputs = keras.Input(ANY)
    features = conv()(inputs)
    weight = layers.Dense(2, activation="sigmoid")(layers.GlobalAveragePooling3D(keepdims=True)(features))
    anatomy = study(keras.Model(inputs, layers.Multiply()([features, weight])))
    assert anatomy.instance_statistics
    assert anatomy.unknown == ()


def test_what_is_not_known_is_named():
    anatomy = study(chain(conv(), layers.Lambda(lambda x: x - keras.ops.mean(x)), conv(activation=lambda x: x * x)))
    assert anatomy.instance_statistics
    assert anatomy.unknown == ("Conv3D", "Lambda")


def test_operations_on_symbolic_tensors_are_known():
    inputs = keras.Input(ANY)
    features = keras.ops.relu(conv()(inputs) * 2.0) - 1.0
    assert study(keras.Model(inputs, keras.ops.concatenate([features, features], axis=-1))).unknown == ()
    across = keras.Model(inputs, keras.ops.concatenate([features, features], axis=1))
    assert study(across).unknown == ("Concatenate",)


def attended(axis):
    """CBAM's spatial attention, with its mean and maximum over one axis."""
    inputs = keras.Input(ANY)
    features = conv(3)(inputs)
    seen = [reduce(features, axis=axis, keepdims=True) for reduce in (keras.ops.mean, keras.ops.max)]
    weight = conv(7, activation="sigmoid")(layers.Concatenate()(seen))
    return study(keras.Model(inputs, keras.ops.where(features > 0, features * weight, features)))


def test_what_gathers_channels_is_a_point_and_what_gathers_voxels_is_not():
    over_channels, over_slices = attended(-1), attended(1)
    assert (over_channels.unknown, over_channels.halo) == ((), 4)
    assert {"Max", "Mean"} <= set(over_slices.unknown)


def test_batch_statistics_of_the_patch_itself_count():
    inputs = keras.Input(ANY)
    assert study(keras.Model(inputs, layers.BatchNormalization()(inputs, training=True))).instance_statistics


def test_a_hidden_graph_is_said_to_be_hidden():
    class Hidden(keras.Model):
        def call(self, inputs):
            return inputs

    assert study(Hidden()).unknown == ("Hidden",)


def test_flops_and_bytes_by_hand():
    anatomy = study(chain(layers.Conv3D(4, 3, padding="same"), layers.BatchNormalization(), layers.ReLU()))
    assert anatomy.flops_per_voxel == 2 * 27 * 4
    assert anatomy.bytes_per_voxel == 4 * (1 + 4)  # the input, and one array that is normalised and cut in place
    halved = study(chain(conv(strides=2), conv(dilation_rate=2), up()))
    assert halved.flops_per_voxel == pytest.approx((2 * 27 * 2 + 2 * 27 * 2 * 2 + 2 * 8 * 2 * 2) / 8)
    # Last, two channels at half the resolution become two at the full one.
    assert halved.bytes_per_voxel == 4 * (2 / 8 + 2)


def test_a_skip_lives_until_it_is_used():
    # Upsampled, skip, and both joined; at no other time are there more.
    assert study(unet(widths=(4, 8))).bytes_per_voxel == 4 * (4 + 4 + 8)


def test_heads_for_training_do_not_count():
    plain, supervised = (study(unet(widths=(2, 3, 4), deep_supervision=count)) for count in (0, 1))
    assert plain == supervised


def test_channels_first_is_read_too():
    first = {"data_format": "channels_first"}
    inputs = keras.Input((1, 8, 8, 8))
    features = conv(activation=None, **first)(inputs)
    features = layers.Concatenate(axis=1)([features, layers.BatchNormalization(axis=1)(features)])
    anatomy = study(keras.Model(inputs, features))
    assert not anatomy.instance_statistics
    assert anatomy.bytes_per_voxel == 4 * (2 + 2 + 4)
