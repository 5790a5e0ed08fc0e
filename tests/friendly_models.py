"""Networks as people build them, in every container that Keras writes; run as a program, as it needs TensorFlow.

    python -m tests.friendly_models FOLDER

It also turns a Keras .h5 into the TensorFlow.js model that the tensorflowjs converter would write, lets `to_h5` turn
that back, and keeps in report.json how far the two networks are from one another.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from napari_vol3d.io.network_files.tfjs import to_h5

SIZE = (8, 8, 8)
ITEM_BYTES = {"uint8": 1, "uint16": 2}


def unet(layers: Any, keras: Any) -> Any:
    """Everything that 3D U-Nets are made of."""
    inputs = keras.Input((*SIZE, 1))
    a = layers.Conv3D(4, 3, padding="same", kernel_regularizer="l2", kernel_constraint="max_norm")(inputs)
    a = layers.PReLU(shared_axes=[1, 2, 3])(layers.BatchNormalization()(a))
    b = layers.Conv3D(8, 3, padding="same", dilation_rate=2, activation="elu")(layers.MaxPooling3D(2)(a))
    b = layers.Dropout(0.2)(layers.SpatialDropout3D(0.2)(layers.LeakyReLU()(layers.GroupNormalization(2)(b))))
    up = layers.Conv3DTranspose(4, 2, strides=2, padding="same")(b)
    joined = layers.Concatenate()([a, up, layers.UpSampling3D(2)(layers.AveragePooling3D(2)(a))])
    gate = layers.Conv3D(1, 1, activation="sigmoid")(joined)
    c = layers.Multiply()([joined, gate])
    squeezed = layers.Dense(12, activation="sigmoid")(layers.GlobalAveragePooling3D()(c))
    c = layers.Multiply()([c, layers.Reshape((1, 1, 1, 12))(squeezed)])
    c = layers.Cropping3D(1)(layers.ZeroPadding3D(1)(layers.LayerNormalization()(c)))
    c = layers.Activation("gelu")(layers.Add()([c, joined]))
    deep = layers.Conv3D(3, 1, activation="softmax", name="deep")(b)
    return keras.Model(inputs, [layers.Conv3D(3, 1, activation="softmax", name="labels")(c), deep])


def nested(layers: Any, keras: Any) -> Any:
    """A network inside a network, trained with losses of its own."""
    inside = keras.Sequential([keras.Input((*SIZE, 1)), layers.Conv3D(3, 3, padding="same"), layers.ReLU()], name="in")
    inside.compile("adam", own_loss)
    inputs = keras.Input((*SIZE, 1))
    return keras.Model(inputs, layers.Conv3D(2, 1)(layers.BatchNormalization()(inside(inputs))))


def functions(layers: Any, keras: Any) -> Any:
    """Keras' functions between layers, and dtypes of their own."""
    inputs = keras.Input((*SIZE, 2))
    x = keras.ops.relu(layers.Conv3D(4, 3, padding="same", dtype="mixed_float16")(inputs)) * 2.0
    x = x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True)
    x = keras.ops.concatenate([x, keras.ops.pad(x, [[0, 0]] * 4 + [[0, 1]])], axis=-1)[..., :6]
    return keras.Model(inputs, keras.ops.softmax(layers.Conv3D(3, 1, activation=keras.activations.swish)(x)))


def branches(layers: Any, keras: Any) -> Any:
    """Many convolutions of one shape: weights that changed places would show."""
    inputs = keras.Input((*SIZE, 1))
    first = [layers.Conv3D(4, 3, padding="same", activation="tanh")(inputs) for _ in range(3)]
    second = [layers.Conv3D(4, 3, padding="same", activation="tanh")(x) for x in first]
    return keras.Model(inputs, layers.Conv3D(2, 1)(layers.Concatenate()([*second, first[0]])))


def own_loss(true: Any, found: Any) -> Any:
    return ((true - found) ** 2).sum()


NETWORKS: tuple[Callable[[Any, Any], Any], ...] = (unet, nested, functions, branches)


