"""Promises of `smallhold.models.pulling.pull_progress`:
this file holds tests of what a pull tells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.models.pulling.pull_progress import (
    REPORT_EVERY_S,
    ProgressReporter,
    PullPhase,
    PullProgress,
)

if TYPE_CHECKING:
    from tests.models.conftest import EntryMaker


@pytest.fixture
def told() -> list[PullProgress]:
    return []


@pytest.fixture
def reporter(told: list[PullProgress], make_entry: EntryMaker) -> ProgressReporter:
    return ProgressReporter(entry=make_entry(b"x" * 100), on_progress=told.append)


def advance(reporter: ProgressReporter, done_bytes: int, now_s: float) -> None:
    reporter.advance(
        PullPhase.FETCHING, source="a", done_bytes=done_bytes, total_bytes=100, now_s=now_s
    )


def test_steps_are_told_no_more_often_than_a_screen_can_show(
    reporter: ProgressReporter, told: list[PullProgress]
) -> None:
    for number in range(100):
        advance(reporter, number, number * REPORT_EVERY_S / 10)
    assert 9 <= len(told) <= 11


def test_the_first_and_the_last_step_of_a_phase_are_always_told(
    reporter: ProgressReporter, told: list[PullProgress]
) -> None:
    advance(reporter, 0, 0.0)
    advance(reporter, 50, 0.001)
    advance(reporter, 100, 0.002)
    reporter.advance(PullPhase.VERIFYING, source="a", done_bytes=1, total_bytes=100, now_s=0.003)
    assert [(step.phase, step.done_bytes) for step in told] == [
        (PullPhase.FETCHING, 0),
        (PullPhase.FETCHING, 100),
        (PullPhase.VERIFYING, 1),
    ]


def test_a_step_has_a_rate_as_soon_as_there_is_something_to_compare_with(
    reporter: ProgressReporter, told: list[PullProgress]
) -> None:
    advance(reporter, 0, 0.0)
    advance(reporter, 50, 2.0)
    assert [step.rate_bytes_s for step in told] == [None, 25.0]


def test_every_step_names_the_one_file(
    reporter: ProgressReporter, told: list[PullProgress]
) -> None:
    reporter.event(PullPhase.SOURCE_FAILED, source="a", detail="closed")
    reporter.revision = "c0ffee"
    reporter.done(100)
    assert {step.reference for step in told} == {"tiny:f32"}
    assert (told[0].detail, told[0].revision) == ("closed", None)
    assert (told[1].done_bytes, told[1].total_bytes, told[1].revision) == (100, 100, "c0ffee")
