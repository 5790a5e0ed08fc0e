"""Small real things that several rooms test with: networks, model folders, phantoms and training folders."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, TypeVar

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.core.progress import Progress
from napari_vol3d.models.card import CARD_NAME, InferenceDefaults, InputSpec, ModelCard, OutputSpec, Weights, sha256_of
from napari_vol3d.models.store import Model, open_model

Result = TypeVar("Result")
WEIGHTS = "model.keras"
CLASSES = (
    LabelClass(id=3, name="dim", color=default_color(3)),
    LabelClass(id=7, name="bright", color=default_color(7)),
)


def make_card(weights: Path, **changes: Any) -> ModelCard:
    """A card for a two-class, one-channel network in `weights`; `changes` replace fields of its records."""
    wanted = {
        "input": {"channels": ("image",), "patch_size": (16, 16, 16), "multiple": 2, "intensity": IntensityScheme()},
        "output": {"classes": CLASSES},
        "inference": {"halo": 8, "bytes_per_voxel": 512},
    }
    for record, fields in wanted.items():
        fields.update(changes.get(record, {}))
    return ModelCard(
        name=changes.get("name", "tiny"), title="Tiny", version="0.1", license="BSD-3-Clause", citation="Nobody",
        weights=Weights(file=weights.name, sha256=changes.get("sha256") or sha256_of(weights)),
        input=InputSpec(**wanted["input"]), output=OutputSpec(**wanted["output"]),
        inference=InferenceDefaults(**wanted["inference"]),
    )  # fmt: skip


def write_model(folder: Path, network: Any, **changes: Any) -> Model:
    """Save a network with its card and open the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / WEIGHTS)
    card = make_card(folder / WEIGHTS, **changes)
    (folder / CARD_NAME).write_text(card.model_dump_json(), encoding="utf-8")
    return open_model(folder)


def chain(shape: tuple[int | None, ...], *parts: Any) -> Any:
    """A network whose layers, or functions, follow each other from an input of this shape, channels included."""
    import keras

    inputs = values = keras.Input(shape)
    for part in parts:
        values = part(values)
    return keras.Model(inputs, values)


def random_unet(*, widths: tuple[int, ...] = (4, 8), seed: int = 0, **design: Any) -> Any:
    """A U-Net whose weights, batch normalisation included, are random, so that all of it shows in the scores."""
    import keras

    from napari_vol3d.engine.architectures import UNetDesign, build_unet

    keras.utils.set_random_seed(seed)
    network = build_unet(UNetDesign(**{"classes": 2, "widths": widths, **design}))
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (w.shape for w in layer.get_weights())
            layer.set_weights([
                rng.uniform(0.7, 1.3, gamma), rng.normal(0, 0.3, beta), rng.normal(0, 0.3, mean),
                rng.uniform(0.5, 1.5, variance),
            ])  # fmt: skip
    return network


def brightness_network(*, scores: int = 3, offsets: tuple[float, ...] = (0.0, -0.5, -2.0)) -> Any:
    """A pointwise network: class k wins where the normalised voxel is bright enough."""
    import keras

    inputs = keras.Input((None, None, None, 1))
    head = keras.layers.Conv3D(scores, 1, name="logits")
    network = keras.Model(inputs, head(inputs))
    slopes = np.arange(scores, dtype=np.float32).reshape(1, 1, 1, 1, scores)
    head.set_weights([slopes, np.asarray(offsets, np.float32)])
    return network


def phantom(shape: tuple[int, int, int] = (20, 24, 18), *, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """A noisy scan with a large dim ball (id 3) and a small bright one (id 7): float32 and uint8 (Z, Y, X)."""
    rng = np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in shape), indexing="ij"), axis=-1)
    labels = np.zeros(shape, np.uint8)
    for class_id, size, place in ((3, 0.3, 0.35), (7, 0.2, 0.7)):
        centre = np.asarray(shape) * (place + rng.uniform(-0.05, 0.05, 3))
        labels[np.linalg.norm(grid - centre, axis=-1) < size * min(shape)] = class_id
    clean = np.select([labels == 7, labels == 3], [300.0, 200.0], 100.0)
    return (clean + rng.normal(0, 8, shape)).astype(np.float32), labels


def write_training_folder(folder: Path, *, scans: int = 6, shape: tuple[int, int, int] = (20, 24, 18)) -> Path:
    """A training folder of phantoms as NIfTI, 1 mm, slightly different shapes."""
    for kind in ("images", "labels"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    for number in range(scans):
        image, labels = phantom((shape[0] + number % 2, shape[1], shape[2] - number % 3), seed=number)
        for kind, data in (("images", image), ("labels", labels)):
            save_nifti(folder / kind / f"case_{number}.nii.gz", data)
    return folder


def save_nifti(path: Path, data: NDArray[Any], *, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Path:
    """Write an array (Z, Y, X) as an RAS NIfTI file, with nibabel alone."""
    image = nib.Nifti1Image(data.T, np.diag([*spacing[::-1], 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, path)
    return path


def finish(verb: Generator[Progress, None, Result]) -> tuple[list[Progress], Result]:
    """Drive a verb to its end; give what it reported and what it returned."""
    reports = []
    while True:
        try:
            reports.append(next(verb))
        except StopIteration as end:
            return reports, end.value


def recipe_test_scans(recipe: Path) -> list[str]:
    """Names of the scans that a recipe keeps back."""
    return list(json.loads(recipe.read_text(encoding="utf-8"))["test"])
