"""Promises of `smallhold.cli.pull_views`: this file holds tests of how a pull is shown."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from rich.progress import Progress

from smallhold.cli.pull_views import PullBar, PullEvents, event_of
from smallhold.models import PullPhase, PullProgress

if TYPE_CHECKING:
    from tests.cli.conftest import Screen

    from smallhold.messages import JsonObject


def step(phase: PullPhase, *, source: str = "", detail: str = "") -> PullProgress:
    return PullProgress(
        alias="tiny",
        phase=phase,
        source=source,
        done_bytes=5,
        total_bytes=10,
        detail=detail,
        reference="tiny:f32",
        rate_bytes_s=2.6,
    )


def test_waiting_and_verifying_are_shown_by_name(screen: Screen) -> None:
    console = screen.console
    with Progress(console=console, auto_refresh=False) as progress, ExitStack() as stack:
        bar = PullBar(console=console, stack=stack, progress=progress)
        for phase in (PullPhase.WAITING, PullPhase.FETCHING, PullPhase.VERIFYING):
            bar.show(step(phase))
            (task,) = progress.tasks
            assert (task.completed, task.total) == (5, 10)
            wanted = {PullPhase.WAITING: "waiting for another pull"}.get(phase, phase.value)
            assert task.description == wanted


def test_what_was_deleted_for_room_is_named(screen: Screen) -> None:
    with ExitStack() as stack:
        bar = PullBar(console=screen.console, stack=stack)
        bar.show(step(PullPhase.EVICTED, detail="old:q4_k_m"))
    assert screen.text == "old:q4_k_m was deleted, to keep to SMALLHOLD_MODEL_CACHE_SIZE\n"


def test_a_step_is_one_object_with_its_rate() -> None:
    assert event_of(step(PullPhase.FETCHING, source="hub")) == {
        "event": "fetching",
        "reference": "tiny:f32",
        "source": "hub",
        "done_bytes": 5,
        "total_bytes": 10,
        "rate_bytes_s": 3,
    }


def test_the_last_event_says_where_the_file_is_or_why_there_is_none() -> None:
    written: list[JsonObject] = []
    events = PullEvents(write=written.append)
    events.show(step(PullPhase.DONE))
    assert written == []
    events.done(reference="tiny:f32", path="/x", size_bytes=10)
    events.failed(ValueError("no"))
    assert (written[0]["event"], written[0]["path"]) == ("done", "/x")
    assert written[1] == {"event": "failed", "kind": "ValueError", "detail": "no"}
