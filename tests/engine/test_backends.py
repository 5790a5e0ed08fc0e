"""The same network gives the same labels on another backend, and on TensorFlow's CPU it runs in fused kernels."""

from __future__ import annotations

import importlib.util
import threading
from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from napari_vol3d.core.blend import OverlapPlan
from napari_vol3d.core.box import Box
from napari_vol3d.core.errors import EngineProblem, ScanMismatch, Vol3dError
from napari_vol3d.core.intensity import IntensityMap
from napari_vol3d.core.resample import grid_map
from napari_vol3d.core.tiles import TilePlan
from napari_vol3d.engine.backends import compile_function, full_precision, gist, library_errors, ran_out_of_memory
from napari_vol3d.engine.kernel import PatchKernel, intensity_rows
from napari_vol3d.engine.load import load_network
from napari_vol3d.engine.messages import LoadModels, ModelFile, Open, Patch
from napari_vol3d.engine.serve import Server
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.handing import hand_over, loading
from tests.builders import random_unet, write_model

INTENSITY = (IntensityMap(low=-np.inf, high=np.inf, shift=100.0, scale=0.05),)
SHAPE = (15, 12, 8)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    network = random_unet(activation="relu", residual=False)
    network.layers[-1].bias.assign([0.1, 0.2, 0.3])  # zeros would be optimised away, and with them what is fused
    return write_model(tmp_path_factory.mktemp("model"), network)


# ---- compiling ------------------------------------------------------------------------------------------------------


def test_a_function_is_traced_once_for_all_shapes():
    traced = []

    def function(values, factors):
        traced.append(tuple(values.shape))
        return keras.ops.cast(values, "float32") * factors, keras.ops.sum(values)

    compiled = compile_function(function, [("int16", (None, None)), ("float32", (None,))])
    for shape in [(2, 3), (5, 1), (1, 1), (0, 4)]:
        values, factors = np.full(shape, 2, np.int16), np.arange(shape[1], dtype=np.float32)
        product, total = compiled(values, factors)
        np.testing.assert_array_equal(product, values * factors)
        assert (product.dtype, int(total)) == (np.float32, 2 * values.size)
    assert traced == [(None, None)]


def test_weights_are_those_of_the_moment_it_was_compiled():
    layer = layers.Dense(1)
    layer.build((None, 2))
    layer.set_weights([np.ones((2, 1), np.float32), np.zeros(1, np.float32)])
    compiled = compile_function(lambda values: (layer(values),), [("float32", (None, 2))])
    layer.set_weights([np.zeros((2, 1), np.float32), np.zeros(1, np.float32)])
    np.testing.assert_array_equal(compiled(np.array([[2.0, 3.0]], np.float32))[0], [[5.0]])


def optimised(call):
    """Kinds of nodes that TensorFlow runs in the largest graph of a call, with what was fused into them."""
    from tensorflow.python.eager import context

    context.context().enable_graph_collection()
    try:
        context.context().export_run_metadata()  # what others ran before is not of interest
        call()
        record = context.context().export_run_metadata()
    finally:
        context.context().disable_graph_collection()
    nodes = max((list(part.post_optimization_graph.node) for part in record.function_graphs), key=len)
    fused = (b"+".join(node.attr["fused_ops"].list.s).decode() for node in nodes)
    return Counter(f"{node.op} {parts}".strip() for node, parts in zip(nodes, fused, strict=True))


def has_onednn():
    from tensorflow.python.util import _pywrap_util_port

    return _pywrap_util_port.IsMklEnabled()


