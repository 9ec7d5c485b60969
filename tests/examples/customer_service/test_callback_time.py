"""Tests of everyday times; the shop's present is Monday, 16 November 2026, 09:00."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_service.callback_time import CALLING_HOURS, TimeProblem, read_callback_time
from customer_service.records import SHOP_NOW


def november(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("tomorrow 10:00", november(17, 10)),
        ("tomorrow at 10:30", november(17, 10, 30)),
        ("10.30 tomorrow", november(17, 10, 30)),
        ("Tomorrow at 3 pm", november(17, 15)),
        ("tomorrow 3p.m.", november(17, 15)),
        ("tomorrow at 3", november(17, 15)),
        ("tomorrow at 8 o'clock", november(17, 8)),
        ("tomorrow morning", november(17, 9)),
        ("tomorrow at 10 in the morning", november(17, 10)),
        ("4 in the afternoon, today", november(16, 16)),
        ("tonight", november(16, 18)),
        ("tonight at 7", november(16, 19)),
        ("the day after tomorrow at noon", november(18, 12)),
        ("12 am friday", TimeProblem.OUTSIDE_HOURS),
        ("Friday 14:30", november(20, 14, 30)),
        ("on Thursday afternoon", november(19, 14)),
        ("wed at 11am", november(18, 11)),
        ("Monday at 10", november(23, 10)),
        ("2026-11-20 09:00", november(20, 9)),
        ("2026-11-20T09:00:00", november(20, 9)),
        ("20 November at 10:30", november(20, 10, 30)),
        ("November 20th, 5 pm", november(20, 17)),
        ("10:15", november(16, 10, 15)),
        ("8:30", november(17, 8, 30)),
        ("3 January at 10:00", datetime(2027, 1, 3, 10, tzinfo=UTC)),
        ("yesterday at 10:00", TimeProblem.PAST),
        ("2023-10-05 10:00", TimeProblem.PAST),
        ("tomorrow at 23:00", TimeProblem.OUTSIDE_HOURS),
        ("tomorrow 25:00", TimeProblem.UNCLEAR),
        ("30 February at 10:00", TimeProblem.UNCLEAR),
        ("2026-13-45 10:00", TimeProblem.UNCLEAR),
        ("tomorrow", TimeProblem.UNCLEAR),
        ("soon", TimeProblem.UNCLEAR),
        ("in 2 hours", TimeProblem.UNCLEAR),
        ("2 days from now at 10", TimeProblem.UNCLEAR),
        ("next month at 10", TimeProblem.UNCLEAR),
        ("", TimeProblem.UNCLEAR),
    ],
)
def test_a_wish_is_read_as_a_clerk_would(wish: str, expected: datetime | TimeProblem) -> None:
    assert read_callback_time(wish, now=SHOP_NOW) == expected


@given(wish=st.text())
def test_any_text_gives_a_bookable_time_or_a_problem(wish: str) -> None:
    result = read_callback_time(wish, now=SHOP_NOW)
    if isinstance(result, datetime):
        assert result > SHOP_NOW
        assert CALLING_HOURS[0] <= result.time() <= CALLING_HOURS[1]


@given(
    days=st.integers(min_value=1, max_value=3_000),
    minute_of_day=st.integers(min_value=8 * 60, max_value=20 * 60),
)
def test_a_written_out_time_is_taken_literally(days: int, minute_of_day: int) -> None:
    midnight = SHOP_NOW.replace(hour=0) + timedelta(days=days)
    wished = midnight + timedelta(minutes=minute_of_day)
    assert read_callback_time(f"{wished:%Y-%m-%d %H:%M}", now=SHOP_NOW) == wished
