"""What a package does to voxels before the network and to scores after it: as a card can say it, and done.

Names and meaning: https://github.com/bioimage-io/spec-bioimage-io, model specifications 0.4 and 0.5.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from napari_vol3d.core.errors import ModelProblem
from napari_vol3d.core.intensity import IntensityScheme
from napari_vol3d.models.zoo.description import items, number, text

CENTRED, STRETCHED = "zero_mean_unit_variance", "scale_range"
FIXED = "fixed_zero_mean_unit_variance"
EPS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step, with its options as the package says them."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def fixed(self) -> bool:
        """Whether it needs nothing but its options: no statistics of the voxels."""
        percentiles = {"min_percentile", "max_percentile"} & {k for k, v in self.options.items() if v is not None}
        fixed = self.name == FIXED or (self.name == CENTRED and self._mode == "fixed")
        return fixed or self.name == "scale_linear" or (self.name == "clip" and not percentiles)

    @property
    def centred(self) -> bool:
        """Whether it makes mean 0 and deviation 1 of what it sees."""
        return self.name == CENTRED and not self.fixed

    @property
    def _mode(self) -> str:
        given = "fixed" if "mean" in self.options and "std" in self.options else "per_sample"
        return text(self.options.get("mode")) or given

    def figure(self, name: str, usual: float) -> float:
        """Give an option as a number.

        Raises
        ------
        ValueError
            If it is a list of different numbers, one a channel, or no number.
        """
        values = {number(value) for value in items(self.options.get(name))}
        if not values:
            return usual
        value = values.pop()
        if values or value is None:
            raise ValueError(f"{self.name} says {name} = {str(self.options[name])[:60]}")
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Fixed steps made one: ``clip(x, low, high) * gain + offset``."""

    low: float = -math.inf
    high: float = math.inf
    gain: float = 1.0
    offset: float = 0.0

    def then(self, step: Step) -> Line:
        """Give the line that does this step too."""
        if step.name == "clip":
            low, high = (self._source(step.figure(*end)) for end in (("min", -math.inf), ("max", math.inf)))
            return Line(low=max(low, self.low), high=min(high, self.high), gain=self.gain, offset=self.offset)
        if step.name == "scale_linear":
            gain, offset = step.figure("gain", 1.0), step.figure("offset", 0.0)
        else:
            gain = 1 / step.figure("std", 1.0)
            offset = -step.figure("mean", 0.0) * gain
        if gain <= 0:
            raise ValueError(f"{step.name} turns bright into dark")
        return Line(low=self.low, high=self.high, gain=self.gain * gain, offset=self.offset * gain + offset)

    def _source(self, value: float) -> float:
        """Give the voxel that becomes `value`."""
        return (value - self.offset) / self.gain

    @property
    def scheme(self) -> IntensityScheme | None:
        """The window that is the same; None where there is none."""
        if (self.low, self.high, self.gain, self.offset) == (-math.inf, math.inf, 1.0, 0.0):
            return IntensityScheme(kind="none")
        if not math.isfinite(self.low) or not math.isfinite(self.high):
            return None
        ends = [self.low * self.gain + self.offset, self.high * self.gain + self.offset]
        fits = np.allclose(ends, (0, 1), rtol=0, atol=1e-3)
        return IntensityScheme(kind="window", lower=self._source(0), upper=self._source(1)) if fits else None


def intensity_of(
    steps: Sequence[Step], *, limits: tuple[float, float] | None = None, kinds: str = "zyx"
) -> tuple[IntensityScheme | None, tuple[str, ...]]:
    """Say the steps before a network as an intensity scheme.

    Parameters
    ----------
    limits : tuple of float, optional
        Between which all voxels lie: what cuts there or beyond does nothing.
    kinds : str
        Axes of the input, as "bzyxc".

    Returns
    -------
    IntensityScheme or None, tuple of str
        None where no scheme says it even nearly; and sentences on what is not said.
    """
    steps = [step for step in steps if not step.name.startswith("ensure_dtype")]
    measured = [step for step in steps if not step.fixed]
    try:
        if not measured:
            return _fixed(steps, limits)
        return _measured(steps, kinds)
    except (ValueError, ZeroDivisionError) as error:
        return None, (f"Its preprocessing can't be said by a card: {error}.",)


def _fixed(steps: Sequence[Step], limits: tuple[float, float] | None) -> tuple[IntensityScheme | None, tuple[str, ...]]:
    line = Line(low=limits[0], high=limits[1]) if limits else Line()
    for step in steps:
        line = line.then(step)
    if not steps:
        return IntensityScheme(kind="none"), ()
    scheme = line.scheme
    wanted = f"It wants voxels as x * {line.gain:.6g} + {line.offset:.6g}, which no scheme says."
    return scheme, () if scheme else (wanted,)


def _measured(steps: Sequence[Step], kinds: str) -> tuple[IntensityScheme | None, tuple[str, ...]]:
    """The last step that measures decides: what was stretched before is stretched anew, unless something was cut."""
    last = max(index for index, step in enumerate(steps) if step.centred or step.name == STRETCHED or not step.fixed)
    step, notes = steps[last], []
    if not step.centred and step.name != STRETCHED:
        return None, (f"Its preprocessing {step.name!r} can't be said by a card.",)
    lower, upper = step.figure("min_percentile", 0.0), step.figure("max_percentile", 100.0)
    for before in steps[:last]:
        if before.name == "clip" and step.centred and not before.fixed:
            lower, upper = before.figure("min_percentile", 0.0), before.figure("max_percentile", 100.0)
        else:
            notes.append(f"Before it measures it does {before.name!r}, which is left out here.")
    for after in steps[last + 1 :]:
        if after.name != "clip":
            return None, (f"After it measures it does {after.name!r}, which no scheme says.",)
        notes.append("It cuts off what it has stretched; here that is left as it is.")
    return _scheme(step, lower, upper), (*notes, *_joint(step, kinds))


