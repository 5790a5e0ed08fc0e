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
    """Say an amount of memory: "72 kB", "640 MB", "1.1 GB"."""
    if count < 1e6:
        return f"{count / 1e3:.0f} kB"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def say_times(factor: float) -> str:
    """Say how many times as much: "1.4x", "512x"."""
    return f"{factor:.2g}x" if factor < 99.5 else f"{factor:,.0f}x"


def say_count(count: int, one: str, many: str = "") -> str:
    """Say a number of things: "1 channel", "3 classes"."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def shortened(text: str, most: int) -> str:
    """Cut a text to at most so many letters, an ellipsis for what is left out.

    Examples
    --------
    >>> shortened("a rather long name", 9)
    'a rather…'
    """
    return text if len(text) <= most else f"{text[: max(most - 1, 0)].rstrip()}…"


def plain_line(text: str, most: int) -> str:
    """Give a text from a stranger's file in one line of at most so many letters, control characters as spaces.

    Raw, an escape sequence would steer the terminal, and a line break could pose as a line of ours.
    """
    return shortened("".join(letter if letter.isprintable() else " " for letter in text[: most + 1]), most)


def short_unit(unit: str) -> str:
    """Give the sign of a unit of length by its name: "mm" for "millimeter", "px" for "pixel"."""
    return {"millimeter": "mm", "micrometer": "µm", "nanometer": "nm", "pixel": "px"}.get(unit, unit)
