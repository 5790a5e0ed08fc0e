"""Which regions are decided: by steps of a history, which can be taken back, or by leaving them as they are."""

from __future__ import annotations

from collections.abc import Collection


class Decisions:
    """Remembers, of regions 0, 1, 2 ..., which step decided which.

    Parameters
    ----------
    count : int
        Of regions.

    Attributes
    ----------
    by_hand : set of int
        Regions that a person will correct by hand.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.by_hand: set[int] = set()
        self._as_it_was: set[int] = set()  # the labels said already what was chosen
        self._steps: dict[str, int] = {}
        self._done: frozenset[int] = frozenset()

    @property
    def decided(self) -> frozenset[int]:
        """Regions that nothing is left to do about."""
        return self._done | self._as_it_was | self.by_hand

    @property
    def settled(self) -> frozenset[int]:
        """Those in which somebody's labels were taken."""
        return self.decided - self.by_hand

    def take(self, region: int, token: str | None) -> None:
        """Know that a step decided a region; None: nothing had to change."""
        self.by_hand.discard(region)
        self._as_it_was.discard(region)
        if token is None:
            self._as_it_was.add(region)
        else:
            self._steps[token] = region
            self._done |= {region}

    def leave(self, region: int) -> None:
        """Know that a region is left for work by hand."""
        self._as_it_was.discard(region)
        self.by_hand.add(region)

    def follow(self, tokens: Collection[str]) -> int:
        """Know which steps of the history are done.

        Returns
        -------
        int
            A region whose decision was taken back; -1 where none was.
        """
        before = self.decided
        self._done = frozenset(region for token, region in self._steps.items() if token in tokens)
        return min(before - self.decided, default=-1)

    def after(self, region: int) -> int:
        """Give the next region that is not decided, from there on and round; -1 where all are."""
        ahead = [(region + step) % self.count for step in range(1, self.count + 1)]
        return next((each for each in ahead if each not in self.decided), -1)
