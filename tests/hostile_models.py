"""Models that must not pass the gate, made here and now: none of them is kept as a file.

Each function writes one into a folder and gives its path. Where a payload can do something, it would make the file
`marker`. Beside it stands the word that the refusal has to say, so that it is refused for the right reason.
"""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from napari_vol3d.io.network_files.saved_model import message_class

Maker = Callable[[Path, Path], Path]
HOSTILE: dict[str, tuple[Maker, str]] = {}
FILTERS = 4


def hostile(word: str) -> Callable[[Maker], Maker]:
    """Register a maker with the word that its refusal must say."""

    def register(maker: Maker) -> Maker:
        HOSTILE[maker.__name__] = maker, word
        return maker

    return register


# ---- the harmless network that all of them begin as ----------------------------------------------------------------


def keras3(name: str, kind: str, config: dict[str, Any], module: str = "keras.layers", **more: Any) -> dict[str, Any]:
    return {
        "module": module, "class_name": kind, "config": {"name": name, **config}, "registered_name": None, "name": name,
        "inbound_nodes": [], **more,
    }  # fmt: skip


def conv(name: str = "conv", **changes: Any) -> dict[str, Any]:
    config = {
        "filters": FILTERS, "kernel_size": [3, 3, 3], "strides": [1, 1, 1], "padding": "same",
        "data_format": "channels_last", "activation": "relu",
        "kernel_initializer": {"module": "keras.initializers", "class_name": "Zeros", "config": {}},
    }  # fmt: skip
    return keras3(name, "Conv3D", {**config, **changes}, build_config={"input_shape": [None, 8, 8, 8, 1]})


