"""A model as somebody else stored it, looked into without running any of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from napari_vol3d.models.draft import CardDraft

Container = Literal["keras", "h5", "saved_model", "tfjs", "bioimageio", "stardist", "weights", "vol3d"]
CONTAINER_WORDS: dict[Container, str] = {
    "keras": "Keras model", "h5": "Keras model (HDF5)", "saved_model": "TensorFlow SavedModel",
    "tfjs": "TensorFlow.js layers model", "bioimageio": "BioImage Model Zoo package", "stardist": "StarDist 3D model",
    "weights": "Keras weights without a model", "vol3d": "model folder of this program",
}  # fmt: skip


# Ops of a graph that compute nothing, or only sizes: they are named last.
BOOKKEEPING = frozenset(
    {
        "Const", "Identity", "IdentityN", "ReadVariableOp", "VarHandleOp", "NoOp", "Pack", "StridedSlice", "Shape",
        "Placeholder", "AssignVariableOp", "RestoreV2", "SaveV2", "MergeV2Checkpoints", "ShardedFilename", "StringJoin",
        "StaticRegexFullMatch", "Select", "DisableCopyOnRead", "StatefulPartitionedCall", "PartitionedCall", "Cast",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """What a file or folder holds, as far as it can be told without TensorFlow; it has passed the gate.

    Attributes
    ----------
    path : Path
        The file or folder that a person named.
    container : str
    files : tuple of Path
        All files that belong to it; of a zip the zip itself.
    sha256 : str
        Of the names and contents of `files`, in order: what is trusted.
    size : int
        Bytes of all files.
    contents : tuple of (str, int)
        Kinds of layers, or of TensorFlow's ops, and how often they occur, most frequent first: shown before trusting.
    parameters : int or None
        Weights, counted without loading them.
    draft : CardDraft
        What travelled with the model: its card, licence, colours.
    notes : tuple of str
        Sentences that a person should read before they trust it.
    """

    path: Path
    container: Container
    files: tuple[Path, ...]
    sha256: str
    size: int
    contents: tuple[tuple[str, int], ...] = ()
    parameters: int | None = None
    draft: CardDraft = field(default_factory=CardDraft)
    notes: tuple[str, ...] = ()

    @property
    def telling(self) -> tuple[tuple[str, int], ...]:
        """All of `contents`, what computes first."""
        return tuple(sorted(self.contents, key=lambda item: item[0] in BOOKKEEPING))
