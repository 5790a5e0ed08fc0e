"""Waking TensorFlow: which device, how much of it, which precision."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from napari_vol3d.core.errors import EngineProblem

NVIDIA = Path("/dev/nvidiactl")  # there where NVIDIA's driver runs, on Linux


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What the engine runs on: "CPU" or the GPU's name, the dtype policy it computes in, and versions."""

    device: str
    policy: str
    versions: str


def start(
    device: str = "auto", *, backend: str = "tensorflow", precision: str = "auto", train: bool = False
) -> Runtime:
    """Load a Keras backend and choose the device.

    Parameters
    ----------
    device : str
        "auto" (a GPU where there is one), "cpu" or "gpu".
    backend : str
        "tensorflow"; "jax" and "torch" reach GPUs that TensorFlow can't, on Windows and on a Mac.
    precision : str
        "auto", or a Keras dtype policy. Auto computes in float32 on CPUs for inference, and in the fastest type that
        keeps float32 weights elsewhere.

    Raises
    ------
    EngineProblem
        If the backend is not installed, or a GPU is demanded and there is none.

    Notes
    -----
    GPU memory grows as needed: napari draws with the same card.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = backend
    if device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        os.environ["JAX_PLATFORMS"] = os.environ["KERAS_TORCH_DEVICE"] = "cpu"
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # JAX's way to say: let memory grow
    if device != "cpu" and NVIDIA.exists():
        # Without it XLA runs 3D convolutions channels first: 189 instead of 260 patches a second on an H200.
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_force_conv_nhwc".strip()
    try:
        import keras

        found = _GPUS[backend]()
    except ImportError as error:
        raise EngineProblem(
            f"The backend {backend} is not installed: {error}.", hint=f"Try pip install {backend}."
        ) from error
    if device == "gpu" and found is None:
        raise EngineProblem("Keras finds no GPU here.", hint="Choose auto or cpu, or install the extra [gpu].")
    policy = _policy(found, train=train) if precision == "auto" else precision
    keras.config.set_dtype_policy(policy)
    name = found.name if found else "CPU"
    versions = f"{backend.replace('tensorflow', 'TensorFlow')} {version(backend)}, Keras {keras.__version__}"
    return Runtime(device=name, policy=policy, versions=versions)


@dataclass(frozen=True, slots=True)
class _Gpu:
    name: str
    capability: tuple[int, int] | None = None  # NVIDIA's, where it is one of theirs


def _gpu_of_tensorflow() -> _Gpu | None:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
    return _Gpu(str(details.get("device_name", "GPU")), details.get("compute_capability")) if gpus else None


def _gpu_of_jax() -> _Gpu | None:
    import jax

    first = jax.devices()[0]
    if first.platform == "cpu":
        return None
    digits = str(getattr(first, "compute_capability", "")).split(".")
    return _Gpu(first.device_kind, (int(digits[0]), int(digits[1])) if len(digits) == 2 else None)


def _gpu_of_torch() -> _Gpu | None:
    import torch

    if os.environ.get("KERAS_TORCH_DEVICE") == "cpu":
        return None
    if torch.cuda.is_available():
        return _Gpu(torch.cuda.get_device_name(), torch.cuda.get_device_capability())
    return _Gpu("Apple GPU") if torch.backends.mps.is_available() else None


_GPUS: dict[str, Callable[[], _Gpu | None]] = {
    "tensorflow": _gpu_of_tensorflow, "jax": _gpu_of_jax, "torch": _gpu_of_torch,
}  # fmt: skip


def _policy(gpu: _Gpu | None, *, train: bool) -> str:
    if gpu is not None:
        capability = gpu.capability or (0, 0)
        return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16" if capability >= (7, 0) else "float32"
    # Measured on a Zen 4 CPU: a training step takes 0.116 s instead of 0.183 s where the CPU multiplies bfloat16.
    return "mixed_bfloat16" if train and _cpu_has_bfloat16() else "float32"


def _cpu_has_bfloat16() -> bool:
    info = Path("/proc/cpuinfo")
    return info.is_file() and any(flag in info.read_text() for flag in ("avx512_bf16", "amx_bf16"))
