"""What many users send at once: this file holds requests whose right answers are known."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Prompt,
    Sampling,
    Scheduling,
    ScoreRequest,
)
from smallhold.messages import Message, Role
from smallhold.runtimes.embedded import EmbeddedRuntime

AGENTS = 6
USERS = 8
TEXT_TOKENS = 12
ANY_TIME = Scheduling()
LABELS = ("order", "refund", "opening hours", "a person", "other")
SCORE_TOLERANCE = 0.3
"""In log-probability of a choice of a dozen tokens. Batches of other shapes differ by 0.05, the
nearest other prompt by 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The likeliest text after a prompt that comes again and again."""

    prompt: Prompt

    async def ask(self, runtime: EmbeddedRuntime, *, scheduling: Scheduling = ANY_TIME) -> str:
        request = GenerationRequest(
            prompt=self.prompt, max_tokens=TEXT_TOKENS, scheduling=scheduling
        )
        async with runtime.stream(request) as stream:
            return "".join([piece async for piece in stream])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The scores of choices."""

    prompt: Prompt

    async def ask(
        self, runtime: EmbeddedRuntime, *, scheduling: Scheduling = ANY_TIME
    ) -> tuple[float, ...]:
        request = ScoreRequest(prompt=self.prompt, choices=LABELS, scheduling=scheduling)
        return (await runtime.score(request)).log_probs


@dataclass(frozen=True, slots=True, kw_only=True)
class Length:
    """The number of a prompt's tokens."""

    prompt: Prompt

    async def ask(self, runtime: EmbeddedRuntime, *, scheduling: Scheduling = ANY_TIME) -> int:
        del scheduling  # counting does not wait for the model
        return await runtime.count_tokens(self.prompt)


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """A text that the grammar leaves no choice about, and nobody else's request contains."""

    prompt: Prompt
    canary: str
    as_json: bool

    async def ask(self, runtime: EmbeddedRuntime, *, scheduling: Scheduling = ANY_TIME) -> str:
        constraint = (
            JsonSchemaConstraint(schema={"const": self.canary})
            if self.as_json
            else LarkConstraint(grammar=f'start: /[a-c]{{2}}/ "{self.canary}" /[x-z]{{2}}/')
        )
        request = GenerationRequest(
            prompt=self.prompt,
            constraint=constraint,
            sampling=Sampling(temperature=1.0),
            max_tokens=64,
            scheduling=scheduling,
        )
        async with runtime.stream(request) as stream:
            return "".join([piece async for piece in stream])


Question: TypeAlias = Text | Ranking | Length | Echo
Answer: TypeAlias = str | int | tuple[float, ...]


def agree(a: Answer, b: Answer) -> bool:
    if isinstance(a, tuple) and isinstance(b, tuple):
        pairs = zip(a, b, strict=True)
        return all(abs(left - right) <= SCORE_TOLERANCE for left, right in pairs)
    return a == b


def prompt_of(*, agent: int, text: str) -> Prompt:
    system = f"You are agent {agent} of the harbour office. " + f"Rule {agent * 7}: be brief. " * (
        2 + agent
    )
    return Prompt(
        messages=(
            Message(role=Role.SYSTEM, content=system),
            Message(role=Role.USER, content=text),
        )
    )


def regular_questions() -> list[Question]:
    """Questions of every agent and user, which come again and again."""
    prompts = [
        prompt_of(agent=agent, text=f"I am user {user}. {'Where is my boat? ' * (user + 1)}")
        for agent in range(AGENTS)
        for user in range(USERS)
    ]
    kinds: Sequence[type[Text] | type[Ranking] | type[Length]] = (Text, Text, Ranking, Length)
    return [kind(prompt=prompt) for prompt in prompts for kind in dict.fromkeys(kinds)]


def echoes(rng: random.Random) -> Iterator[Echo]:
    """Questions that come once, each with a canary of its own."""
    number = 0
    while True:
        number += 1
        canary = f"canary {number} {rng.getrandbits(48):012x}"
        prompt = prompt_of(agent=rng.randrange(AGENTS), text=f"Say {canary}, please.")
        yield Echo(prompt=prompt, canary=canary, as_json=rng.random() < 0.5)
