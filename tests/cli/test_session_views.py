from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.session_views import moment, standing, summary_of
from smallhold.messages import JsonObject
from smallhold.state.sessions import Entry, EntryKind, Run, RunStatus

PAYLOADS: dict[EntryKind, tuple[JsonObject, str]] = {
    EntryKind.MESSAGE: ({"message": {"content": "Hi"}}, "Hi"),
    EntryKind.DECISION: (
        {"calls": [{"call": {"name": "f", "arguments": {"a": 1}}}]},
        'f({"a": 1})',
    ),
    EntryKind.CALL_STARTED: ({"call": "call_1"}, "call_1"),
    EntryKind.RESULT: ({"step": {"content": "done"}}, "done"),
    EntryKind.ENDED: ({"text": "Bye"}, "Bye"),
    EntryKind.FAILED: ({"error": "DecodeError", "message": "no"}, "DecodeError no"),
    EntryKind.RESUMED: ({"epoch": 2}, "attempt 2"),
    EntryKind.EDITED: ({"before": 4}, "back to entry 4"),
}


def entry(kind: EntryKind, payload: JsonObject) -> Entry:
    return Entry(seq=1, run="r", kind=kind, created_s=0, payload=payload)


@pytest.mark.parametrize("kind", EntryKind)
def test_every_entry_is_summed_up_in_a_line(kind: EntryKind) -> None:
    payload, line = PAYLOADS[kind]
    assert summary_of(entry(kind, payload)) == line


@given(
    st.sampled_from(EntryKind),
    st.dictionaries(
        st.sampled_from(["message", "calls", "call", "step", "text"]),
        st.none() | st.integers() | st.text() | st.lists(st.none()),
    ),
)
def test_an_entry_of_any_form_is_summed_up(kind: EntryKind, payload: JsonObject) -> None:
    assert isinstance(summary_of(entry(kind, payload)), str)


def test_a_run_that_nobody_works_on_is_shown_as_interrupted() -> None:
    run = Run(
        id="r", session="s", status=RunStatus.RUNNING, epoch=1, first_seq=1, started_s=0,
        updated_s=0,
    )  # fmt: skip
    assert standing(run) == "interrupted"


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), 1e30, -1e30])
def test_a_time_that_is_none_is_said_to_be_unknown(time_s: float) -> None:
    assert moment(time_s) == "unknown"
    assert moment(0) == "1970-01-01 00:00:00"
