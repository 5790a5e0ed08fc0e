"""What this machine has learnt about a network: kept by the hash of its weights, and used by every later plan."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field, ValidationError

from napari_vol3d.core.errors import SaveProblem
from napari_vol3d.io.safe_write import write_text
from napari_vol3d.models.card import ModelCard, Record
from napari_vol3d.models.marks import marks_in, read_marks, write_marks
from napari_vol3d.models.store import Model, user_models

log = logging.getLogger(__name__)


class LocalRecord(Record):
    """What was found out about a network here.

    Attributes
    ----------
    reach : int or None
        Theoretical halo: context beyond which nothing changes the result.
    instance_statistics : bool
        Whether results depend on the whole patch.
    halo : int or None
        The smallest halo whose labels agreed with a large window's, on a scan of this person's.
    measured_on : str
        The scan that the halo was measured on, and the sizes, in words.
    nothing_in : str
        The scan in which the halo could not be measured last: too little was found in it.
    seconds_per_megavoxel : dict of str to float
        By device: what the last run took.
    guessed : dict of str to tuple of str
        By name and version of a model: what `marks` could not keep beside its card, or an older version kept here.
    """

    reach: int | None = Field(None, ge=0)
    instance_statistics: bool = False
    halo: int | None = Field(None, ge=0)
    measured_on: str = ""
    nothing_in: str = ""
    seconds_per_megavoxel: dict[str, float] = Field(default_factory=dict)
    guessed: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    def speed_on(self, device: str) -> float | None:
        """Seconds for a million voxels, None where no run was timed."""
        rate = self.seconds_per_megavoxel.get(device)
        return rate if rate is not None and 0 < rate < float("inf") else None


def read_record(card: ModelCard) -> LocalRecord:
    """Give what is known of a network; an empty record where nothing is, or the file is damaged."""
    try:
        return LocalRecord.model_validate_json(_path(card).read_bytes())
    except (OSError, ValidationError):
        return LocalRecord()


def expected_rate(card: ModelCard, device: str) -> float | None:
    """Give the seconds that a million voxels take: on this device, else the card's estimate, else None."""
    return read_record(card).speed_on(device) or card.inference.seconds_per_megavoxel


def guesses_in(card: ModelCard) -> tuple[str, ...]:
    """Give the fields of a card, as a draft names them, that are guesses still.

    They lie beside the card. Those that an older version of this program has kept here are put there at first sight.
    """
    marked = read_marks(card)
    if marked is not None:
        return marked
    old = read_record(card).guessed.get(_called(card), ())
    if old:
        keep_guesses(card, old)
    return old


def guesses_of(model: Model) -> tuple[str, ...]:
    """Give the same of a model wherever it lies: in a folder that is not the person's, the marks in that folder."""
    own = model.folder.resolve().parent == user_models().resolve()
    return guesses_in(model.card) if own else marks_in(model.folder)


def keep_guesses(card: ModelCard, guessed: Iterable[str]) -> None:
    """Remember which fields of a card are guesses: beside it, and only where that can't be written, here."""
    fields = tuple(guessed)
    left = () if write_marks(card, fields) else fields
    others = {name: known for name, known in read_record(card).guessed.items() if name != _called(card)}
    update_record(card, guessed=others | ({_called(card): left} if left else {}))


def update_record(card: ModelCard, **findings: object) -> LocalRecord:
    """Keep findings beside what is known; a disk that can't be written to is logged, and costs nothing else."""
    known = read_record(card)
    record = LocalRecord.model_validate({**known.model_dump(), **findings})
    if record != known:
        try:
            _path(card).parent.mkdir(parents=True, exist_ok=True)
            write_text(_path(card), record.model_dump_json(indent=1))
        except (OSError, SaveProblem) as problem:
            log.info("findings on %s not kept: %s", card.name, problem)
    return record


def _called(card: ModelCard) -> str:
    return f"{card.name} {card.version}"


def _path(card: ModelCard) -> Path:
    return user_cache_path("napari-vol3d") / "models" / f"{card.weights.sha256}.json"