def network(*layers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    first = keras3("input", "InputLayer", {"batch_shape": [None, 8, 8, 8, 1], "dtype": "float32"})
    inside = {"name": "net", "layers": [first, *layers], "input_layers": [["input", 0, 0]], "output_layers": []}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": inside, **changes}


def weights(write: Callable[[h5py.File], None] | None = None, **options: Any) -> bytes:
    """Weights as Keras 3 stores them, changed by `write`."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        group = file.create_group("layers/conv/vars")
        group["0"] = np.zeros((3, 3, 3, 1, FILTERS), np.float32)
        group["1"] = np.zeros(FILTERS, np.float32)
        if write:
            write(file)
    return buffer.getvalue()


def keras_file(folder: Path, config: Any = None, *, arrays: bytes | None = None, **members: bytes) -> Path:
    path = folder / "net.keras"
    text = config if isinstance(config, bytes) else json.dumps(config or network(conv())).encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", text)
        archive.writestr("model.weights.h5", arrays or weights())
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def h5_file(folder: Path, config: Any = None, write: Callable[[h5py.File], None] | None = None) -> Path:
    path = folder / "net.h5"
    with h5py.File(path, "w") as file:
        text = config if isinstance(config, str) else json.dumps(config or network(conv()))
        file.attrs["model_config"] = text
        file.attrs["keras_version"] = "2.15.0"
        group = file.create_group("model_weights/conv/conv")
        group["kernel:0"] = np.zeros((3, 3, 3, 1, FILTERS), np.float32)
        group["bias:0"] = np.zeros(FILTERS, np.float32)
        if write:
            write(file)
    return path


def node(name: str, op: str, *inputs: str, text: str = "", calls: str = "", **shape: int) -> Any:
    made = message_class("Node")(name=name.encode(), op=op.encode(), input=[x.encode() for x in inputs])
    if text:
        made.attr.add(key=b"value").value.tensor.strings.append(text.encode())
    if calls:
        made.attr.add(key=b"f").value.func.name = calls.encode()
    if shape:
        made.attr.add(key=b"value").value.tensor.shape.dim.add(size=shape["elements"])
    return made


def saved_model(folder: Path, change: Callable[[Any], None] | None = None) -> Path:
    """A SavedModel of one convolution in a function, with a saver as TensorFlow writes it, changed by `change`."""
    path = folder / "saved"
    (path / "variables").mkdir(parents=True)
    (path / "variables" / "variables.index").write_bytes(b"index")
    (path / "variables" / "variables.data-00000-of-00001").write_bytes(b"\0" * 448)
    model = message_class("SavedModel")()
    graph = model.graphs.add()
    graph.graph.node.extend([
        node("saver_filename", "Placeholder"), node("x", "Placeholder"), node("kernel", "VarHandleOp"),
        node("call", "StatefulPartitionedCall", "x", "kernel", calls="net"),
        node("save", "StatefulPartitionedCall", "saver_filename", "kernel", calls="saves"),
        node("restore", "StatefulPartitionedCall", "saver_filename", calls="restores"),
    ])  # fmt: skip
    saver = graph.saver
    saver.filename, saver.save, saver.restore = b"saver_filename:0", b"save:0", b"restore"
    read = node("read", "ReadVariableOp", "k")
    add_function(graph, "net", ["x", "k"], read, node("y", "Conv3D", "x", "read:value:0"))
    add_function(graph, "saves", ["prefix", "k"], node("s", "SaveV2", "prefix", "names", "names", "k"))
    add_function(graph, "restores", ["prefix"], node("r", "RestoreV2", "prefix", "names", "names"))
    item = graph.objects.node.add()
    item.variable.name = b"kernel"
    item.variable.shape.dim.add(size=108)
    if change:
        change(graph)
    (path / "saved_model.pb").write_bytes(model.SerializeToString())
    return path


def add_function(graph: Any, name: str, arguments: list[str], *nodes: Any) -> None:
    function = graph.graph.library.function.add()
    function.signature.name = name.encode()
    for argument in arguments:
        function.signature.argument.add(name=argument.encode())
    function.node.extend(nodes)


def tfjs(folder: Path, *, shard: str = "group1-shard1of1.bin", config: Any = None, **changes: Any) -> Path:
    path = folder / "web"
    path.mkdir()
    numbers = np.zeros(27 * FILTERS + FILTERS, np.float32).tobytes()
    (path / "group1-shard1of1.bin").write_bytes(numbers)
    entries = [
        {"name": "conv/kernel", "shape": [3, 3, 3, 1, FILTERS], "dtype": "float32"},
        {"name": "conv/bias", "shape": [FILTERS], "dtype": "float32", **changes},
    ]
    topology = {"keras_version": "2.7.0", "backend": "tensorflow", "model_config": config or network(conv())}
    content = {
        "format": "layers-model", "modelTopology": topology,
        "weightsManifest": [{"paths": [shard], "weights": entries}],
    }  # fmt: skip
    (path / "model.json").write_text(json.dumps(content))
    return path


def package(folder: Path, *, source: str = "net.keras", said: str = "") -> Path:
    """A bioimage.io package around the harmless network."""
    path = folder / "package"
    path.mkdir()
    keras_file(path)
    (path / "rdf.yaml").write_text(f"""
format_version: 0.4.9
type: model
name: net
inputs: [{{name: raw, axes: bzyxc, data_type: float32, shape: [1, 8, 8, 8, 1]}}]
outputs: [{{name: labels, axes: bzyxc, data_type: float32, shape: [1, 8, 8, 8, {FILTERS}]}}]
weights: {{keras_hdf5: {{source: {source}}}}}
{said}
""")
    return path


def code(marker: Path) -> str:
    """Bytecode of a function that makes the marker, as Keras 2 stores a Lambda's."""
    import marshal

    made = compile(f"open({str(marker)!r}, 'w').close()", "x", "exec")
    return base64.b64encode(marshal.dumps(made)).decode()


# ---- .keras: code and files by name ----------------------------------------------------------------------------------


def lambda_layer(marker: Path) -> dict[str, Any]:
    function = {"class_name": "__lambda__", "config": {"code": code(marker), "defaults": None, "closure": None}}
    return keras3("evil", "Lambda", {"function": function})


@hostile("Lambda")
def lambda_in_keras(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), lambda_layer(marker)))


@hostile("Lambda")
def lambda_in_a_nested_network(folder: Path, marker: Path) -> Path:
    inner = {**network(conv("inner"), lambda_layer(marker)), "name": "inner_net", "inbound_nodes": []}
    return keras_file(folder, network(conv(), {**network(inner), "name": "outer"}))


@hostile("Lambda")
def lambda_in_h5(folder: Path, marker: Path) -> Path:
    layer = {"class_name": "Lambda", "config": {"name": "evil", "function": [code(marker), None, None]}}
    return h5_file(folder, network(conv(), layer))


@hostile("__lambda__")
def lambda_as_activation(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(activation=lambda_layer(marker)["config"]["function"])))


