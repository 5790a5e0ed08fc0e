"""Who reads what in which order, and what a blind reader may know.

    plan = plan_readings(project.cases(), "ann", seed=7, share=0.5, blind=True, repeats=1)
    project.assign(plan, who="boss")

Cases are drawn by the seed alone, so that all readers of one seed read the same ones; the order is each reader's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from napari_vol3d.core.errors import Vol3dError
from napari_vol3d.review.project.records import Case, Reading

if TYPE_CHECKING:
    from napari_vol3d.review.project.store import Project  # which may ask the protocol what it shows

PROTOCOL = "protocol"  # its name in what a project remembers


@dataclass(frozen=True, slots=True, kw_only=True)
class Protocol:
    """What a blind reader is shown all the same.

    Attributes
    ----------
    show_prediction : bool
        Labels begin with the prediction, or with those that were there before; suspicious places are listed.
    show_score : bool
        The score of the newest prediction.
    """

    show_prediction: bool = False
    show_score: bool = False

    def prediction_for(self, reading: Reading) -> bool:
        """Whether its reader may know a prediction, or labels that were there before."""
        return self.show_prediction or not reading.blind

    def score_for(self, reading: Reading) -> bool:
        """Whether its reader may know the score."""
        return self.show_score or not reading.blind

    def others_for(self, reading: Reading) -> bool:
        """Whether its reader may know other readings: a blind one never does."""
        return not reading.blind

    def plain(self) -> dict[str, Any]:
        """Give it as what JSON can hold."""
        return asdict(self)

    @classmethod
    def read(cls, mapping: Mapping[str, Any]) -> Self:
        """Make one of what `plain` gave; what an older or newer version says otherwise is not shown."""
        return cls(**{item.name: mapping.get(item.name) is True for item in fields(cls)})


def protocol_of(project: Project) -> Protocol:
    """Give the protocol of a project; where nobody said anything, blind is blind."""
    return Protocol.read(dict(project.said(PROTOCOL, {})))


def keep_protocol(project: Project, protocol: Protocol) -> None:
    """Have a project remember its protocol."""
    project.say(PROTOCOL, protocol.plain())


def plan_readings(
    cases: Sequence[Case], reader: str, *, seed: int, share: float = 1.0, blind: bool, repeats: int = 0
) -> tuple[Reading, ...]:
    """Plan the readings of one reader.

    Parameters
    ----------
    cases : sequence of Case
        Whatever their order, the plan is the same.
    reader : str
        Who reads.
    seed : int
        Not negative.
    share : float
        Of the cases, over 0 to 1; at least one. A larger share has those of a smaller one in it.
    blind : bool
        Whether the reader sees neither score, status, prediction nor another reading; see `Protocol`.
    repeats : int
        How often each case is read once more. Between two readings of a case lie those of half of the cases or more.

    Returns
    -------
    tuple of Reading
        In their order, `position` 0, 1, 2 ...; first each case once, then each once more.

    Raises
    ------
    Vol3dError
        If there is no case, nobody to read, or a number makes no sense.

    Notes
    -----
    Orders are drawn uniformly from all that are allowed, by NumPy's default generator, which gives the same numbers on
    all machines.
    """
    name = reader.strip()
    _check(cases, name, seed=seed, share=share, repeats=repeats)
    drawn = _drawn(cases, seed, share)
    rng = np.random.default_rng((seed, int.from_bytes(sha256(name.encode()).digest(), "big")))
    order = [int(k) for k in rng.permutation(len(drawn))]
    rounds = [order]
    for _ in range(repeats):
        order = _once_more(order, rng)
        rounds.append(order)
    return tuple(
        Reading(case=drawn[k].key, reader=name, repeat=repeat, blind=blind, position=repeat * len(drawn) + place)
        for repeat, found in enumerate(rounds) for place, k in enumerate(found)
    )  # fmt: skip


def _drawn(cases: Sequence[Case], seed: int, share: float) -> list[Case]:
    known = sorted(cases, key=lambda case: case.code)  # keys are other ones each time a project is made
    count = max(1, round(share * len(known)))
    return [known[k] for k in np.random.default_rng(seed).permutation(len(known))[:count]]


def _once_more(order: Sequence[int], rng: np.random.Generator) -> list[int]:
    """Draw another order in which each case comes half a round or more after it came in this one.

    At each place there are as many to choose from as at any other until the end, so that all allowed orders are equally
    likely.
    """
    half, again, waiting = len(order) // 2, list[int](), list(order[: len(order) // 2])
    for place in range(len(order)):
        waiting += order[half + place : half + place + 1]
        again.append(waiting.pop(int(rng.integers(len(waiting)))))
    return again


def _check(cases: Sequence[Case], name: str, *, seed: int, share: float, repeats: int) -> None:
    if not cases:
        raise Vol3dError("There is no case to read.", hint="Add scans to the project first.")
    if not name:
        raise Vol3dError("Nobody is asked: the name is empty.", hint="Say who is to read.")
    if not 0 < share <= 1:
        raise Vol3dError(f"The share must be over 0 to 1; received {share:g}.", hint="Use 1 for all cases.")
    if seed < 0 or repeats < 0:
        raise Vol3dError(
            f"Seed and repeats can't be negative; received {seed} and {repeats}.", hint="Use 0 for no repeat."
        )
