"""Promises of `smallhold.evals.bench.contestants`: this file holds tests of ours as one of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.evals.bench.contestants import Ours, our_config
from smallhold.evals.bench.prompts import prompt_of
from smallhold.generation import GenerationRequest, ScoreRequest

pytestmark = pytest.mark.anyio


def test_the_context_holds_all_sessions(smollm2_path: Path) -> None:
    config = our_config(smollm2_path, threads=1, context_tokens=512, sessions=8)
    assert config.active_tokens == 4096
    assert config.threads == 1


async def test_ours_answers_and_chooses_with_counts(smollm2_path: Path) -> None:
    ours = Ours(our_config(smollm2_path, threads=1, context_tokens=512))
    prompt = prompt_of("Be brief.", "Say a colour.")
    try:
        await ours.start()
        answer = await ours.answer(GenerationRequest(prompt=prompt, max_tokens=4))
        choice = await ours.choose(ScoreRequest(prompt=prompt, choices=("red", "blue")))
        counted = await ours.count_tokens(prompt)
    finally:
        await ours.stop()
    assert answer.text
    assert 1 <= answer.completion_tokens <= 4
    assert 0 < answer.first_token_s <= answer.total_s
    assert answer.prompt_tokens == counted
    assert choice.text in {"red", "blue"}
    assert choice.passes
