"""How near to the GPU's limits a network runs, and 512^3 uint16 to labels: on whatever Keras backend sees a GPU.

Run by hand: `KERAS_BACKEND=jax python benchmarks/gpu.py [--json FILE] [--quick]`. Without KERAS_BACKEND the first of
TensorFlow, JAX and PyTorch that is installed and sees a GPU is taken. Without a GPU it says so and ends well;
`--here` runs it on the CPU all the same, to see that it runs.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from common import (
    STEPS,
    Figures,
    Side,
    arguments,
    arrange_cache,
    finish,
    flops_a_voxel,
    kept_model,
    machine,
    nuclei_volume,
    run_to_end,
    tell,
    variant,
)

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.pipeline.child import Engine
from napari_vol3d.pipeline.segment import segment
from napari_vol3d.pipeline.settings import SegmentSettings

BACKENDS = ("tensorflow", "jax", "torch")
LEVELS = (1, 2, 4, 8)  # widths of a U-Net over its first
HALF_BYTES = 2  # of a bfloat16


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How large everything is: patch and volume edges in voxels, matrix edge, bytes of the copy, timed calls."""

    patch: int = 128
    volume: int = 512
    matrix: int = 8192
    copied: int = 2**31
    calls: int = 20
    repeats: int = 5


QUICK = Sizes(volume=256, calls=5, repeats=2)
TINY = Sizes(patch=32, volume=64, matrix=256, copied=2**22, calls=2, repeats=1)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--here", action="store_true", help="without a GPU run on the CPU, with tiny sizes")
    parser.add_argument("--memory-gb", type=float, default=24.0, help="budget of a patch, for 512^3")
    parser.add_argument("--network-only", action="store_true", help="leave out the run from volume to labels")
    chosen = parser.parse_args()
    arrange_cache()
    sizes = QUICK if chosen.quick else Sizes()
    backend, gpu = find_gpu()
    if not gpu:
        tell("no GPU")
        if not chosen.here:
            finish({"gpu": None}, chosen.json)
            return
        sizes, backend = TINY, backend or "tensorflow"
    if chosen.quick or not gpu:
        tell(f"Smaller than the full run: {sizes}")
    figures: Figures = {"gpu": gpu or None, "backend": backend, **machine("jax", "torch")}
    with Side("gpu") as side:  # its memory on the GPU goes with it
        figures |= side("limits", backend, sizes)
        for width in (16, 32):
            found = side("patches", backend, width, sizes)
            figures |= judged(width, found, figures)
    if not chosen.network_only:
        figures |= volume_to_labels(backend, sizes, chosen.memory_gb, gpu=bool(gpu))
    finish(figures, chosen.json)


def find_gpu() -> tuple[str, str]:
    """Give the backend to use and the name of its GPU, which is empty where there is none."""
    wanted = os.environ.get("KERAS_BACKEND")
    for backend in [wanted] if wanted else BACKENDS:
        if find_spec(backend) is not None and find_spec("keras") is not None:
            with Side("gpu") as side:
                name = side("gpu_name", backend)
            if name:
                return backend, name
    return wanted or "", ""


def judged(width: int, found: dict[str, float], limits: Figures) -> Figures:
    """Hold what a width reached against the machine's limits."""
    key, rate = f"w{width}", found["patches_s"]
    peak, bandwidth = float(limits["peak_tflops"] or 0) * 1e12, float(limits["bandwidth_gb_s"] or 0) * 1e9
    return {
        f"{key}_patches_s": rate,
        f"{key}_share": rate * found["flops"] / peak,
        f"{key}_bandwidth_share": rate * found["bytes"] / bandwidth,
    }


# ---- in the process that holds the GPU ------------------------------------------------------------------------------


def gpu_name(backend: str) -> str:
    """Name the first GPU that the backend sees; "" where there is none."""
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        return str(details.get("device_name", "GPU")) if gpus else ""
    if backend == "jax":
        import jax

        return str(jax.devices()[0].device_kind) if jax.default_backend() == "gpu" else ""
    import torch

    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else ""


