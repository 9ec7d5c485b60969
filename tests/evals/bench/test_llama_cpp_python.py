"""Promises of `smallhold.evals.bench.llama_cpp_python`: this file holds tests of its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.evals.bench.llama_cpp_python import LlamaCppPython
from smallhold.evals.bench.peers import LLAMA_CPP_PYTHON, PeerProcess, PeerSettings
from smallhold.evals.bench.prompts import prompt_of
from smallhold.evals.bench.rendering import renderer_for
from smallhold.exceptions import ModelOutputError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    ScoreRequest,
)

pytestmark = pytest.mark.anyio

PROMPT = prompt_of("Be brief.", "Hello")


def client(path: Path) -> LlamaCppPython:
    settings = PeerSettings(model=str(path), threads=1, context_tokens=512)
    return LlamaCppPython(PeerProcess(LLAMA_CPP_PYTHON, settings), render=renderer_for(path))


async def test_the_real_library_answers_under_schemas_and_choices(smollm2_path: Path) -> None:
    peer = client(smollm2_path)
    constraint = JsonSchemaConstraint(schema={"type": "boolean"})
    try:
        await peer.start()
        answer = await peer.answer(GenerationRequest(prompt=PROMPT, max_tokens=3))
        choice = await peer.choose(ScoreRequest(prompt=PROMPT, choices=("red", "blue")))
        judged = await peer.answer(
            GenerationRequest(prompt=PROMPT, max_tokens=8, constraint=constraint)
        )
    finally:
        await peer.stop()
    assert answer.completion_tokens == 3
    assert answer.cached_tokens == 0
    assert choice.text in {"red", "blue"}
    assert choice.cached_tokens == choice.prompt_tokens - 1
    assert judged.text.strip() in {"true", "false"}


async def test_a_lark_grammar_is_refused(smollm2_path: Path) -> None:
    request = GenerationRequest(prompt=PROMPT, constraint=LarkConstraint(grammar='start: "a"'))
    with pytest.raises(ModelOutputError, match="Lark"):
        await client(smollm2_path).answer(request)


async def test_a_peer_that_was_not_started_is_an_error(smollm2_path: Path) -> None:
    with pytest.raises(ModelOutputError, match="not been started"):
        await client(smollm2_path).answer(GenerationRequest(prompt=PROMPT))
