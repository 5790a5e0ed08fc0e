"""Lengths as files spell them: units by many names, and numbers that may be none."""

from __future__ import annotations

import math
from typing import Any

LENGTHS: dict[str, tuple[str, float]] = {
    "m": ("mm", 1e3), "cm": ("mm", 10.0), "mm": ("mm", 1.0), "millimeter": ("mm", 1.0), "inch": ("mm", 25.4),
    "in": ("mm", 25.4), "um": ("um", 1.0), "\N{MICRO SIGN}m": ("um", 1.0), "\N{GREEK SMALL LETTER MU}m": ("um", 1.0),
    "\\u00b5m": ("um", 1.0), "micron": ("um", 1.0), "microns": ("um", 1.0), "micrometer": ("um", 1.0),
    "nm": ("um", 1e-3), "nanometer": ("um", 1e-3),
}  # fmt: skip


def length_unit(name: str) -> tuple[str, float]:
    """Give the unit that the house uses for the one that a file names, and the factor to it; "pixel" if unknown."""
    return LENGTHS.get(name.strip().lower(), ("pixel", 1.0))


def convert(value: float, unit: str, wanted: str) -> float:
    """Convert between "mm" and "um"; pixels stay what they are."""
    return value * {("mm", "um"): 1e3, ("um", "mm"): 1e-3}.get((unit, wanted), 1.0)


def positive(value: Any) -> float | None:
    """Give a finite number above zero, or None for all else that may stand in its place."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None
