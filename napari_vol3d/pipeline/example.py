"""Trying a package's own example: what it says that comes out should come out of the network that was made of it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path

import numpy as np

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.progress import Progress
from napari_vol3d.engine.messages import Loaded, LoadModels, ModelFile, Score, Scored
from napari_vol3d.models.bioimageio import Package, finished, test_pair
from napari_vol3d.models.card import ModelCard
from napari_vol3d.pipeline.child import Engine

TOLERANCE = 1e-3  # of the largest value: what other libraries and other processors round
PHASE = "Trying its own example"


def try_example(
    package: Package, engine: Engine, weights: Path, card: ModelCard
) -> Generator[Progress, None, str]:
    """Run a package's example once, in the engine that has made the network ready.

    Parameters
    ----------
    weights : Path
        The network, in the engine's folder.

    Returns
    -------
    str
        A sentence: whether the same comes out; empty where there is no example that can be tried.
    """
    yield Progress(phase=PHASE)
    try:
        given, wanted = test_pair(package)
    except ModelProblem as problem:
        return "" if not package.has_test else f"Its own example can't be tried: {problem.message}"
    into, out = engine.folder / "example.npy", engine.folder / "example-scores.npy"
    np.save(into, given[0])
    load = LoadModels(models=(ModelFile(weights=str(weights), card=card),))
    for request, last in ((load, Loaded), (Score(inputs=str(into), outputs=str(out)), Scored)):
        with contextlib.closing(engine.ask(request, last)) as reports:
            for _ in reports:
                yield Progress(phase=PHASE)
    scores = np.load(out)[None]
    # A last step of the package's may have become a layer of the network's.
    found = [each for each in (scores, finished(package, scores)) if each.shape == wanted.shape]
    if not found:
        return f"Its own example has another size: {wanted.shape[1:]}, and {scores.shape[1:]} came out."
    off = min(float(np.abs(each - wanted).max()) for each in found) / max(1.0, float(np.abs(wanted).max()))
    if off <= TOLERANCE:
        return "Its own example comes out the same."
    return f"Its own example comes out differently, by up to {off:.1%} of the largest value. Do not rely on it yet."