@pytest.mark.skipif(not has_onednn(), reason="TensorFlow fuses Conv3D with oneDNN only")
@pytest.mark.parametrize("resampled", [False, True])
@pytest.mark.parametrize("mirror_axes", [(), (2,)])
def test_every_convolution_of_a_kernel_is_one_with_bias_and_activation(model, resampled, mirror_axes):
    # Though the kernel does not know the patch's edges when it is compiled.
    network = load_network(model.weights, model.card)
    run = PatchKernel([network], dtype="uint16", resampled=resampled, mirror_axes=mirror_axes)
    ways = [np.eye(16, dtype=np.float32)] * (6 * resampled)
    nodes = optimised(lambda: run(np.full((16, 16, 16, 1), 100, np.uint16), intensity_rows(INTENSITY), ways))
    convolutions = sum(isinstance(layer, layers.Conv3D) for layer in network.model.layers)
    activations = sum(isinstance(layer, layers.ReLU) for layer in network.model.layers)
    assert (convolutions, activations) == (7, 6)
    passes = 1 + len(mirror_axes)
    fused = {name: n for name, n in nodes.items() if name.startswith("_FusedConv3D BiasAdd")}
    assert sum(fused.values()) == convolutions * passes
    assert fused["_FusedConv3D BiasAdd+Relu"] == activations * passes
    assert not {name.split()[0] for name in nodes} & {"Conv3D", "BiasAdd", "Relu", "ReadVariableOp", "XlaLaunch"}


def zeros_in_front(network):
    """A network that puts zeros around its patch, in front of convolutions that do so themselves."""
    inputs = keras.Input((None, None, None, 1))
    values = layers.Activation("linear")(layers.ZeroPadding3D(((2, 1), (0, 3), (1, 1)))(inputs))
    for number, activation in enumerate(("relu", None)):
        layer = layers.Conv3D(4, 3, padding="same", activation=activation, bias_initializer="normal")
        if network == "operations":
            values = keras.ops.pad(values, [[0, 0], *[[number, 1]] * 3, [0, 0]])
        values = layer(values)
    return keras.Model(inputs, layers.GlobalAveragePooling3D(keepdims=True)(values) * values)


@pytest.mark.parametrize("network", ["layers", "operations"])
def test_zeros_in_front_of_a_convolution_do_not_replace_its_own(network):
    model = zeros_in_front(network)
    compiled = compile_function(lambda batch: (model(batch, training=False),), [("float32", (1, None, None, None, 1))])
    for edges in [(8, 7, 9), (5, 6, 4)]:
        scan = np.random.default_rng(0).normal(size=(1, *edges, 1)).astype(np.float32)
        np.testing.assert_allclose(compiled(scan)[0], np.asarray(model(scan, training=False)), atol=1e-5)


@pytest.mark.skipif(not has_onednn(), reason="TensorFlow fuses Conv3D with oneDNN only")
def test_what_is_held_apart_is_still_fused_with_bias_and_activation():
    model = zeros_in_front("layers")
    compiled = compile_function(lambda batch: (model(batch, training=False),), [("float32", (1, None, None, None, 1))])
    nodes = optimised(lambda: compiled(np.ones((1, 8, 8, 8, 1), np.float32)))
    assert (nodes["_FusedConv3D BiasAdd+Relu"], nodes["_FusedConv3D BiasAdd"]) == (1, 1)
    assert not {name.split()[0] for name in nodes} & {"Conv3D", "BiasAdd", "Relu"}


# ---- errors ---------------------------------------------------------------------------------------------------------


def raised(call):
    with pytest.raises(library_errors()) as caught:
        call()
    return caught.value


def test_memory_that_tensorflow_does_not_get_is_recognised():
    error = raised(lambda: tf.zeros((1 << 20, 1 << 20, 1 << 10)))
    assert ran_out_of_memory(error)
    assert "OOM when allocating" in gist(error)


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 4503599627370496 bytes."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 8.42 GB, other allocations: 384.00 KB)"), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory"), True),
        (type("OutOfMemoryError", (RuntimeError,), {})("CUDA error"), True),
        (RuntimeError("INVALID_ARGUMENT: no room for doubt"), False),
        (ValueError(""), False),
    ],
)
def test_memory_in_the_words_of_other_libraries(error, memory):
    assert ran_out_of_memory(error) == memory