def limits(backend: str, sizes: Sizes) -> dict[str, float]:
    """Measure the device: the bfloat16 matrix-product rate (TFLOP/s), and a copy's (GB/s read and written)."""
    ops = _keras(backend).ops
    matrix = ops.cast(_normal((sizes.matrix, sizes.matrix)), "bfloat16")
    product = _best(_compiled(backend, lambda a: ops.matmul(a, a)), matrix, sizes)
    long = ops.ones((sizes.copied // HALF_BYTES,), "bfloat16")
    copy = _best(_compiled(backend, lambda a: a + 1), long, sizes)
    return {"peak_tflops": 2 * sizes.matrix**3 / product / 1e12, "bandwidth_gb_s": 2 * sizes.copied / copy / 1e9}


def patches(backend: str, width: int, sizes: Sizes) -> dict[str, float]:
    """Time bfloat16 patches from device memory to labels in device memory, one patch a call.

    Returns
    -------
    dict
        Patches a second; FLOPs of a patch; and the bytes that a patch moves at least: what each convolution, pooling
        and transposed convolution reads and writes once, normalisation and activation being free.
    """
    keras = _keras(backend)
    from napari_vol3d.engine.architectures import UNetDesign, build_unet
    from napari_vol3d.engine.load import compute_in
    from napari_vol3d.engine.rewrite import rewrite

    design = UNetDesign(classes=2, widths=tuple(width * level for level in LEVELS), activation="relu", residual=False)
    original = build_unet(design)
    rewritten = rewrite(original, (sizes.patch,) * 3, keep_probabilities=False)
    network = rewritten.network
    compute_in(keras.DTypePolicy("mixed_bfloat16"), network)  # as the engine does: rewritten first
    tell(f"width {width}: {', '.join(rewritten.done) or 'nothing rewritten'}")
    batch = _normal((1, sizes.patch, sizes.patch, sizes.patch, 1))

    def label(voxels: Any) -> Any:
        return keras.ops.cast(keras.ops.argmax(network(voxels, training=False), axis=-1), "uint8")

    seconds = _best(_compiled(backend, label), batch, sizes)
    return {
        "patches_s": 1 / seconds,
        "flops": flops_a_voxel(original) * sizes.patch**3,
        "bytes": _bytes_a_voxel(original) * sizes.patch**3,
    }


def _keras(backend: str) -> Any:
    from napari_vol3d.engine.runtime import start

    start("auto", backend=backend, precision="float32")  # with what the engine sets for each backend
    import keras

    return keras


def _normal(shape: tuple[int, ...]) -> Any:
    import keras

    return keras.random.normal(shape, seed=0)


def _compiled(backend: str, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Compile as the engine does: XLA for JAX, one graph without XLA for TensorFlow, none for PyTorch."""
    if backend == "jax":
        import jax

        return jax.jit(function)
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=False)  # type: ignore[no-any-return]
    import torch

    return torch.inference_mode()(function)  # type: ignore[no-any-return]


def _best(function: Callable[[Any], Any], value: Any, sizes: Sizes) -> float:
    """Give the seconds of one call: the best of several rows of calls, each row waited for at its end."""
    _wait(function(value))
    rows = []
    for _ in range(sizes.repeats):
        began = time.perf_counter()
        for _ in range(sizes.calls):
            result = function(value)
        _wait(result)
        rows.append((time.perf_counter() - began) / sizes.calls)
    return min(rows)


def _wait(result: Any) -> None:
    """Wait for the device: fetching one number ends after all that was queued before."""
    import keras

    keras.ops.convert_to_numpy(keras.ops.ravel(result)[:1])


def _bytes_a_voxel(network: Any) -> float:
    import keras

    edge = 64
    sized = keras.models.clone_model(network, input_tensors=keras.Input((edge,) * 3 + network.input_shape[-1:]))
    moving = (keras.layers.Conv3D, keras.layers.Conv3DTranspose, keras.layers.MaxPooling3D)
    layers = [layer for layer in sized.layers if isinstance(layer, moving)]
    values = sum(_size(tensor) for layer in layers for tensor in (layer.input, layer.output))
    return values * HALF_BYTES / edge**3


def _size(tensor: Any) -> int:
    size = 1
    for length in tensor.shape[1:]:
        size *= int(length)
    return size


# ---- from volume to labels ------------------------------------------------------------------------------------------


def volume_to_labels(backend: str, sizes: Sizes, memory_gb: float, *, gpu: bool) -> Figures:
    """Time uint16 to labels end to end through the verb, with a warm engine: the median of several runs."""
    os.environ["KERAS_BACKEND"] = backend  # of the process that makes the network
    volume = nuclei_volume((sizes.volume,) * 3)
    settings = SegmentSettings(device="gpu" if gpu else "cpu", backend=backend, memory_gb=memory_gb)
    key = f"volume_{sizes.volume}_s"
    model = kept_model(steps=STEPS if gpu else 2)
    try:
        engine = Engine(device=settings.device, backend=backend)
        try:
            seconds = []
            for turn in range(1 + sizes.repeats):
                scan = variant(volume, turn)
                began = time.perf_counter()
                prediction = run_to_end(segment(scan, model, settings, engine=engine))
                seconds.append(time.perf_counter() - began)
                tell(f"{seconds[-1]:.3f} s, {prediction.compute_seconds:.3f} of it tiles: {prediction.plan.sentence()}")
        finally:
            engine.close()
    except Vol3dError as problem:
        tell(f"From volume to labels: {problem}")
        return {key: None}
    return {key: statistics.median(seconds[1:]), "device": engine.ready.device if engine.ready else ""}


if __name__ == "__main__":
    main()