@hostile("Lambda")
def lambda_in_a_wrapped_layer(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("wrap", "SpectralNormalization", {"layer": lambda_layer(marker)})))


@hostile("Lambda")
def lambda_in_arguments_of_a_call(folder: Path, marker: Path) -> Path:
    called = {**conv(), "inbound_nodes": [{"args": [lambda_layer(marker)], "kwargs": {}}]}
    return keras_file(folder, network(called))


@hostile("Lambda")
def time_distributed_lambda(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(keras3("wrap", "TimeDistributed", {"layer": lambda_layer(marker)})))


@hostile("Slices of slices")
def slices_of_slices(folder: Path, marker: Path) -> Path:
    inner = keras3("inner", "TimeDistributed", {"layer": lambda_layer(marker)})
    return keras_file(folder, network(keras3("wrap", "TimeDistributed", {"layer": inner})))


@hostile("Lambda")
def lambda_in_a_network_of_slices(folder: Path, marker: Path) -> Path:
    inner = network(keras3("flat", "Conv2D", {"filters": 1, "kernel_size": [1, 1]}), lambda_layer(marker))
    return keras_file(folder, network(conv(), keras3("wrap", "TimeDistributed", {"layer": {**inner, "name": "n"}})))


@hostile("Lambda")
def lambda_in_slices_in_h5(folder: Path, marker: Path) -> Path:
    inner = {"class_name": "Lambda", "config": {"name": "evil", "function": [code(marker), None, None]}}
    layer = {"class_name": "TimeDistributed", "config": {"name": "wrap", "layer": inner}}
    return h5_file(folder, network(conv(), layer))


@hostile("system")
def system_as_function(folder: Path, marker: Path) -> Path:
    function = {"class_name": "function", "config": "system", "module": "os", "registered_name": "system"}
    return keras_file(folder, network(conv(activation=function)))


@hostile("Popen")
def popen_as_layer(folder: Path, marker: Path) -> Path:
    layer = keras3("evil", "Popen", {"args": ["touch", str(marker)]}, module="subprocess")
    return keras_file(folder, network(conv(), layer))


@hostile("subprocess")
def known_name_of_a_strange_module(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "Dense", {"units": 1}, module="subprocess")))


@hostile("get_file")
def get_file(folder: Path, marker: Path) -> Path:
    function = {"class_name": "function", "config": "get_file", "module": "keras.utils", "registered_name": "get_file"}
    return keras_file(folder, network(conv(kernel_initializer=function)))


@hostile("enable_unsafe_deserialization")
def unsafe_deserialization(folder: Path, marker: Path) -> Path:
    layer = keras3("evil", "enable_unsafe_deserialization", {}, module="keras.config")
    return keras_file(folder, network(layer, conv()))


@hostile("load_model")
def load_model_as_layer(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "load_model", {"filepath": "x"}, module="keras.saving")))


@hostile("set_global_attribute")
def set_global_attribute(folder: Path, marker: Path) -> Path:
    layer = keras3("evil", "set_global_attribute", {}, module="keras.src.backend.common.global_state")
    return keras_file(folder, network(conv(), layer))


@hostile("StringLookup")
def vocabulary_of_a_path(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "StringLookup", {"vocabulary": "/etc/passwd"})))


@hostile("TFSMLayer")
def saved_model_as_layer(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "TFSMLayer", {"filepath": str(folder)})))


@hostile("TorchModuleWrapper")
def torch_as_layer(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "TorchModuleWrapper", {"module": "gASV"})))


@hostile("MySecretLayer")
def unknown_layer(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("mine", "MySecretLayer", {}, module="my.package")))


@hostile("io.read_file")
def tensorflow_function(folder: Path, marker: Path) -> Path:
    layer = {"class_name": "TFOpLambda", "config": {"name": "evil", "function": "io.read_file"}, "name": "evil"}
    return h5_file(folder, network(conv(), layer))


@hostile("TensorFlowOpLayer")
def tensorflow_op(folder: Path, marker: Path) -> Path:
    layer = {"class_name": "TensorFlowOpLayer", "config": {"name": "evil", "node_def": "op: 'WriteFile'"}}
    return h5_file(folder, network(conv(), layer))


@hostile("Map")
def keras_op_with_a_function(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("evil", "Map", {}, module="keras.src.ops.core")))


# ---- .keras: archives and sizes --------------------------------------------------------------------------------------