def _scheme(step: Step, lower: float, upper: float) -> IntensityScheme:
    if step.centred:
        return IntensityScheme(kind="zscore", lower=lower, upper=upper)
    if (lower, upper) == (0.0, 100.0):
        return IntensityScheme(kind="minmax")
    return IntensityScheme(kind="quantile", lower=lower, upper=upper)


def _joint(step: Step, kinds: str) -> tuple[str, ...]:
    """Say over which voxels it measures, where that is not each channel by itself and whole."""
    over = _axes(step, kinds)
    notes = []
    if not {"z", "y", "x"} <= {kinds[axis] for axis in over}:
        notes.append("It measures plane by plane; here the whole scan is measured at once.")
    if any(kinds[axis] == "c" for axis in over) and "c" in kinds:
        notes.append("It measures all channels together; here each by itself, which is the same for one channel.")
    return tuple(notes)


def _axes(step: Step, kinds: str) -> tuple[int, ...]:
    """Give the axes that a step measures together; batch and channel are written out in 0.5, letters before."""
    said = step.options.get("axes")
    if said is None:
        return tuple(range(len(kinds)))
    letters = {text(axis)[:1].lower() for axis in (said if not isinstance(said, str) else list(said))}
    return tuple(index for index, kind in enumerate(kinds) if kind in letters)


def apply(steps: Sequence[Step], array: NDArray[Any], kinds: str) -> NDArray[np.float32]:
    """Do the steps to an array with axes `kinds`, as the zoo's own runner (bioimageio.core 0.11) does.

    It measures before it does anything: mean, deviation and percentiles are those of the array as it comes.

    Raises
    ------
    ModelProblem
        If one of them is not known, or its options are not understood.
    """
    values = np.asarray(array, np.float32)
    for step in steps:
        if step.name.startswith("ensure_dtype"):
            wanted = text(step.options.get("dtype")) or "float32"
            values = values.astype(wanted if wanted in NUMBERS else "float32").astype(np.float32)
            continue
        do = DOES.get(FIXED if step.fixed and step.name == CENTRED else step.name)
        if do is None:
            raise ModelProblem(f"Step {step.name!r} is not known.", hint="The model's test data can't be compared.")
        try:
            values = np.asarray(do(values, array, step, kinds), np.float32)
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise ModelProblem(f"Step {step.name!r} can't be done: {error}.") from error
    return values


def _along(step: Step, name: str, usual: float, kinds: str) -> NDArray[np.float64]:
    """Give an option, one number or one a channel, so that it goes with an array of these axes."""
    values = [number(value) for value in items(step.options.get(name))] or [usual]
    if any(value is None for value in values):
        raise ValueError(f"{name} is no number")
    shape = [len(values) if kind == "c" and len(values) > 1 else 1 for kind in kinds]
    return np.asarray(values, float).reshape(shape)


def _clip(x: NDArray[Any], raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    ends: list[Any] = []
    for end, usual in (("min", -math.inf), ("max", math.inf)):
        share = number(step.options.get(f"{end}_percentile"))
        over = _axes(step, kinds)
        ends.append(step.figure(end, usual) if share is None else np.percentile(raw, share, axis=over, keepdims=True))
    return np.asarray(np.clip(x, ends[0], ends[1]))


def _stretch(x: NDArray[Any], raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    shares = step.figure("min_percentile", 0.0), step.figure("max_percentile", 100.0)
    low, high = np.percentile(raw, shares, axis=_axes(step, kinds), keepdims=True)
    return np.asarray((x - low) / (high - low + step.figure("eps", EPS)))


def _centre(x: NDArray[Any], raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    over, exact = _axes(step, kinds), raw.astype(np.float64)
    mean, deviation = exact.mean(axis=over, keepdims=True), exact.std(axis=over, keepdims=True)
    return np.asarray((x - mean) / (deviation + step.figure("eps", EPS)))


def _line(x: NDArray[Any], _raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    return np.asarray(x * _along(step, "gain", 1, kinds) + _along(step, "offset", 0, kinds))


def _fix(x: NDArray[Any], _raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    return np.asarray((x - _along(step, "mean", 0, kinds)) / _along(step, "std", 1, kinds))


def _softmax(x: NDArray[Any], _raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    powers = np.exp(x - x.max(axis=kinds.index("c"), keepdims=True))
    return np.asarray(powers / powers.sum(axis=kinds.index("c"), keepdims=True))


def _binarize(x: NDArray[Any], _raw: NDArray[Any], step: Step, kinds: str) -> NDArray[Any]:
    return np.asarray(x > _along(step, "threshold", 0.5, kinds))


def _sigmoid(x: NDArray[Any], _raw: NDArray[Any], _step: Step, _kinds: str) -> NDArray[Any]:
    return np.asarray(expit(x))


# What each step does to an array, given that array as it came.
DOES: dict[str, Callable[[NDArray[Any], NDArray[Any], Step, str], NDArray[Any]]] = {
    "binarize": _binarize, "clip": _clip, "scale_linear": _line, "sigmoid": _sigmoid, "softmax": _softmax, FIXED: _fix,
    CENTRED: _centre, STRETCHED: _stretch,
}  # fmt: skip
NUMBERS = ("float32", "float64", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "bool")