def main(folder: Path) -> None:
    """Write all of them, and the report."""
    import keras

    from napari_vol3d.engine.keras2_functions import FUNCTIONS
    from napari_vol3d.engine.stand_ins import STAND_INS

    report: dict[str, Any] = {"functions": sorted(FUNCTIONS), "stand_ins": sorted(STAND_INS), "apart": {}}
    for build in NETWORKS:
        keras.utils.set_random_seed(1)
        network = build(keras.layers, keras)
        scrambled(network)
        network.compile("adam", [own_loss] * len(network.outputs))
        write(network, folder / build.__name__)
        if build is not functions:
            far = webbed(network, folder, build.__name__)
            report["apart"] |= {f"{build.__name__} {kind}": value for kind, value in far}
    (folder / "report.json").write_text(json.dumps(report))


def scrambled(network: Any) -> None:
    """Give all weights, moving statistics included, numbers of their own."""
    rng = np.random.default_rng(0)
    network.set_weights([rng.uniform(0.1, 0.9, w.shape) for w in network.get_weights()])


def write(network: Any, stem: Path) -> None:
    import tensorflow as tf

    network.save(stem.with_suffix(".keras"))
    network.save(stem.with_suffix(".h5"))
    network.save_weights(stem.with_suffix(".weights.h5"))
    network.export(stem.with_name(f"{stem.name}_export"), verbose=False)
    tf.saved_model.save(network, stem.with_name(f"{stem.name}_saved"))


def webbed(network: Any, folder: Path, name: str) -> Any:
    """Go to TensorFlow.js and back; give how far the scores are from the network's own."""
    import keras

    probe = np.random.default_rng(1).normal(size=(1, *SIZE, 1)).astype(np.float32)
    expected = np.ravel(first(network(probe)))
    for kind in ("float32", "float16", "uint16", "uint8"):
        web = folder / f"{name}_{kind}_web"
        to_web(folder / f"{name}.h5", web, kind)
        to_h5(web / "model.json", folder / f"{name}_{kind}_back.h5")
        back = keras.saving.load_model(folder / f"{name}_{kind}_back.h5", compile=False)
        yield kind, float(np.abs(np.ravel(first(back(probe))) - expected).max() / np.abs(expected).max())


def first(scores: Any) -> Any:
    return scores[0] if isinstance(scores, list | tuple) else scores


def to_web(h5: Path, folder: Path, kind: str) -> None:
    """Write a Keras .h5 as the tensorflowjs converter does: a manifest in the order of layers, shards of 4 kB."""
    folder.mkdir()
    entries, content = [], b""
    with h5py.File(h5) as file:
        config = json.loads(file.attrs["model_config"])
        for layer in file["model_weights"].attrs["layer_names"]:
            group = file["model_weights"][layer]
            for weight in group.attrs["weight_names"]:
                entry, stored = packed(group[weight][...], kind)
                entries.append({"name": str(weight).removesuffix(":0"), **entry})
                content += stored
    shards = [content[k : k + 4096] for k in range(0, len(content), 4096)]
    names = [f"group1-shard{k + 1}of{len(shards)}.bin" for k in range(len(shards))]
    for name, shard in zip(names, shards, strict=True):
        (folder / name).write_bytes(shard)
    topology = {"keras_version": "2.15.0", "backend": "tensorflow", "model_config": config}
    manifest = [{"paths": names, "weights": entries}]
    text = json.dumps({"format": "layers-model", "modelTopology": topology, "weightsManifest": manifest})
    (folder / "model.json").write_text(text)


def packed(values: Any, kind: str) -> tuple[dict[str, Any], bytes]:
    entry: dict[str, Any] = {"shape": list(values.shape), "dtype": "float32"}
    if kind == "float32":
        return entry, values.astype("<f4").tobytes()
    if kind == "float16":
        return entry | {"quantization": {"dtype": kind, "original_dtype": "float32"}}, values.astype("<f2").tobytes()
    steps = 256 ** ITEM_BYTES[kind] - 1
    least, scale = float(values.min()), float(max(np.ptp(values), 1e-6)) / steps
    stored = np.round((values - least) / scale).astype(f"<u{ITEM_BYTES[kind]}")
    return entry | {"quantization": {"dtype": kind, "min": least, "scale": scale}}, stored.tobytes()


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main(Path(sys.argv[1]))
