"""Promises of `smallhold.evals.bench.rendering`: this file holds tests of the peers' prompts."""

from __future__ import annotations

from pathlib import Path

from smallhold.evals.bench.rendering import renderer_for
from smallhold.generation import Prompt
from smallhold.messages import Message, Role


def test_a_prompt_is_the_template_s_text_with_the_continuation(smollm2_path: Path) -> None:
    prompt = Prompt(
        messages=(
            Message(role=Role.SYSTEM, content="Be brief."),
            Message(role=Role.USER, content="Hello"),
        ),
        continuation="<tool_call>\n",
    )
    assert renderer_for(smollm2_path)(prompt) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n"
        "<|im_start|>assistant\n<tool_call>\n"
    )
