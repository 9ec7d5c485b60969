from __future__ import annotations

import dataclasses

import pytest

from smallhold.generation import GenerationRequest, Prompt, Sampling, ScoreRequest
from smallhold.messages import Message, Role

PROMPT = Prompt(messages=(Message(role=Role.USER, content="hello"),))


def test_a_request_takes_the_likeliest_token_unless_it_says_otherwise() -> None:
    request = GenerationRequest(prompt=PROMPT)
    assert request.sampling == Sampling(temperature=0.0, top_p=1.0, min_p=0.0, seed=None)
    assert request.constraint is None
    assert request.stop == ()


def test_requests_with_the_same_values_are_equal() -> None:
    assert GenerationRequest(prompt=PROMPT) == GenerationRequest(prompt=dataclasses.replace(PROMPT))
    assert ScoreRequest(prompt=PROMPT, choices=("a",)) != ScoreRequest(
        prompt=PROMPT, choices=("b",)
    )


def test_a_request_cannot_be_changed_on_its_way() -> None:
    request = GenerationRequest(prompt=PROMPT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.max_tokens = 9  # pyright: ignore[reportAttributeAccessIssue] - the point


def test_a_misspelt_setting_fails_where_it_is_written() -> None:
    with pytest.raises(TypeError, match="temprature"):
        Sampling(temprature=1.0)  # pyright: ignore[reportCallIssue] - the point
