"""Suite `restart`: this file holds how soon a restarted process answers a prompt it knew."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from smallhold.evals.bench.answers import Answer
from smallhold.evals.bench.contestants import OURS, Contestant, our_config
from smallhold.evals.bench.figures import median, milliseconds, over_best_low
from smallhold.evals.bench.peers import LLAMA_SERVER, PeerSettings
from smallhold.evals.bench.report import Standings, SuiteReport
from smallhold.evals.bench.rounds import Course, Sample, Turn, play, values_of
from smallhold.evals.bench.setup import BenchSetup, lineup, report_of
from smallhold.evals.bench.switch import make_agents
from smallhold.messages import JsonObject

NAME: Final = "restart"
PREFIX_TOKENS: Final = 1500
CONTEXT_TOKENS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """A process from its start to its first token, in seconds."""

    load_s: float
    """From starting the process until it answers."""
    answer: Answer

    @property
    def first_token_with_load_s(self) -> float:
        """From starting the process to the first token."""
        return self.load_s + self.answer.first_token_s


async def run_restart(setup: BenchSetup, *, prefix_tokens: int = PREFIX_TOKENS) -> SuiteReport:
    """Measure the first request after a restart.

    The prefix was asked for before, in a process that has ended. What an engine keeps on disk
    without being asked to is part of the comparison; llama-server keeps nothing.
    """
    with TemporaryDirectory(prefix="smallhold-bench-") as folder:
        entered = lineup(
            setup,
            config=our_config(
                setup.path,
                threads=setup.threads,
                context_tokens=CONTEXT_TOKENS,
                snapshot_folder=Path(folder),
            ),
            settings=PeerSettings(
                model=str(setup.path), threads=setup.threads, context_tokens=CONTEXT_TOKENS
            ),
            peers=(LLAMA_SERVER.name,),
        )
        (agent,) = await make_agents(entered.ours, (prefix_tokens,))

        async def measure(contestant: Contestant, turn: Turn) -> Restart:
            if turn.round == 0:
                await contestant.answer(agent.asked(0))
            await contestant.stop()
            started_s = time.monotonic()
            await contestant.start()
            load_s = time.monotonic() - started_s
            answer = await contestant.answer(agent.asked(turn.round + 1))
            return Restart(load_s=load_s, answer=answer)

        course = Course(rounds=setup.rounds, items=1, starts_afresh=False, on_turn=setup.on_turn)
        samples = await play(entered.all, measure, course=course)
    standings = summarize(samples, peers=tuple(entered.peers))
    return report_of(setup, suite=NAME, standings=standings, missing=entered.missing)


def summarize(samples: Sequence[Sample[Restart]], *, peers: Sequence[str]) -> Standings:
    """Sum up the restarts."""
    ours = values_of(samples, OURS)
    by_peer = {name: values_of(samples, name) for name in peers}
    texts = [it.answer.text for it in ours]
    return Standings(
        ours=figures(ours, texts=texts),
        peers={name: figures(restarts, texts=texts) for name, restarts in by_peer.items()},
        ratio={
            "first_token": over_best_low(
                median(it.answer.first_token_s for it in ours),
                [median(it.answer.first_token_s for it in rs) for rs in by_peer.values()],
            ),
            "first_token_with_load": over_best_low(
                median(it.first_token_with_load_s for it in ours),
                [median(it.first_token_with_load_s for it in rs) for rs in by_peer.values()],
            ),
        },
    )


def figures(restarts: Sequence[Restart], *, texts: Sequence[str]) -> JsonObject:
    """Sum up one contestant's restarts."""
    return {
        "restarts": len(restarts),
        "prompt_tokens": median(it.answer.prompt_tokens for it in restarts),
        "prompt_tokens_computed": median(it.answer.computed_tokens for it in restarts),
        "equal_to_ours": sum(
            it.answer.text == text for it, text in zip(restarts, texts, strict=True)
        ),
        "load_ms": milliseconds(median(it.load_s for it in restarts)),
        "first_token_ms": milliseconds(median(it.answer.first_token_s for it in restarts)),
        "first_token_with_load_ms": milliseconds(
            median(it.first_token_with_load_s for it in restarts)
        ),
    }