def test_the_gist_of_an_error_is_what_went_wrong(model):
    network = load_network(model.weights, model.card)
    run = PatchKernel([network], dtype="float32")
    odd = raised(lambda: run(np.zeros((7, 8, 8, 1), np.float32), intensity_rows(INTENSITY)))
    assert str(odd).startswith("Graph execution error")
    assert gist(odd).startswith("ConcatOp : Dimension 1 in both shapes must be equal")
    of_keras = raised(lambda: network.model(np.zeros((1, 8, 8, 8, 2), np.float32)))
    assert str(of_keras).startswith("Exception encountered when calling")
    assert "expected axis -1 of input shape to have value 1" in gist(of_keras)
    assert gist(ValueError()) == "ValueError"
    assert gist(TypeError("\n  first line.\nsecond")) == "first line"
    for error in (odd, of_keras):
        assert "\n" not in gist(error)
        assert "\x1b" not in gist(error)


# ---- other backends -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def jax_engine():
    pytest.importorskip("jax")
    engine = Engine(device="cpu", backend="jax")
    try:
        for _ in engine.wake():
            pass
        yield engine
    finally:
        engine.close()


def ask_engine(engine):
    def ask(request):
        engine.tell(request)
        while (report := engine.hear()) is None:
            pass
        return report

    return ask


def ask_here():
    inbox = type("Inbox", (), {"cancelled": threading.Event()})()
    server = Server(inbox)
    return lambda request: next(iter(server.answer(request)))


def labels_of(ask, folder, plan, grid, **changes):
    """Labels and probabilities of a scan that is the same each time, through the slots of an engine."""
    scan = np.random.default_rng(0).normal(100, 20, (*SHAPE, 1)).astype(np.int16)
    blended = isinstance(plan, OverlapPlan)
    size = SHAPE if blended else grid.largest_owned(plan)
    part = tuple(max(grid.needed(tile.patch).shape[a] for tile in plan) for a in range(3))
    part = plan.patch_size if grid.identity else part
    for name, array in {
        "inputs": np.zeros((1, *part, 1), np.int16), "outputs": np.zeros((1, *size), np.uint8),
        "probabilities": np.zeros((1, 2, *size), np.uint8),
    }.items():  # fmt: skip
        np.save(folder / f"{name}.npy", array)
    files = {name: str(folder / f"{name}.npy") for name in ("inputs", "outputs", "probabilities")}
    windows = plan.axes if blended else None
    ask(Open(**files, intensity=INTENSITY, grid=grid, patch_size=plan.patch_size, windows=windows, **changes))
    inputs, outputs, bytes_ = (np.load(path, mmap_mode="r+") for path in files.values())
    labels, probabilities = np.zeros(SHAPE, np.uint8), np.zeros((2, *SHAPE), np.uint8)
    for tile in plan:
        owned = grid.owned(tile.core)
        needed = (tile.patch if grid.identity else grid.needed(tile.patch)).intersect(Box.of(SHAPE))
        inputs[0], inputs[0][Box.of(needed.shape).slices] = 0, scan[needed.slices]
        done = ask(Patch(slot=0, start=tile.patch.start, owned_start=owned.start, owned_stop=owned.stop))
        final = Box(start=done.start, stop=done.stop)
        place = Box.of(final.shape).slices
        labels[final.slices] = outputs[0][place]
        probabilities[(slice(None), *final.slices)] = bytes_[0][(slice(None), *place)]
    return labels, probabilities


