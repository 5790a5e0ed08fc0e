"""More models that must not pass the gate: they use up time or memory, or are no models where it is assumed.

Registered beside those of `hostile_models`, of which they are changes.
"""

from __future__ import annotations

import json
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.hostile_models import (
    add_function,
    conv,
    h5_file,
    hostile,
    keras3,
    keras_file,
    network,
    node,
    package,
    saved_model,
    tfjs,
    weights,
)

# ---- .keras and .h5: what is no layer, and what is too much of it ----------------------------------------------------


@hostile("Not allowed")
def function_that_is_a_record(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(activation={"class_name": "function", "config": {"a": 1}})))


@hostile("Not allowed")
def tensorflow_function_that_is_a_list(folder: Path, marker: Path) -> Path:
    return h5_file(folder, network(conv(), {"class_name": "TFOpLambda", "config": {"function": ["io.read_file"]}}))


@hostile("entry 3")
def layer_that_is_a_word(folder: Path, marker: Path) -> Path:
    made = network(conv())
    made["config"]["layers"].append("evil")
    return keras_file(folder, made)


@hostile("no list")
def layers_that_are_a_record(folder: Path, marker: Path) -> Path:
    made = network(conv())
    made["config"]["layers"] = {"0": conv()}
    return keras_file(folder, made)


@hostile("usable name")
def layer_named_by_a_list(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network({**conv(), "name": ["conv"]}))


@hostile("called more than")
def networks_that_double(folder: Path, marker: Path) -> Path:
    """Each network calls the one inside it twice: the innermost layer runs 2**30 times."""
    inner = conv()
    for level in range(30):
        inner = {**network({**inner, "inbound_nodes": [[], []]}), "name": f"net_{level}"}
    return keras_file(folder, inner)


@hostile("called more than")
def twenty_thousand_layers(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(*({"class_name": "ReLU", "config": {"name": str(n)}} for n in range(20_000))))


@hostile("Absurd size: filters")
def fewer_filters_than_none(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(filters=-(10**9)), keras3("huge", "Dense", {"units": 10**9})))


@hostile("Absurd size: batch_shape")
def input_of_exabytes(folder: Path, marker: Path) -> Path:
    made = network(keras3("alpha", "PReLU", {}), conv())
    made["config"]["layers"][0]["config"]["batch_shape"] = [None, 10**6, 10**6, 10**6, 1]
    return keras_file(folder, made)


@hostile("Absurd size: num_heads")
def heads_without_number(folder: Path, marker: Path) -> Path:
    heads = {"num_heads": 10**5, "key_dim": 10**5}
    return keras_file(folder, network(conv(), keras3("a", "MultiHeadAttention", heads)))


