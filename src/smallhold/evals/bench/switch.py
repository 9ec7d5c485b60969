"""Suite `switch`: this file holds what it costs to go from one agent to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, Ours, our_config
from smallhold.evals.bench.figures import median, milliseconds, over_best_low, percentile, ratio
from smallhold.evals.bench.peers import LLAMA_SERVER, PeerSettings
from smallhold.evals.bench.prompts import (
    instructions,
    prompt_of,
    question,
    sentences_for,
    tools_of,
)
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play, values_by_round, values_of
from smallhold.evals.bench.setup import BenchSetup, lineup, report_of
from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import JsonObject

NAME: Final = "switch"
AGENTS: Final = 12
SESSIONS: Final = 6
PREFIX_TOKENS: Final = (600, 1500)
"""Of the agent with the least and with the most to read."""
CONTEXT_TOKENS: Final = 2048
ANSWER_TOKENS: Final = 1
ORDER_SEED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeUpAgent:
    """An agent's unchanging beginning."""

    prefix: Prompt
    prefix_tokens: int

    def asked(self, number: int) -> GenerationRequest:
        """A first request of a session."""
        system = self.prefix.messages[0].content
        prompt = prompt_of(system, question(number), tools=self.prefix.tools)
        return GenerationRequest(prompt=prompt, max_tokens=ANSWER_TOKENS)


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstRequest:
    """A session's first request, answered."""

    agent: int
    answer: Answer


def random_order(*, agents: int, sessions: int, seed: int) -> tuple[int, ...]:
    """Whose turn it is, request by request: every agent as often as it has sessions."""
    order = [agent for agent in range(agents) for _ in range(sessions)]
    Random(seed).shuffle(order)  # noqa: S311 - the same order every time
    return tuple(order)


