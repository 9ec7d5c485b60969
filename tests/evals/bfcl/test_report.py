from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.bfcl.report import BFCLReport, RowResult, build_report
from smallhold.evals.bfcl.scoring import Mistake, Verdict, wrong
from smallhold.exceptions import ConfigError
from smallhold.messages import ToolCall, Usage

RIGHT = Verdict(correct=True)
CALL = ToolCall(id="1", name="play", arguments={})


def result(
    verdict: Verdict = RIGHT,
    *,
    calls: int = 1,
    valid: bool = True,
    passes: int = 0,
    prompt_tokens: int = 0,
) -> RowResult:
    return RowResult(
        row_id="simple_1",
        verdict=verdict,
        calls=(CALL,) * calls,
        valid=valid,
        usage=Usage(passes=passes, prompt_tokens=prompt_tokens),
    )


def report(*results: RowResult) -> BFCLReport:
    return build_report(results, category="simple", model="qwen2.5-coder-0.5b")


def test_the_json_report_has_exactly_the_promised_keys() -> None:
    results = [
        result(passes=16, prompt_tokens=300),
        result(passes=20, prompt_tokens=401),
        result(wrong(Mistake.VALUE, about="artist"), passes=15, prompt_tokens=300, valid=False),
    ]

    assert report(*results).to_dict() == {
        "category": "simple",
        "model": "qwen2.5-coder-0.5b",
        "n": 3,
        "accuracy": 0.6667,
        "ci95": [0.2077, 0.9385],
        "valid_rate": 0.6667,
        "passes_per_call": 17.0,
        "prompt_tokens_mean": 333.7,
        "errors": {"value": 1},
    }


def test_mistakes_are_counted_by_kind_with_the_commonest_first() -> None:
    results = [
        result(wrong(Mistake.TYPE, about="minutes")),
        result(wrong(Mistake.VALUE, about="artist")),
        result(wrong(Mistake.VALUE, about="minutes")),
        result(wrong(Mistake.NO_CALL), calls=0),
        result(),
    ]

    assert list(report(*results).errors.items()) == [("value", 2), ("no_call", 1), ("type", 1)]


def test_passes_are_counted_for_each_call_and_only_on_rows_that_ended_in_calls() -> None:
    results = [result(calls=2, passes=30), result(calls=1, passes=12), result(calls=0, passes=99)]

    assert report(*results).passes_per_call == 14.0


def test_without_any_call_there_are_no_passes_per_call() -> None:
    assert report(result(calls=0, passes=5)).to_dict()["passes_per_call"] is None


def test_a_row_that_failed_does_not_lower_the_mean_of_prompt_tokens() -> None:
    failed = result(wrong(Mistake.NOT_DECIDED, about="DeadlineExceededError"), calls=0)

    assert report(result(prompt_tokens=500), failed).prompt_tokens_mean == 500.0
    assert report(failed).prompt_tokens_mean is None


def test_a_report_on_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one row"):
        report()


verdicts = st.just(RIGHT) | st.builds(wrong, st.sampled_from(Mistake), about=st.text(max_size=3))
results = st.builds(
    result,
    verdicts,
    calls=st.integers(0, 3),
    valid=st.booleans(),
    passes=st.integers(0, 500),
    prompt_tokens=st.integers(0, 4000),
)


@given(st.lists(results, min_size=1, max_size=40))
def test_wrong_rows_and_right_rows_add_up_to_all_rows(rows: list[RowResult]) -> None:
    summary = report(*rows)

    assert sum(summary.errors.values()) + round(summary.accuracy * summary.n) == len(rows)
    assert summary.ci95.low <= summary.accuracy <= summary.ci95.high


@given(
    st.lists(results, min_size=1, max_size=10).flatmap(
        lambda rows: st.tuples(st.just(rows), st.permutations(rows))
    )
)
def test_the_order_of_rows_does_not_matter(pair: tuple[list[RowResult], list[RowResult]]) -> None:
    rows, shuffled = pair

    assert json.dumps(report(*rows).to_dict()) == json.dumps(report(*shuffled).to_dict())