@hostile("Not numbers")
def array_whose_numbers_are_arrays(folder: Path, marker: Path) -> Path:
    bomb = {"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "(2000000000,)f8"}}
    return keras_file(folder, network({**conv(), "inbound_nodes": [{"args": [bomb], "kwargs": {}}]}))


@hostile("surrogate")
def half_of_a_letter(folder: Path, marker: Path) -> Path:
    return keras_file(folder, json.dumps(network(conv("\ud800"))).encode())


@hostile("utf-8")
def json_in_utf_16(folder: Path, marker: Path) -> Path:
    """A parser that guesses the encoding sees deeper brackets than one that counts them in bytes."""
    return keras_file(folder, json.dumps(network(conv())).encode("utf-16"))


def packed(folder: Path, **members: bytes | str) -> Path:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return path


@hostile("metadata.json")
def archive_without_metadata(folder: Path, marker: Path) -> Path:
    return packed(folder, config_json=json.dumps(network(conv())), model_weights_h5=weights())


@hostile("metadata.json")
def metadata_that_is_a_list(folder: Path, marker: Path) -> Path:
    made = json.dumps(network(conv()))
    return packed(folder, config_json=made, metadata_json="[1]", model_weights_h5=weights())


@hostile("Too large")
def weights_that_unpack_to_a_gigabyte(folder: Path, marker: Path) -> Path:
    path = packed(folder, config_json=json.dumps(network(conv())), metadata_json="{}")
    grain = os.urandom(20_000) + bytes(980_000)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive, archive.open("model.weights.h5", "w") as file:
        for _ in range(300):
            file.write(grain)
    return path


@hostile("is no text")
def thousand_times_the_same_long_text(folder: Path, marker: Path) -> Path:
    """A list of texts whose entries all point to one: a few megabytes unfold to gigabytes when it is read."""
    path, length, count = h5_file(folder), 1 << 20, 3_000
    with h5py.File(path, "a") as file:
        del file.attrs["keras_version"]
        words = np.array(["z" * length, *map(str, range(1, count))], dtype=object)
        file.attrs.create("keras_version", words, dtype=h5py.string_dtype())
    content, size = bytearray(path.read_bytes()), struct.pack("<I", length)
    at = content.find(size)
    while content[at + 16 : at + 20] != struct.pack("<I", 1):  # a length, an address, an index; then the next
        at = content.find(size, at + 1)
    content[at : at + 16 * count] = content[at : at + 16] * count
    path.write_bytes(content)
    return path


@hostile("Too many pieces")
def array_in_crumbs(folder: Path, marker: Path) -> Path:
    crumbs = {"data": np.zeros(30_000, "u1"), "chunks": (1,), "compression": "gzip"}
    return h5_file(folder, write=lambda file: file.create_dataset("model_weights/x", **crumbs))


@hostile("can't be read")
def chunk_that_does_not_unpack(folder: Path, marker: Path) -> Path:
    def write(file: h5py.File) -> None:
        made = file.create_dataset("model_weights/x", (64,), "u1", chunks=(64,), compression="gzip")
        made.id.write_direct_chunk((0,), b"\x78\x9c" + b"\xff" * 40)

    return h5_file(folder, write=write)


@hostile("hidden letters")
def file_name_that_steers_a_terminal(folder: Path, marker: Path) -> Path:
    return keras_file(folder).rename(folder / "net\x1b[2J.keras")


# ---- SavedModel ------------------------------------------------------------------------------------------------------


@hostile("calls itself")
def function_that_calls_itself(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        add_function(graph, "f", [], node("c", "PartitionedCall", calls="g"))
        add_function(graph, "g", [], node("c", "PartitionedCall", calls="f"))

    return saved_model(folder, change)


@hostile("more than 200,000 ops")
def functions_that_double(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        for level in range(40):
            calls = [node(word, "PartitionedCall", calls=f"f{level + 1}") for word in "ab"]
            add_function(graph, f"f{level}", [], *calls)
        add_function(graph, "f40", ["x"], node("y", "Identity", "x"))

    return saved_model(folder, change)


@hostile("is a folder")
def graph_that_is_a_folder(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    (path / "saved_model.pb").unlink()
    (path / "saved_model.pb").mkdir()
    return path


@hostile("GB for")
def holes_without_end(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    os.truncate(path / "variables" / "variables.data-00000-of-00001", 3 << 30)
    return path


@hostile("GB for")
def holes_behind_an_h5(folder: Path, marker: Path) -> Path:
    path = h5_file(folder)
    os.truncate(path, 3 << 30)
    return path


@hostile("Too many files")
def folders_without_end(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    for number in range(10_001):
        (path / str(number)).mkdir()
    return path


# ---- TensorFlow.js, bioimage.io, StarDist ----------------------------------------------------------------------------


def rewritten(path: Path, change: Callable[[Any], Any]) -> Path:
    content = json.loads((path / "model.json").read_text())
    change(content)
    (path / "model.json").write_text(json.dumps(content))
    return path


@hostile("twice")
def shard_that_counts_a_thousand_times(folder: Path, marker: Path) -> Path:
    def change(content: Any) -> None:
        group = content["weightsManifest"][0]
        group["paths"] *= 1000
        group["weights"][1]["shape"] = [112 * 1000 - 108]

    return rewritten(tfjs(folder), change)


@hostile("twice")
def two_arrays_of_one_name(folder: Path, marker: Path) -> Path:
    return tfjs(folder, name="conv/kernel")


@hostile("twice")
def array_in_an_array(folder: Path, marker: Path) -> Path:
    return tfjs(folder, name="conv/kernel/x")


@hostile("as usual")
def layer_that_is_a_word_in_tfjs(folder: Path, marker: Path) -> Path:
    return rewritten(
        tfjs(folder), lambda content: content["modelTopology"]["model_config"]["config"]["layers"].append("evil")
    )


@hostile("unfolds")
def package_that_merges_without_end(folder: Path, marker: Path) -> Path:
    wide = ", ".join(f"k{number}: 1" for number in range(2_000))
    return package(folder, said=f"m: &m {{{wide}}}\n" + "\n".join(f"n{n}: {{<<: *m}}" for n in range(900)))


def stardist(folder: Path, **changes: Any) -> Path:
    config = {
        "n_dim": 3, "n_rays": 8, "n_channel_in": 1, "grid": [1, 1, 1], "backbone": "unet", "unet_n_depth": 2,
        "unet_kernel_size": [3, 3, 3], "unet_pool": [2, 2, 2], "unet_n_filter_base": 2, "unet_n_conv_per_depth": 2,
        "unet_activation": "relu", **changes,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    with h5py.File(folder / "weights_best.h5", "w") as file:
        file.attrs["layer_names"] = np.array([b"conv"])
        file["conv/kernel:0"] = np.zeros((3, 3, 3, 4, 4), np.float32)
    return folder


@hostile("backbone")
def stardist_of_no_backbone(folder: Path, marker: Path) -> Path:
    return stardist(folder, backbone=["unet"])


@hostile("unet_n_depth")
def stardist_without_bottom(folder: Path, marker: Path) -> Path:
    return stardist(folder, unet_n_depth=10**9)


@hostile("need")
def stardist_of_terabytes(folder: Path, marker: Path) -> Path:
    return stardist(folder, unet_n_filter_base=4096, unet_n_depth=10)


@hostile("activation")
def stardist_with_code_as_activation(folder: Path, marker: Path) -> Path:
    return stardist(folder, unet_activation="os.system")