def prefix_lengths(agents: int) -> tuple[int, ...]:
    """Spread the agents' prefixes evenly between the shortest and the longest."""
    least, most = PREFIX_TOKENS
    return tuple(least + (most - least) * agent // max(1, agents - 1) for agent in range(agents))


def necessary_tokens(requests: Sequence[FirstRequest], prefix_tokens: Sequence[int]) -> int:
    """Prompt tokens that no cache can save: each prefix once, and what is new in each request."""
    once = sum(prefix_tokens[agent] for agent in {request.agent for request in requests})
    return once + sum(it.answer.prompt_tokens - prefix_tokens[it.agent] for it in requests)


async def run_switch(setup: BenchSetup) -> SuiteReport:
    """Measure the first requests of all sessions in random order; rounds begin without caches."""
    number_of_agents = setup.at_most(AGENTS)
    order = random_order(
        agents=number_of_agents, sessions=setup.sessions or SESSIONS, seed=ORDER_SEED
    )
    entered = lineup(
        setup,
        config=our_config(setup.path, threads=setup.threads, context_tokens=CONTEXT_TOKENS),
        settings=PeerSettings(
            model=str(setup.path),
            threads=setup.threads,
            context_tokens=CONTEXT_TOKENS,
            slots=number_of_agents,
        ),
        peers=(LLAMA_SERVER.name,),
    )
    agents = await make_agents(entered.ours, prefix_lengths(number_of_agents))

    async def measure(contestant: Contestant, turn: Turn) -> FirstRequest:
        agent = order[turn.item]
        answer = await contestant.answer(agents[agent].asked(turn.item))
        return FirstRequest(agent=agent, answer=answer)

    course = Course(
        rounds=setup.rounds, items=len(order), starts_afresh=True, on_turn=setup.on_turn
    )
    samples = await play(entered.all, measure, course=course)
    prefix_tokens = [agent.prefix_tokens for agent in agents]
    standings = summarize(samples, peers=tuple(entered.peers), prefix_tokens=prefix_tokens)
    return report_of(setup, suite=NAME, standings=standings, missing=entered.missing)


async def make_agents(ours: Ours, lengths: Sequence[int]) -> list[MadeUpAgent]:
    """Make agents with prefixes of about so many tokens, by the model's own tokenizer."""
    made: list[MadeUpAgent] = []
    try:
        for number, tokens in enumerate(lengths):

            def make(sentences: int, number: int = number) -> Prompt:
                system = instructions(number, sentences=sentences)
                return prompt_of(system, tools=tools_of(number))

            sentences = await sentences_for(tokens, make=make, count=ours.count_tokens)
            prefix = make(sentences)
            # The generation prompt is as long as the opening of a user's message.
            count = await ours.count_tokens(prefix)
            made.append(MadeUpAgent(prefix=prefix, prefix_tokens=count))
    finally:
        await ours.stop()
    return made


def summarize(
    samples: Sequence[Sample[FirstRequest]],
    *,
    peers: Sequence[str],
    prefix_tokens: Sequence[int],
) -> Standings:
    """Sum up the first requests."""
    ours = values_by_round(samples, OURS)
    by_peer = {name: values_by_round(samples, name) for name in peers}
    texts = [it.answer.text for it in values_of(samples, OURS)]
    computed = sum(it.answer.computed_tokens for it in values_of(samples, OURS))
    necessary = sum(necessary_tokens(requests, prefix_tokens) for requests in ours)
    return Standings(
        ours=figures(ours, prefix_tokens=prefix_tokens, texts=texts),
        peers={
            name: figures(rounds, prefix_tokens=prefix_tokens, texts=texts)
            for name, rounds in by_peer.items()
        },
        ratio={
            "prompt_tokens": ratio(computed, necessary),
            "first_token_p50": over_best_low(
                _first_token_s(ours, share=0.5),
                [_first_token_s(rounds, share=0.5) for rounds in by_peer.values()],
            ),
            "first_token_p95": over_best_low(
                _first_token_s(ours, share=0.95),
                [_first_token_s(rounds, share=0.95) for rounds in by_peer.values()],
            ),
        },
    )


def figures(
    rounds: Sequence[Sequence[FirstRequest]],
    *,
    prefix_tokens: Sequence[int],
    texts: Sequence[str],
) -> JsonObject:
    """Sum up one contestant's requests; counts are of a round, times the medians of rounds."""
    everything = [it for requests in rounds for it in requests]
    cold, warm = split_by_first_sight(rounds)
    return {
        "requests": median(len(requests) for requests in rounds),
        "agents": len(prefix_tokens),
        "prefix_tokens": list(prefix_tokens),
        "prompt_tokens": median(sum(it.answer.prompt_tokens for it in r) for r in rounds),
        "prompt_tokens_necessary": median(necessary_tokens(r, prefix_tokens) for r in rounds),
        "prompt_tokens_computed": median(
            sum(it.answer.computed_tokens for it in requests) for requests in rounds
        ),
        "equal_to_ours": sum(
            it.answer.text == text for it, text in zip(everything, texts, strict=True)
        ),
        "first_token_p50_ms": milliseconds(_first_token_s(rounds, share=0.5)),
        "first_token_p95_ms": milliseconds(_first_token_s(rounds, share=0.95)),
        "first_token_of_new_agent_ms": milliseconds(median(cold)),
        "first_token_of_known_agent_ms": milliseconds(median(warm)),
    }


def split_by_first_sight(
    rounds: Sequence[Sequence[FirstRequest]],
) -> tuple[list[float], list[float]]:
    """First-token times of requests to agents not seen in the round before, and of the others."""
    cold: list[float] = []
    warm: list[float] = []
    for requests in rounds:
        seen: set[int] = set()
        for it in requests:
            (warm if it.agent in seen else cold).append(it.answer.first_token_s)
            seen.add(it.agent)
    return cold, warm


def _first_token_s(rounds: Sequence[Sequence[FirstRequest]], *, share: float) -> float | None:
    each = (percentile((it.answer.first_token_s for it in r), share=share) for r in rounds)
    return median(value for value in each if value is not None)
