"""Suite `route`: this file holds what a choice among twelve labels costs after a warm prefix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, our_config
from smallhold.evals.bench.figures import median, milliseconds, over_best_low, percentile
from smallhold.evals.bench.peers import LLAMA_CPP_PYTHON, LLAMA_SERVER, PeerSettings
from smallhold.evals.bench.prompts import prompt_of
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play, values_of
from smallhold.evals.bench.setup import BenchSetup, lineup, report_of
from smallhold.generation import ScoreRequest, ScoreScope
from smallhold.messages import JsonObject

NAME: Final = "route"
CONTEXT_TOKENS: Final = 2048
LABELS: Final = (
    "billing", "delivery", "returns", "repair", "account", "password", "newsletter",
    "opening hours", "job application", "gift card", "complaint", "product advice",
)  # fmt: skip
TEXTS: Final = {
    "billing": "my card was charged twice for the same invoice last week",
    "delivery": "the parcel with my order has still not arrived at my door",
    "returns": "these shoes are too small and I want to send them back",
    "repair": "the coffee machine leaks and somebody has to mend it",
    "account": "please delete my user profile with all of its data",
    "password": "I cannot log in because I forgot my secret word",
    "newsletter": "stop sending me your weekly advertising mails from now on",
    "opening hours": "until when can I come to your shop on a Saturday",
    "job application": "I would like to work for you as a sales assistant",
    "gift card": "I want to buy a voucher for my sister's birthday",
    "complaint": "your staff was rude to me and I am very angry",
    "product advice": "which of your two vacuum cleaners is better for carpets",
}
"""For each label what a customer might write, about 20 tokens with the opening."""
INSTRUCTIONS: Final = (
    "You sort the messages of a shop's customers. Answer with exactly one of these labels and "
    f"nothing else: {', '.join(LABELS)}."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One choice that was timed."""

    label: str
    """The one that is right."""
    answer: Answer


def route_request(label: str, *, number: int) -> ScoreRequest:
    """Ask for the label of a text; each number's text is another one."""
    text = f"Customer {number} writes: {TEXTS[label]}."
    return ScoreRequest(
        prompt=prompt_of(INSTRUCTIONS, text), choices=LABELS, scope=ScoreScope.DECIDING
    )


async def run_route(setup: BenchSetup) -> SuiteReport:
    """Measure one choice for each label; the contestants stay loaded, the texts are always new."""
    labels = LABELS[: setup.at_most(len(LABELS))]
    entered = lineup(
        setup,
        config=our_config(setup.path, threads=setup.threads, context_tokens=CONTEXT_TOKENS),
        settings=PeerSettings(
            model=str(setup.path), threads=setup.threads, context_tokens=CONTEXT_TOKENS
        ),
        peers=(LLAMA_SERVER.name, LLAMA_CPP_PYTHON.name),
    )

    async def measure(contestant: Contestant, turn: Turn) -> Choice:
        if (turn.round, turn.item) == (0, 0):
            await contestant.choose(route_request(LABELS[-1], number=99))
        label = labels[turn.item]
        number = 100 + turn.round * len(labels) + turn.item
        return Choice(
            label=label, answer=await contestant.choose(route_request(label, number=number))
        )

    course = Course(
        rounds=setup.rounds, items=len(labels), starts_afresh=False, on_turn=setup.on_turn
    )
    samples = await play(entered.all, measure, course=course)
    standings = summarize(samples, peers=tuple(entered.peers))
    return report_of(setup, suite=NAME, standings=standings, missing=entered.missing)


def summarize(samples: Sequence[Sample[Choice]], *, peers: Sequence[str]) -> Standings:
    """Sum up the choices."""
    ours = values_of(samples, OURS)
    by_peer = {name: values_of(samples, name) for name in peers}
    return Standings(
        ours=figures(ours, compared_with=ours),
        peers={name: figures(choices, compared_with=ours) for name, choices in by_peer.items()},
        ratio={
            "passes": _passes(ours),
            "time": over_best_low(_time_s(ours), [_time_s(it) for it in by_peer.values()]),
        },
    )


def figures(choices: Sequence[Choice], *, compared_with: Sequence[Choice]) -> JsonObject:
    """Sum up one contestant's choices."""
    return {
        "choices": len(choices),
        "right": sum(it.answer.text == it.label for it in choices),
        "equal_to_ours": sum(
            one.answer.text == other.answer.text
            for one, other in zip(choices, compared_with, strict=True)
        ),
        "passes": _passes(choices),
        "tokens": median(it.answer.completion_tokens for it in choices),
        "prompt_tokens": median(it.answer.prompt_tokens for it in choices),
        "prompt_tokens_computed": median(it.answer.computed_tokens for it in choices),
        "time_p50_ms": milliseconds(_time_s(choices)),
        "time_p95_ms": milliseconds(percentile((it.answer.total_s for it in choices), share=0.95)),
    }


def _passes(choices: Sequence[Choice]) -> float | None:
    return median(it.answer.passes for it in choices if it.answer.passes is not None)


def _time_s(choices: Sequence[Choice]) -> float | None:
    return median(it.answer.total_s for it in choices)
