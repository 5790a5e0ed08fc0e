"""How unsure a model is of each voxel, from the class probabilities that a run keeps.

Those are of the classes alone, as bytes: what is missing to 255 is the background's. Where a network gives each class a
probability of its own (sigmoid) they can add up to more; then they are scaled down to 255, and the background has
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_vol3d.core.errors import ScanMismatch

WHOLE = 255  # stands for a probability of 1
SLAB = 64  # planes that are read together: as many as a chunk of kept probabilities has


def entropy_map(probabilities: Any) -> NDArray[np.uint8]:
    """Give the entropy of the classes in each voxel, as a share of the largest that there can be.

    Parameters
    ----------
    probabilities : array of uint8, shape (classes, Z, Y, X)
        In memory or lazy, without the background; 255 stands for 1.

    Returns
    -------
    ndarray of uint8, shape (Z, Y, X)
        0: the model is sure; 255: all classes, background included, are equally likely.

    Examples
    --------
    >>> import numpy as np
    >>> entropy_map(np.array([0, 255, 85], np.uint8).reshape(1, 1, 1, 3)).tolist()
    [[[0, 0, 234]]]
    """
    return _drained(entropy_slabs(probabilities), probabilities)


def disagreement_map(first: Any, second: Any) -> NDArray[np.uint8]:
    """Give the largest difference of the probability of any class, background included, between two runs.

    Parameters
    ----------
    first, second : array of uint8, shape (classes, Z, Y, X)
        In memory or lazy, without the background.

    Returns
    -------
    ndarray of uint8, shape (Z, Y, X)
        0: both say the same; 255: each is sure of another class.

    Raises
    ------
    ScanMismatch
        If the shapes differ.
    """
    return _drained(disagreement_slabs(first, second), first)


def entropy_slabs(probabilities: Any) -> Iterator[NDArray[np.uint8]]:
    """Give `entropy_map` in parts (z, Y, X) that follow each other; between them one may stop."""
    most = np.log(probabilities.shape[0] + 1)
    for span in _spans(probabilities):
        yield _entropy(probabilities, span, most)


def disagreement_slabs(first: Any, second: Any) -> Iterator[NDArray[np.uint8]]:
    """Give `disagreement_map` in parts (z, Y, X) that follow each other; between them one may stop."""
    if tuple(first.shape) != tuple(second.shape):
        raise ScanMismatch(
            f"Two runs differ in shape: {tuple(first.shape)} and {tuple(second.shape)}.",
            hint="Compare runs of one model over one scan.",
        )
    for span in _spans(first):
        yield _disagreement(first, second, span)


def _entropy(probabilities: Any, span: slice, most: float) -> NDArray[np.uint8]:
    """Sum -p log p class by class: there may be a hundred classes, and no room for all of them as floats."""
    terms = _terms()
    shape = (span.stop - span.start, *probabilities.shape[2:])
    total, entropy = np.zeros(shape, np.uint16), np.zeros(shape, np.float32)
    for part in _classes(probabilities, span):
        total += part
        entropy += terms[part]
    entropy += terms[WHOLE - np.minimum(total, WHOLE)]
    # Of p / s, which adds up to 1, the entropy is (sum of -p log p) / s + log s.
    over = total > WHOLE
    share = total[over] / np.float32(WHOLE)
    entropy[over] = entropy[over] / share + np.log(share)
    return np.asarray(np.clip(np.rint(entropy * (WHOLE / most)), 0, WHOLE).astype(np.uint8))


def _disagreement(first: Any, second: Any, span: slice) -> NDArray[np.uint8]:
    shape = (span.stop - span.start, *first.shape[2:])
    totals, largest = np.zeros((2, *shape), np.uint16), np.zeros(shape, np.uint8)
    for one, other in zip(_classes(first, span), _classes(second, span), strict=True):
        totals += np.stack([one, other])
        np.maximum(largest, np.maximum(one, other) - np.minimum(one, other), out=largest)
    one, other = WHOLE - np.minimum(totals, WHOLE)
    return np.asarray(np.maximum(largest, np.maximum(one, other) - np.minimum(one, other)).astype(np.uint8))


def _terms() -> NDArray[np.float32]:
    """Give -p log p of each byte."""
    p = np.arange(WHOLE + 1) / WHOLE
    return np.asarray(-p * np.log(np.where(p > 0, p, 1.0)), np.float32)


def _classes(probabilities: Any, span: slice) -> Iterator[NDArray[np.uint8]]:
    for index in range(probabilities.shape[0]):
        yield np.asarray(probabilities[index : index + 1, span])[0]


def _spans(probabilities: Any) -> list[slice]:
    depth = int(probabilities.shape[1])
    return [slice(z, min(z + SLAB, depth)) for z in range(0, depth, SLAB)]


def _drained(slabs: Iterator[NDArray[np.uint8]], probabilities: Any) -> NDArray[np.uint8]:
    found, z = np.zeros(tuple(probabilities.shape[1:]), np.uint8), 0
    for slab in slabs:
        found[z : z + len(slab)] = slab
        z += len(slab)
    return found
