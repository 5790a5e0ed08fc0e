"""Cards of the three whole-brain models in shared/data/models, with what their publishers do to a scan."""

from __future__ import annotations

from pathlib import Path

from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.core.labels import LabelClass, default_color
from napari_vol3d.models.card import (
    CARD_NAME,
    Conform,
    ForegroundCrop,
    InferenceDefaults,
    InputSpec,
    ModelCard,
    OutputSpec,
    PostProcessing,
    Weights,
    sha256_of,
)
from napari_vol3d.models.store import Model

GWM = "meshnet_t1_gwm/model5_gw_ae_anysize.keras"  # below shared/data/models
THREE_CLASSES = "meshnet_t1_3class/model20chan3cls_anysize.keras"
DEEPBRAIN = "deepbrain_mask/graph_v2_anysize.keras"
MATTER = ("White matter", "Grey matter")


def gwm_card(weights: Path) -> ModelCard:
    """Five channels wide: grey levels conformed and stretched, the head with 18 voxels around it."""
    return _card(
        "meshnet-t1-gwm", weights, MATTER,
        given={
            "conform": Conform(), "intensity": IntensityScheme(kind="minmax"),
            "crop": ForegroundCrop(above=0.0, padding=18), "patch_size": (64, 64, 64),
        },
        said={"post": PostProcessing(largest_component=True)},
        run={"halo": 46, "bytes_per_voxel": 128},
    )  # fmt: skip


def three_classes_card(weights: Path) -> ModelCard:
    """Twenty channels wide: percentiles 5 and 95 become 0 and 1, the head without anything around it."""
    return _card(
        "meshnet-t1-3class", weights, MATTER,
        given={
            "conform": Conform(), "intensity": IntensityScheme(kind="quantile", lower=5, upper=95),
            "crop": ForegroundCrop(above=0.2), "patch_size": (64, 64, 64),
        },
        said={"post": PostProcessing(largest_component=True)},
        run={"halo": 46, "bytes_per_voxel": 512},
    )  # fmt: skip


def deepbrain_card(weights: Path) -> ModelCard:
    """A U-Net that was shown whole heads as 128 x 128 x 128 voxels; nothing is done after it."""
    return _card(
        "deepbrain", weights, ("Brain",),
        given={
            "resize_to": (128, 128, 128), "intensity": IntensityScheme(kind="maximum"), "patch_size": (128, 128, 128),
            "multiple": 16,
        },
        said={"activation": "sigmoid"}, run={"halo": 64, "bytes_per_voxel": 1024},
    )  # fmt: skip


def write_card(folder: Path, card: ModelCard, weights: Path) -> Model:
    """Make a model folder: the card, and the weights where they are."""
    folder.mkdir(parents=True)
    (folder / card.weights.file).symlink_to(weights)
    (folder / CARD_NAME).write_text(card.model_dump_json(), encoding="utf-8")
    return Model(folder=folder, card=card, origin="added")


def _card(name: str, weights: Path, classes: tuple[str, ...], *, given: dict, said: dict, run: dict) -> ModelCard:
    named = tuple(LabelClass(id=k, name=each, color=default_color(k)) for k, each in enumerate(classes, 1))
    return ModelCard(
        name=name, title=name, weights=Weights(file=weights.name, sha256=sha256_of(weights)),
        input=InputSpec(channels=("T1",), anatomical=True, orientation="LIA", **given),
        output=OutputSpec(classes=named, **said), inference=InferenceDefaults(**run),
    )  # fmt: skip