@hostile("bomb")
def bomb_in_the_config(folder: Path, marker: Path) -> Path:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (64 << 20))
        archive.writestr("model.weights.h5", weights())
    return path


@hostile("bomb")
def bomb_in_the_weights(folder: Path, marker: Path) -> Path:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", json.dumps(network(conv())))
        archive.writestr("model.weights.h5", weights() + b"\0" * (64 << 20))
    return path


@hostile("Too large")
def config_without_end(folder: Path, marker: Path) -> Path:
    return keras_file(folder, os.urandom(17 << 20))


@hostile("deep")
def deep_json(folder: Path, marker: Path) -> Path:
    return keras_file(folder, b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}")


@hostile("deep")
def deep_json_in_h5(folder: Path, marker: Path) -> Path:
    return h5_file(folder, '{"a":' * 200_000 + "1" + "}" * 200_000)


@hostile("twice")
def a_key_twice(folder: Path, marker: Path) -> Path:
    good = json.dumps(network(conv()))
    second = json.dumps({"layers": [lambda_layer(marker)]})
    return keras_file(folder, f'{good[:-1]}, "config": {second}}}'.encode())


@hostile("NaN")
def not_a_number(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(activity=float("nan"))))


@hostile("leave")
def traversal(folder: Path, marker: Path) -> Path:
    return keras_file(folder, **{f"../../{marker.name}": b"x"})


@hostile("leave")
def traversal_in_windows_words(folder: Path, marker: Path) -> Path:
    return keras_file(folder, **{f"..\\{marker.name}": b"x"})


@hostile("assets")
def assets(folder: Path, marker: Path) -> Path:
    return keras_file(folder, **{"assets/vocabulary.txt": b"x"})


@hostile("link")
def link_in_the_archive(folder: Path, marker: Path) -> Path:
    path = folder / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(network(conv())))
        info = zipfile.ZipInfo("model.weights.h5")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return path


@hostile("one name")
def member_twice(folder: Path, marker: Path) -> Path:
    path = keras_file(folder)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings(action="ignore"):
        archive.writestr("config.json", json.dumps(network(lambda_layer(marker))))
    return path


@hostile("need")
def layer_of_16_gigabytes(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("huge", "Dense", {"units": 4_000_000_000})))


@hostile("need")
def convolution_of_gigabytes(folder: Path, marker: Path) -> Path:
    huge = {**conv("huge", filters=20_000), "build_config": {"input_shape": [None, 8, 8, 8, 20_000]}}
    return keras_file(folder, network(conv(), huge))


@hostile("size")
def absurd_padding(folder: Path, marker: Path) -> Path:
    return keras_file(folder, network(conv(), keras3("pad", "ZeroPadding3D", {"padding": [[10**9, 0]] * 3})))


