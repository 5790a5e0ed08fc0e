"""What rows of the Review tab say and how: minutes, hints of several lines, bold."""

from __future__ import annotations

import html
from collections.abc import Iterable

from qtpy.QtGui import QFont

FEW = 10  # minutes that are said with a decimal


def say_minutes(seconds: float) -> str:
    """Say a time of activity in minutes, without the unit: "1.4", "12"; "" of none.

    Examples
    --------
    >>> say_minutes(84), say_minutes(700), say_minutes(0)
    ('1.4', '12', '')
    """
    minutes = seconds / 60
    if minutes <= 0:
        return ""
    return f"{max(minutes, 0.1):.1f}" if minutes < FEW else f"{minutes:,.0f}"


def rich(lines: Iterable[str]) -> str:
    """Give lines as a hint: as rich text, so that Qt wraps a long one and a "<" in it stays one; no empty lines."""
    return f"<qt>{'<br>'.join(html.escape(line) for line in lines if line)}</qt>"


def bold() -> QFont:
    """Give a font that says nothing but that it is bold."""
    font = QFont()
    font.setBold(True)
    return font