def test_jax_gives_the_same_labels(jax_engine, model):
    asks = {"jax": ask_engine(jax_engine), "tensorflow": ask_here()}
    weights = hand_over(jax_engine, model)
    assert jax_engine.ready.versions.startswith("jax ")
    same, other = grid_map(SHAPE, (1.0,) * 3, None), grid_map(SHAPE, (1.0, 0.7, 1.3), (1.0,) * 3)
    jobs = [
        (TilePlan(shape=SHAPE, patch_size=(8, 8, 8), halo=2, multiple=2), same, {}),
        (TilePlan(shape=SHAPE, patch_size=(8, 8, 8), halo=2, multiple=2), same, {"mirror_axes": (0, 2)}),
        (TilePlan(shape=other.model_shape, patch_size=(8, 8, 8), halo=2, multiple=2), other, {}),
        (OverlapPlan(shape=SHAPE, patch_size=(8, 8, 8), overlap=0.25, multiple=2), same, {}),
    ]
    found = {}
    for backend, ask in asks.items():
        with pytest.raises(Vol3dError, match="No run is open"):
            ask(Patch(slot=0, start=(0, 0, 0), owned_start=(0, 0, 0), owned_stop=(8, 8, 8)))
        loaded = ask(LoadModels(models=(ModelFile(weights=str(weights), card=model.card),)))
        folders = [jax_engine.folder / f"{backend}-{number}" for number in range(len(jobs))]
        for folder in folders:
            folder.mkdir()
        results = [labels_of(ask, folder, *job[:2], **job[2]) for folder, job in zip(folders, jobs, strict=True)]
        found[backend] = (loaded, results)
    assert found["jax"][0] == found["tensorflow"][0]  # the same rewriting, reach and work
    for ours, theirs in zip(found["jax"][1], found["tensorflow"][1], strict=True):
        assert len(np.unique(ours[0])) > 1
        assert (ours[0] != theirs[0]).mean() < 1e-3  # where two classes are within float rounding of each other
        assert np.abs(ours[1].astype(int) - theirs[1]).max() <= 1


def test_what_fails_under_jax_is_told_and_the_engine_lives(jax_engine, model):
    ask, pid, folder = ask_engine(jax_engine), jax_engine.process.pid, jax_engine.folder
    ask(loading(jax_engine, [model]))
    grid = grid_map((8, 8, 8), (1.0,) * 3, None)
    patch = Patch(slot=0, start=(0, 0, 0), owned_start=(0, 0, 0), owned_stop=(6, 6, 6))

    def attempt(edge, channels):
        np.save(folder / "i.npy", np.zeros((1, edge, 8, 8, channels), np.float32))
        np.save(folder / "o.npy", np.zeros((1, 8, 8, 8), np.uint8))
        files = {"inputs": str(folder / "i.npy"), "outputs": str(folder / "o.npy")}
        ask(Open(**files, intensity=INTENSITY * channels, grid=grid, patch_size=(edge, 8, 8)))
        return ask(patch)

    with pytest.raises(ScanMismatch, match="takes 1 channel"):
        attempt(8, 2)
    with pytest.raises(EngineProblem, match="The network failed: Cannot concatenate arrays"):
        attempt(7, 1)
    assert attempt(8, 1).stop == (6, 6, 6)
    assert (jax_engine.alive, jax_engine.process.pid) == (True, pid)


def test_a_backend_that_is_missing_is_told_without_a_traceback():
    if importlib.util.find_spec("torch"):
        pytest.skip("torch is installed here")
    engine = Engine(device="cpu", backend="torch")
    try:
        with pytest.raises(EngineProblem, match="backend torch is not installed") as caught:
            for _ in engine.wake():
                pass
        assert caught.value.hint == "Try pip install torch."
        assert engine.process.wait() == 0
        assert "Traceback" not in (engine.folder / "engine.log").read_text()
    finally:
        engine.close()


def test_full_precision_ends_where_it_was_asked_for():
    switched = tf.config.experimental.tensor_float_32_execution_enabled
    before = switched()
    with full_precision():
        assert not switched()
    assert switched() == before
    with pytest.raises(ValueError, match="out"), full_precision():
        raise ValueError("out")
    assert switched() == before
