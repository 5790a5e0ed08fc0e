"""Numbers and names as people read them."""

from __future__ import annotations


def say_seconds(seconds: float) -> str:
    """Say a duration as people do: "0.8 s", "12 s", "3 min", "1.5 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def say_bytes(count: float) -> str:
    """Say an amount of memory: "640 MB", "1.1 GB"."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def say_times(factor: float) -> str:
    """Say how many times as much: "1.4x", "512x"."""
    return f"{factor:.2g}x" if factor < 99.5 else f"{factor:,.0f}x"


def shortened(text: str, most: int) -> str:
    """Cut a text to at most so many letters, an ellipsis for what is left out.

    Examples
    --------
    >>> shortened("a rather long name", 9)
    'a rather…'
    """
    return text if len(text) <= most else f"{text[: max(most - 1, 0)].rstrip()}…"


def short_unit(unit: str) -> str:
    """Give the sign of a unit of length by its name: "mm" for "millimeter", "px" for "pixel"."""
    return {"millimeter": "mm", "micrometer": "µm", "nanometer": "nm", "pixel": "px"}.get(unit, unit)
