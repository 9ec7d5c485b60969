"""Promises of `smallhold.cli.demo_report`: this file holds tests of the demo's figures."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.demo_report import DemoReport, OfferedCall, TaskReport, token_count
from smallhold.messages import ToolCall, Usage

KEYS = [
    "tasks", "completed", "valid_calls", "calls", "seconds", "tokens", "peak_rss_bytes", "model",
]  # fmt: skip


def offered(*, is_valid: bool) -> OfferedCall:
    call = ToolCall(id="1", name="f", arguments={"a": 1})
    return OfferedCall(call=call, is_valid=is_valid, content="x", is_error=not is_valid)


offered_calls = st.builds(offered, is_valid=st.booleans())
counts = st.integers(min_value=0, max_value=10_000)
task_reports = st.builds(
    TaskReport,
    task_id=st.just("t"),
    message=st.text(),
    completed=st.booleans(),
    reason=st.text(),
    calls=st.lists(offered_calls).map(tuple),
    answer=st.text(),
    usage=st.builds(Usage, prompt_tokens=counts, completion_tokens=counts, passes=counts),
    first_token_s=st.none() | st.floats(min_value=0, max_value=100),
    total_s=st.floats(min_value=0, max_value=100),
)


@given(st.lists(task_reports), counts)
def test_the_figures_are_sums_over_the_tasks(tasks: list[TaskReport], peak: int) -> None:
    figures = DemoReport(tasks=tasks, peak_rss_bytes=peak, model="m").to_dict()
    assert list(figures) == KEYS
    lines = [task.to_dict() for task in tasks]
    calls = [call for task in tasks for call in task.calls]
    assert figures["tasks"] == len(tasks)
    assert figures["completed"] == sum(line["completed"] is True for line in lines)
    assert figures["calls"] == len(calls)
    assert figures["valid_calls"] == len([call for call in calls if call.is_valid])
    assert figures["tokens"] == sum(token_count(task.usage) for task in tasks)
    assert figures["peak_rss_bytes"] == peak


@given(task_reports)
def test_a_task_s_report_is_json(report: TaskReport) -> None:
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_tokens_are_those_read_and_those_written() -> None:
    usage = Usage(prompt_tokens=100, cached_tokens=80, completion_tokens=7, forced_tokens=3)
    assert token_count(usage) == 107
