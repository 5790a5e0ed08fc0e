"""Times as people say them, in their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_vol3d.review.records import utc_now
from napari_vol3d.review.when import local_time, say_when

NOW = datetime(2026, 3, 18, 0, 30, tzinfo=timezone(timedelta(hours=2)))  # a Wednesday


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2026-03-17T22:10:00.000+00:00", "today 00:10"),  # yesterday in UTC
        ("2026-03-17T15:20:00.000+00:00", "yesterday 17:20"),
        ("2026-03-16T15:20:00.000+00:00", "Monday 17:20"),
        ("2026-03-12T15:20:00.000+00:00", "Thursday 17:20"),
        ("2026-03-11T15:20:00.000+00:00", "11 March 17:20"),
        ("2025-12-31T15:20:00.000+00:00", "31 December 2025"),
        ("2026-03-19T15:20:00.000+00:00", "19 March 17:20"),  # a clock that was set
    ],
)
def test_what_people_say(time: str, said: str) -> None:
    assert say_when(time, NOW) == said


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_any_time_can_be_said(moment: datetime) -> None:
    assert say_when(moment.isoformat(), NOW)
    assert local_time(moment.isoformat()) == moment


def test_just_now_is_today_or_midnight_has_passed() -> None:
    assert say_when(utc_now()).split()[0] in ("today", "yesterday")
