"""What the benchmarks share: volumes with structure, networks with real statistics, processes, and the output."""

from __future__ import annotations

import argparse
import atexit
import contextlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Self

import numpy as np
import psutil
from numpy.typing import NDArray
from scipy import ndimage

from napari_vol3d.core.box import Triple
from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme, measure_intensity
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.phantom import nuclei
from napari_vol3d.core.progress import Progress
from napari_vol3d.core.volume import Geometry, Volume
from napari_vol3d.models.card import CARD_NAME, InferenceDefaults, InputSpec, ModelCard, OutputSpec, Weights, sha256_of
from napari_vol3d.models.store import Model, open_model
from napari_vol3d.pipeline.prediction import Prediction

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # for the processes that load TensorFlow
REPO = Path(__file__).resolve().parent.parent
KEPT = REPO / "out" / "bench"  # networks made once
DATA = Path(os.environ.get("VOL3D_DATA") or REPO.parent / "shared" / "data")
WIDTHS = (16, 32, 64, 128)
STEPS, QUICK_STEPS = 200, 24  # of the short training
BASE = 112  # edge of the piece of phantom that is mirrored to fill a volume; making one takes seconds
PATCH, BATCH = 32, 4
Figures = dict[str, float | int | str | None]


# ---- command line and output ----------------------------------------------------------------------------------------


def arguments(doc: str | None) -> argparse.ArgumentParser:
    """Give a parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, flat")
    parser.add_argument("--quick", action="store_true", help="smaller volumes, under 50 s; targets need not be met")
    return parser


def machine(*packages: str) -> Figures:
    """Name the machine and the versions that figures depend on."""
    versions = []
    for name in ("tensorflow", "keras", "numpy", *packages):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"no {name}")
    memory = psutil.virtual_memory().total / 1e9
    return {
        "machine": f"{_processor()}, {cores()} cores, {memory:.0f} GB, {platform.system()}",
        "software": f"Python {platform.python_version()}, {', '.join(versions)}",
        "load_before": round(psutil.getloadavg()[0], 2),  # of others: figures from a busy machine are worth little
    }


def cores() -> int:
    """Give the processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def tell(text: str) -> None:
    """Write a line at once: benchmarks are watched."""
    print(text, flush=True)  # noqa: T201


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a small table."""
    cells = [[f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row] for row in (heads, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    for row in cells:
        tell("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def finish(figures: Mapping[str, Any], target: Path | None) -> None:
    """Write the figures, rounded, one a line, and to the file where one is wanted."""
    rounded = {key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in figures.items()}
    table(("figure", "value"), list(rounded.items()))
    if target is not None:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(rounded, indent=2) + "\n")


def arrange_cache() -> Path:
    """Give this process and its children an empty cache folder, so that nothing an earlier run learnt or kept counts.

    On Linux; elsewhere the person's own is used, and `variant` alone keeps results from being read again.
    """
    folder = Path(tempfile.mkdtemp(prefix="vol3d-bench-"))
    os.environ["XDG_CACHE_HOME"] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# ---- processes ------------------------------------------------------------------------------------------------------


class Side:
    """A process of its own with one module in it: TensorFlow, PyTorch and Qt each want one to themselves.

    Calling it runs a function of the module there and gives its result; a process that dies of memory raises
    `BrokenProcessPool`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_hush)

    def __call__(self, function: str, *values: Any) -> Any:
        """Run `function` there."""
        return self._pool.submit(_call, self._module, function, values).result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()


