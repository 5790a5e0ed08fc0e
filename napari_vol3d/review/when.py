"""Moments as people say them: "yesterday 17:20"."""

from __future__ import annotations

from datetime import datetime

# Not strftime: Qt sets the locale of the system, and the sentences around are English.
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def local_time(time: str) -> datetime:
    """Give a time of a journal (ISO 8601, UTC) as this computer's clock shows it."""
    return datetime.fromisoformat(time).astimezone()


def say_when(time: str, now: datetime | None = None) -> str:
    """Say when that was.

    Parameters
    ----------
    time : str
        ISO 8601, with its zone, as a journal keeps it.
    now : datetime, optional
        By default the present; its zone is the person's.

    Returns
    -------
    str
        "today 17:20", "yesterday 17:20", "Monday 17:20" of the last six days, "14 March 17:20" of this year, else
        "14 March 2024".
    """
    now = datetime.now().astimezone() if now is None else now
    then = datetime.fromisoformat(time).astimezone(now.tzinfo)
    days, clock = (now.date() - then.date()).days, f"{then:%H:%M}"
    if days in (0, 1):
        return f"{('today', 'yesterday')[days]} {clock}"
    if 1 < days < 7:
        return f"{DAYS[then.weekday()]} {clock}"
    day = f"{then.day} {MONTHS[then.month - 1]}"
    return f"{day} {clock}" if then.year == now.year else f"{day} {then.year}"
