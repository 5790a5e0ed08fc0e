"""Telling whether two runs would give the same labels: only then may one go on where the other was cut short."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from napari_vol3d.core.box import Box, Triple
from napari_vol3d.core.volume import Volume
from napari_vol3d.models.card import InferenceDefaults, ModelCard
from napari_vol3d.models.store import Model
from napari_vol3d.pipeline.settings import SegmentSettings


def run_key(
    volume: Volume, models: Sequence[Model], settings: SegmentSettings, *, region: Box | None = None,
    files: Mapping[str, Path] | None = None, mask: Path | None = None,
) -> str:  # fmt: skip
    """Give a digest of everything that the labels of a run depend on.

    Parameters
    ----------
    files : mapping of str to Path, optional
        By channel: what was read for it, beside the scan itself.
    mask : Path, optional
        What was read to tell where there is something.

    Returns
    -------
    str
        Of networks, of what their cards say of going in, computing and coming out, of settings, and of the files that
        are read: which they are, how long they are, and of when.
    """
    # How fast it was once, and names for people, change no label.
    cards = [(m.card.weights.sha256, m.card.input, m.card.output, _how(m.card)) for m in models]
    said = (cards, settings.model_dump(exclude={"device", "cache"}), region, str(volume.data.dtype))
    paths = [("", volume.source), *sorted((files or {}).items()), ("mask", mask)]
    read = [(name, *_state(path)) for name, path in paths if path is not None]
    return hashlib.sha256(repr((said, read)).encode()).hexdigest()


def how_it_begins(finished: Sequence[Box], shape: Triple) -> str:
    """Say for people what becomes of what an earlier run has left unfinished: `finished` is what is gone on with."""
    if not finished:
        return "What an earlier run left was made otherwise (model, card, settings or scan): it begins anew."
    done = sum(box.size for box in finished) / Box.of(shape).size
    return f"Going on where an earlier run was cut short: {done:.0%} is done."


def _how(card: ModelCard) -> InferenceDefaults:
    return card.inference.model_copy(update={"seconds_per_megavoxel": None})


def _state(path: Path) -> Iterator[tuple[str, int, int]]:
    """Give name, bytes and time of a file, of a folder of all that is in it; of what can't be looked at, the name."""
    try:
        inside = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
        for each in inside:
            found = each.stat()
            yield str(each.resolve()), found.st_size, found.st_mtime_ns
    except OSError:
        yield str(path), 0, 0