def _hush() -> None:
    """Send what TensorFlow's C++ says at its start nowhere; errors come back as exceptions."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _call(module: str, function: str, values: tuple[Any, ...]) -> Any:
    return getattr(import_module(module), function)(*values)


def run_to_end(
    verb: Generator[Progress, None, Prediction], each: Callable[[Progress], None] | None = None
) -> Prediction:
    """Drive the verb `segment` to its end; `each` sees every report."""
    while True:
        try:
            progress = next(verb)
        except StopIteration as end:
            result: Prediction = end.value
            return result
        if each is not None:
            each(progress)


# ---- volumes --------------------------------------------------------------------------------------------------------


def nuclei_volume(shape: Triple) -> Volume:
    """Give a stack of fluorescent nuclei (uint16): a piece of phantom, mirrored until it fills the shape."""
    image, _ = _phantom(min(BASE, max(shape)))
    return Volume(data=mirrored(image, shape), geometry=Geometry.from_spacing((1.0, 1.0, 1.0)), name="nuclei")


def mirrored(piece: NDArray[Any], shape: Triple) -> NDArray[Any]:
    """Fill `shape` with a piece and its mirror images: no seams."""
    widths = [(0, max(0, wanted - there)) for wanted, there in zip(shape, piece.shape, strict=True)]
    z, y, x = shape
    return np.ascontiguousarray(np.pad(piece, widths, mode="symmetric")[:z, :y, :x])


def variant(volume: Volume, index: int) -> Volume:
    """Give the volume with `index` added to every voxel: another scan to a cache of results, the same to a network.

    Bytes become uint16, whatever the index: the type is part of what the engine compiles for.
    """
    data = volume.data.astype(np.uint16) if volume.data.dtype.itemsize == 1 else volume.data
    return replace(volume, data=data + data.dtype.type(index))


def _phantom(edge: int) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
    """Make a cube of nuclei, and its classes: 1 inside a nucleus, 2 its rim."""
    image, ids = nuclei((edge,) * 3, (0.8, 0.8, 0.8), count=edge**3 // 12_000)
    inside = ndimage.minimum_filter(ids, 3) == ndimage.maximum_filter(ids, 3)
    return image, np.where(ids == 0, 0, np.where(inside, 1, 2)).astype(np.uint8)


# ---- networks (only in a process that may load TensorFlow) ----------------------------------------------------------


def kept_model(widths: tuple[int, ...] = WIDTHS, *, steps: int = STEPS, halo: int = 24) -> Model:
    """Give the model folder of a plain U-Net with batch normalisation, made in a process of its own the first time."""
    folder = KEPT / f"unet-{'-'.join(str(width) for width in widths)}-{steps}"
    with contextlib.suppress(ModelProblem):  # not there, or its card is of an older kind
        return open_model(folder)
    tell(f"Training a U-Net {widths} for {steps} steps, once; it is kept in {folder}.")
    with Side("common") as side:
        side("make_model", folder, widths, steps, halo)
    return open_model(folder)


def make_model(folder: Path, widths: tuple[int, ...], steps: int, halo: int) -> None:
    """Train a plain U-Net on nuclei for a minute, so that its statistics and labels mean something, and save it."""
    import keras

    from napari_vol3d.engine.architectures import UNetDesign, build_unet

    keras.utils.set_random_seed(1)
    design = UNetDesign(classes=2, widths=widths, activation="relu", residual=False)
    network = build_unet(design)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # a short training
    patches, truth = _patches(steps * BATCH)
    network.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(patches, truth, batch_size=BATCH, verbose=0)
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / "model.keras")
    names = ("nucleus", "rim")
    card = ModelCard(
        name=folder.name, title=f"Benchmark U-Net {'-'.join(str(width) for width in widths)}",
        weights=Weights(file="model.keras", sha256=sha256_of(folder / "model.keras")),
        input=InputSpec(channels=("image",), patch_size=(PATCH,) * 3, multiple=design.multiple),
        output=OutputSpec(
            classes=tuple(LabelClass(id=i, name=name, color=default_color(i)) for i, name in enumerate(names, start=1))
        ),
        inference=InferenceDefaults(halo=halo, bytes_per_voxel=40 * widths[0]),
    )  # fmt: skip
    (folder / CARD_NAME).write_text(card.model_dump_json(indent=2))


def _patches(count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cut patches (count, z, y, x, 1) and their classes (count, z, y, x)."""
    image, classes = _phantom(96)
    values = measure_intensity(image, IntensityScheme()).apply(image)
    rng = np.random.default_rng(1)
    cuts = [tuple(slice(a, a + PATCH) for a in rng.integers(0, 96 - PATCH + 1, 3)) for _ in range(count)]
    return np.stack([values[cut] for cut in cuts])[..., None], np.stack([classes[cut] for cut in cuts])


def flops_a_voxel(network: Any) -> float:
    """Count the multiplications and additions of the convolutions that one pass spends on a voxel."""
    import keras

    edge = 64
    sized = keras.models.clone_model(network, input_tensors=keras.Input((edge,) * 3 + network.input_shape[-1:]))
    total = 0.0
    for layer in sized.layers:
        if isinstance(layer, keras.layers.Conv3DTranspose):  # each input voxel meets the whole kernel
            total += 2.0 * np.prod(layer.kernel.shape) * np.prod(layer.input.shape[1:4])
        elif isinstance(layer, keras.layers.Conv3D):
            total += 2.0 * np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:4])
    return total / edge**3
