"""Promises of `smallhold.cli.speed`: this file holds tests of rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.cli.speed import (
    Speed,
    decode_rate,
    parse_backends,
    parse_features,
    prefill_rate,
)
from smallhold.messages import Completion, FinishReason, Message, Role, Timing, Usage


def completion(usage: Usage, timing: Timing) -> Completion:
    return Completion(
        message=Message(role=Role.ASSISTANT, content=""),
        usage=usage,
        timing=timing,
        finish_reason=FinishReason.LENGTH,
    )


def test_reading_counts_computed_tokens_without_the_time_in_the_queue() -> None:
    usage = Usage(prompt_tokens=300, cached_tokens=100)
    timing = Timing(queued_s=1.0, first_token_s=2.0, total_s=9.0)
    assert prefill_rate(completion(usage, timing)) == pytest.approx(200.0)


def test_writing_counts_tokens_after_the_first() -> None:
    timing = Timing(queued_s=1.0, first_token_s=2.0, total_s=4.0)
    assert decode_rate(completion(Usage(completion_tokens=21), timing)) == pytest.approx(10.0)


@given(st.builds(Usage), st.builds(Timing))
def test_a_rate_is_positive_or_not_known(usage: Usage, timing: Timing) -> None:
    for rate in (
        prefill_rate(completion(usage, timing)),
        decode_rate(completion(usage, timing)),
    ):
        assert rate is None or rate > 0


def test_only_features_that_are_on_are_read() -> None:
    text = "CPU : AVX2 = 1 | AVX512 = 0 | F16C = 1 | REPACK = 1 | "
    assert parse_features(text) == ("AVX2", "F16C", "REPACK")


@given(st.text())
def test_any_text_can_be_searched_for_features(text: str) -> None:
    assert all(feature in text for feature in parse_features(text))


def test_what_the_engine_computes_on_is_read() -> None:
    text = "CUDA : ARCHS = 900 | USE_GRAPHS = 1 | CPU : AVX2 = 1 | F16C = 1 | "
    assert parse_backends(text) == ("CUDA", "CPU")


@given(st.text())
def test_any_text_can_be_searched_for_backends(text: str) -> None:
    assert all(backend in text for backend in parse_backends(text))


def test_json_has_no_false_precision() -> None:
    speed = Speed(
        model="m",
        engine_version="1",
        cpu_features=(),
        load_s=1.23456,
        prefill_tokens_per_s=99.999,
        decode_tokens_per_s=None,
    )
    assert speed.to_dict() == {
        "model": "m",
        "load_s": 1.23,
        "prefill_tokens_per_s": 100.0,
        "decode_tokens_per_s": None,
    }
