"""Describing a model of ours as a package of the BioImage Model Zoo, model specification 0.5."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from napari_vol3d.io.bundle import open_bundle
from napari_vol3d.models.card import ModelCard
from napari_vol3d.models.store import Model
from napari_vol3d.models.zoo.sample import cover, sample_shape, told_halo
from napari_vol3d.models.zoo.steps import Step, apply
from napari_vol3d.models.zoo.tensors import SPACE
from napari_vol3d.models.zoo.told import GUESSED, OWN
from napari_vol3d.models.zoo.words import documentation
from napari_vol3d.models.zoo.written_steps import network_input, steps_after, steps_before

FORMAT = "0.5.12"  # the first validators that know Keras 3 take it, and later ones too
DESCRIPTION, PAGE, PICTURE, LICENCE = "rdf.yaml", "README.md", "cover.png", "LICENSE.txt"
GIVEN, WANTED = "test_input.npy", "test_output.npy"
UNITS = {"mm": "millimeter", "um": "micrometer"}
DOI, URL = re.compile(r"\b10\.\d{4,9}/[^\s,;]+[^\s,;.)\]]"), re.compile(r"https?://[^\s,;)]+[^\s,;.)\]]")
# Others are written out in a file: the zoo knows SPDX names alone, and its list is not here to look them up.
SPDX = (
    "MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "GPL-2.0-only", "GPL-3.0-only", "GPL-3.0-or-later",
    "LGPL-3.0-only", "MPL-2.0", "AGPL-3.0-only", "ISC", "Unlicense", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0",
    "CC-BY-3.0", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-3.0", "ODbL-1.0",
)  # fmt: skip


def package_parts(
    model: Model, sample: tuple[NDArray[Any], NDArray[Any]], guessed: Sequence[str] = ()
) -> dict[str, bytes | Path]:
    """Give the files of a package by name.

    Parameters
    ----------
    sample : tuple of array
        A patch of stored voxels, shape (z, y, x, channels), and the scores, shape (z, y, x, scores), that the network
        gives for ``network_input(card, patch)``.
    guessed : sequence of str
        Fields of the card that nobody has confirmed.
    """
    card, (patch, scores) = model.card, sample
    before, after = steps_before(card.input), steps_after(card)
    first = patch if before is not None else network_input(card, patch)
    last = apply(after, scores[None], "bzyxc")
    page = documentation(card, guessed)
    parts: dict[str, bytes | Path] = {
        PAGE: page.encode(), PICTURE: cover(card, patch, scores), GIVEN: _npy(first[None]), WANTED: _npy(last),
        model.weights.name: model.weights,
    }  # fmt: skip
    if card.license and card.license not in SPDX:
        parts[LICENCE] = card.license.encode()
    said = _description(model, parts, before or (), after)
    said["config"][OWN] |= {GUESSED: list(guessed)} if guessed else {}
    return {DESCRIPTION: yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=120).encode(), **parts}


def _description(
    model: Model, parts: Mapping[str, bytes | Path], before: Sequence[Step], after: Sequence[Step]
) -> dict[str, Any]:
    card = model.card
    said: dict[str, Any] = {
        "format_version": FORMAT, "type": "model", "name": _name(card.title), "description": card.description[:1024],
        "authors": [{"name": author.replace("/", " ")} for author in card.authors], "cite": _cite(card),
        "license": card.license if card.license in SPDX else _file(LICENCE, parts), "version": _version(card.version),
        "tags": ["segmentation", "semantic-segmentation", "3d", "keras", "napari-vol3d"],
        "documentation": _file(PAGE, parts), "covers": [_file(PICTURE, parts)],
        "inputs": [{
            "id": "scan", "axes": _input_axes(card), "data": {"type": "float32"}, "preprocessing": _told(before),
            "test_tensor": _file(GIVEN, parts),
        }],
        "outputs": [{
            "id": "scores", "axes": _output_axes(card), "data": {"type": "float32"}, "postprocessing": _told(after),
            "test_tensor": _file(WANTED, parts),
        }],
        "weights": _weights(model), "config": {OWN: {"card": card.model_dump(mode="json")}},
    }  # fmt: skip
    return {key: value for key, value in said.items() if value not in (None, "", [])}


def _input_axes(card: ModelCard) -> list[dict[str, Any]]:
    multiple = card.input.multiple
    sizes = [edge if card.input.fixed else {"min": edge, "step": multiple} for edge in sample_shape(card)]
    space = [
        {"type": "space", "id": axis, "size": size, **scale}
        for axis, size, scale in zip(SPACE, sizes, _scales(card), strict=True)
    ]
    return [{"type": "batch"}, *space, {"type": "channel", "channel_names": list(card.input.channels)}]


def _output_axes(card: ModelCard) -> list[dict[str, Any]]:
    halo = {"halo": told_halo(card)} if told_halo(card) else {}
    background = [] if card.output.activation == "sigmoid" else ["background"]
    space = [
        {"type": "space", "id": axis, "size": {"tensor_id": "scan", "axis_id": axis}, **halo, **scale}
        for axis, scale in zip(SPACE, _scales(card), strict=True)
    ]
    names = [*background, *(item.name for item in card.output.classes)]
    return [{"type": "batch"}, *space, {"type": "channel", "channel_names": names}]


def _scales(card: ModelCard) -> list[dict[str, Any]]:
    spec = card.input
    spacing, unit = (spec.conform.spacing,) * 3 if spec.conform else spec.spacing, "mm" if spec.conform else spec.unit
    if spacing is None or unit not in UNITS:
        return [{}] * 3
    return [{"scale": step, "unit": UNITS[unit]} for step in spacing]


def _weights(model: Model) -> dict[str, Any]:
    file, tensorflow = model.weights, _version_of("tensorflow", model)
    said = {"source": file.name, "sha256": model.card.weights.sha256}
    if file.suffix == ".keras":
        made = {"keras_version": _keras_version(model), "backend": ["tensorflow", tensorflow]}
        return {"keras_v3": {**said, **made}}
    return {"keras_hdf5": {**said, "tensorflow_version": tensorflow}}


def _keras_version(model: Model) -> str:
    written = json.loads(open_bundle(model.weights).read("metadata.json", most=1 << 16))
    return str(written.get("keras_version") or _version_of("keras", model))


def _version_of(library: str, model: Model) -> str:
    """Give the version that made a model, as far as it is known, else the one that is here."""
    said = [part.software for part in (model.card.training, model.card.source) if part]
    known = re.search(rf"{library} (\d+(\.\d+)+)", " ".join(said), re.IGNORECASE)
    if known:
        return known[1]
    for package in (library, f"{library}-cpu"):
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(package)
    return "0"


def _cite(card: ModelCard) -> list[dict[str, str]]:
    """Give the citation, where it names a place: the zoo takes no others."""
    doi, url = DOI.search(card.citation), URL.search(card.citation)
    place = {"doi": doi[0]} if doi else {"url": url[0]} if url else None
    return [{"text": card.citation, **place}] if place else []


def _name(title: str) -> str:
    """Give a title in the letters that the zoo allows, 5 to 128 of them."""
    plain = " ".join(re.sub(r"[^A-Za-z0-9_+\- ()]", " ", title).split())[:128]
    return plain if len(plain) >= 5 else f"{plain} model".strip()


def _version(version: str) -> str | None:
    return version if re.fullmatch(r"\d+(\.\d+)*", version) else None


def _file(name: str, parts: Mapping[str, bytes | Path]) -> dict[str, str] | None:
    part = parts.get(name)
    return {"source": name, "sha256": hashlib.sha256(part).hexdigest()} if isinstance(part, bytes) else None


def _told(steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [{"id": step.name, "kwargs": copy.deepcopy(step.options)} for step in steps]  # shared lists become aliases


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, np.ascontiguousarray(array, np.float32), allow_pickle=False)
    return file.getvalue()