@hostile("archive")
def cut_archive(folder: Path, marker: Path) -> Path:
    path = keras_file(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


# ---- HDF5 ------------------------------------------------------------------------------------------------------------


def secret(folder: Path) -> Path:
    path = folder / "secret.bin"
    path.write_bytes(b"\1" * 4096)
    return path


@hostile("external storage")
def external_storage(folder: Path, marker: Path) -> Path:
    outside = [(str(secret(folder)), 0, 4096)]
    return keras_file(
        folder, arrays=weights(lambda file: file.create_dataset("layers/x", (1024,), "f4", external=outside))
    )


@hostile("external link")
def external_link(folder: Path, marker: Path) -> Path:
    def link(file: h5py.File) -> None:
        file["layers/x"] = h5py.ExternalLink(str(folder / "other.h5"), "/secret")

    return h5_file(folder, write=link)


@hostile("soft link")
def soft_link(folder: Path, marker: Path) -> Path:
    def link(file: h5py.File) -> None:
        file["layers/x"] = h5py.SoftLink("/model_weights/conv/conv/kernel:0")

    return keras_file(folder, arrays=weights(link))


@hostile("virtual")
def virtual_dataset(folder: Path, marker: Path) -> Path:
    def link(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((4,), "f4")
        layout[:] = h5py.VirtualSource(str(folder / "other.h5"), "secret", (4,))
        file.create_virtual_dataset("layers/x", layout)

    return h5_file(folder, write=link)


@hostile("claims")
def shape_bomb(folder: Path, marker: Path) -> Path:
    shape = (200_000, 200_000)
    return h5_file(folder, write=lambda f: f.create_dataset("model_weights/x", shape, "f4", chunks=(64, 64)))


@hostile("two names")
def hard_link_cycle(folder: Path, marker: Path) -> Path:
    def link(file: h5py.File) -> None:
        file["layers/conv/again"] = file["layers"]

    return keras_file(folder, arrays=weights(link))


@hostile("not numbers")
def objects_in_h5(folder: Path, marker: Path) -> Path:
    words = np.array(["gASV" * 10], dtype=object)
    return h5_file(folder, write=lambda f: f.create_dataset("model_weights/x", data=words, dtype=h5py.string_dtype()))


@hostile("chunk")
def deflated_bomb_in_h5(folder: Path, marker: Path) -> Path:
    def write(file: h5py.File) -> None:
        made = file.create_dataset("model_weights/x", (1 << 16,), "u1", chunks=(1 << 16,), compression="gzip")
        made.id.write_direct_chunk((0,), zlib.compress(b"\0" * (64 << 20), 9))

    return h5_file(folder, write=write)


@hostile("HDF5")
def cut_h5(folder: Path, marker: Path) -> Path:
    path = h5_file(folder)
    path.write_bytes(path.read_bytes()[:700])
    return path


# ---- SavedModel ------------------------------------------------------------------------------------------------------


@hostile("WriteFile")
def write_file_at_the_top(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        graph.graph.node.append(node("w", "WriteFile", "name", "name"))
        graph.graph.node.append(node("name", "Const", text=str(marker)))

    return saved_model(folder, change)


@hostile("WriteFile")
def write_file_in_a_nested_function(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        add_function(graph, "inner", [], node("w", "WriteFile", "n", "n"))
        add_function(graph, "outer", [], node("call", "PartitionedCall", calls="inner"))

    return saved_model(folder, change)


@hostile("ReadFile")
def read_file(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: graph.graph.node.append(node("r", "ReadFile", "x")))


@hostile("EagerPyFunc")
def python_function(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: add_function(graph, "f", [], node("p", "EagerPyFunc", "x")))


@hostile("DatasetFromGraph")
def graph_in_a_graph(folder: Path, marker: Path) -> Path:
    hidden = message_class("Graph")(node=[node("w", "WriteFile", "a", "b")]).SerializeToString().decode("latin-1")

    def change(graph: Any) -> None:
        graph.graph.node.extend([node("g", "Const", text=hidden), node("d", "DatasetFromGraph", "g")])

    return saved_model(folder, change)


@hostile("RestoreV2")
def restore_of_another_file(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        graph.graph.node.extend([node("n", "Const", text="/etc/passwd"), node("r", "RestoreV2", "n", "n", "n")])

    return saved_model(folder, change)


@hostile("SaveV2")
def saver_that_saves_elsewhere(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        saves = graph.graph.library.function[1]
        saves.node[0].input[0] = b"n:output:0"
        saves.node.append(node("n", "Const", text=str(marker)))

    return saved_model(folder, change)


@hostile("SaveV2")
def saver_called_with_another_name(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        graph.graph.node.extend([
            node("n", "Const", text=str(marker)), node("evil", "StatefulPartitionedCall", "n", "kernel", calls="saves"),
        ])  # fmt: skip

    return saved_model(folder, change)


@hostile("SaveV2")
def saver_that_the_objects_hand_out(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: graph.objects.function.add(key=b"saves"))


@hostile("SaveV2")
def saver_of_no_saver(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: add_function(graph, "f", ["p"], node("s", "SaveV2", "p", "p", "p")))


@hostile("resource")
def resource_made_at_load(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: graph.objects.node.add().resource.SetInParent())


@hostile("asset")
def asset(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: graph.assets.add(filename=b"../../etc/passwd"))


@hostile("assets/")
def asset_folder(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    (path / "assets").mkdir()
    (path / "assets" / "x.txt").write_text("x")
    return path


@hostile("NoSuchOp")
def call_of_no_function(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        graph.graph.node.append(node("c", "PartitionedCall", calls="NoSuchOp"))

    return saved_model(folder, change)


@hostile("WriteFile")
def second_graph(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    extra = message_class("SavedModel")()
    extra.graphs.add().graph.node.append(node("w", "WriteFile", "a", "b"))
    with (path / "saved_model.pb").open("ab") as file:  # protocol buffers that follow one another are merged
        file.write(extra.SerializeToString())
    return path


@hostile("claims")
def constant_of_gigabytes(folder: Path, marker: Path) -> Path:
    return saved_model(folder, lambda graph: graph.graph.node.append(node("c", "Const", elements=1 << 40)))


@hostile("claim")
def variable_of_gigabytes(folder: Path, marker: Path) -> Path:
    def change(graph: Any) -> None:
        graph.objects.node[0].variable.shape.dim.add(size=1 << 32)

    return saved_model(folder, change)


@hostile("link")
def link_in_a_saved_model(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    data = path / "variables" / "variables.data-00000-of-00001"
    data.unlink()
    data.symlink_to("/etc/passwd")
    return path


@hostile("pipe")
def pipe_in_a_saved_model(folder: Path, marker: Path) -> Path:
    path = saved_model(folder)
    os.mkfifo(path / "variables" / "variables.more")
    return path


@hostile("WriteFile")
def zipped_saved_model(folder: Path, marker: Path) -> Path:
    inside = saved_model(folder, lambda graph: graph.graph.node.append(node("w", "WriteFile", "a", "b")))
    path = folder / "saved.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in inside.rglob("*"):
            archive.write(file, file.relative_to(folder))
    return path


# ---- TensorFlow.js, bioimage.io, StarDist, and what is no model ------------------------------------------------------


@hostile("outside")
def shard_outside(folder: Path, marker: Path) -> Path:
    secret(folder)
    return tfjs(folder, shard="../secret.bin")


@hostile("outside")
def shard_on_the_net(folder: Path, marker: Path) -> Path:
    return tfjs(folder, shard="http://127.0.0.1:9/x.bin")


@hostile("link")
def shard_that_is_a_link(folder: Path, marker: Path) -> Path:
    path = tfjs(folder)
    shard = path / "group1-shard1of1.bin"
    shard.unlink()
    shard.symlink_to(secret(folder))
    return path


@hostile("claims")
def shard_too_short(folder: Path, marker: Path) -> Path:
    return tfjs(folder, shape=[1 << 40])


@hostile("called")
def array_with_a_path_for_a_name(folder: Path, marker: Path) -> Path:
    return tfjs(folder, name="../../conv/bias")


@hostile("Lambda")
def lambda_in_tfjs(folder: Path, marker: Path) -> Path:
    return tfjs(folder, config=network(conv(), lambda_layer(marker)))


@hostile("leaves")
def package_traversal(folder: Path, marker: Path) -> Path:
    return package(folder, source="../../secret.keras")


@hostile("net")
def package_from_the_net(folder: Path, marker: Path) -> Path:
    return package(folder, source="http://127.0.0.1:9/net.keras")


@hostile("rdf.yaml")
def package_that_builds_objects(folder: Path, marker: Path) -> Path:
    return package(folder, said=f"evil: !!python/object/apply:os.system ['touch {marker}']")


@hostile("Lambda")
def package_of_a_lambda(folder: Path, marker: Path) -> Path:
    path = package(folder)
    keras_file(path, network(conv(), lambda_layer(marker)))
    return path


class Evil:
    """What unpickling would run."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.marker}",)


@hostile("pickle")
def pickled_model(folder: Path, marker: Path) -> Path:
    path = folder / "net.h5"
    path.write_bytes(pickle.dumps(Evil(marker), protocol=2))
    return path


@hostile("PyTorch")
def torch_checkpoint(folder: Path, marker: Path) -> Path:
    path = folder / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickle.dumps(Evil(marker)))
    return path


@hostile("NumPy")
def pickled_npy(folder: Path, marker: Path) -> Path:
    path = folder / "net.npy"
    np.save(path, np.array([Evil(marker)], dtype=object), allow_pickle=True)
    return path


@hostile("NumPy")
def pickled_npz(folder: Path, marker: Path) -> Path:
    path = folder / "net.npz"
    np.savez(path, x=np.array([Evil(marker)], dtype=object))
    return path


@hostile("pipe")
def a_pipe(folder: Path, marker: Path) -> Path:
    path = folder / "net.keras"
    os.mkfifo(path)
    return path


@hostile("Empty")
def an_empty_file(folder: Path, marker: Path) -> Path:
    path = folder / "net.keras"
    path.touch()
    return path
