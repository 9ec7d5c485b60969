"""Kill -9 at random points of durable runs: this file holds the chaos run of the state.

Run it as `python -m benchmarks.chaos_state`. A process answers messages whose tools have effects
outside the database; it is killed again and again, and each successor resumes what was left. The
last line is JSON: how many kills there were, how many acknowledged steps were lost, how many
effects were repeated that may not be, and how many runs were resumed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Final

import anyio
from benchmarks.chaos.judging import Judgement, Point, judged, point_of
from benchmarks.chaos.scenario import shop_agent
from benchmarks.chaos.worker import Life, Place, resume_all, work

from smallhold.state.sessions import Entry

KILLS: Final = 500
LONGEST_LIFE_S: Final = 0.12
"""A worker lives up to this long once it is ready: two or three runs."""
BORN_WITHIN_S: Final = 60.0
IDEMPOTENT: Final = frozenset({"note"})
ORDERS_PER_LIFE: Final = 1_000
COLD_EVERY: Final = 4
"""Every fourth worker may be killed while it resumes what was left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosReport:
    """What a chaos run came to."""

    kills: int
    interrupted: int
    """Runs that a kill has struck, some of them more than once."""
    resumed: int
    """How many of these have ended since."""
    points: Counter[Point]
    """Where the kills struck."""
    runs: int
    judgement: Judgement

    def to_json(self) -> dict[str, int | dict[str, int]]:
        """Write the report; the first four are what counts."""
        return {
            "kills": self.kills,
            "lost": len(self.judgement.lost),
            "repeated": len(self.judgement.repeated),
            "resumed": self.resumed,
            "interrupted": self.interrupted,
            "unfinished": len(self.judgement.unfinished),
            "runs": self.runs,
            "points": {point.value: self.points[point] for point in Point},
        }


def hold_chaos(
    folder: Path, *, kills: int, seed: int, tell: Callable[[int], None] = lambda _: None
) -> ChaosReport:
    """Kill workers, resume what is left at the end, and judge.

    Args:
        folder: An empty folder for the database and the logs.
        kills: How often to kill.
        seed: Of the moments of the kills.
        tell: Called after each kill with how many there were.
    """
    place = Place(folder=folder)
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.chaos.worker"])
    points: Counter[Point] = Counter()
    interrupted: set[str] = set()
    for number in range(kills):
        kill_one(context, place, life_s=chance.uniform(0, LONGEST_LIFE_S), number=number)
        entries = anyio.run(_unfinished, place)
        points[point_of(entries, place.effects.lines())] += 1
        interrupted.update(entry.run for entry in entries[:1])
        tell(number + 1)
    return anyio.run(_concluded, place, points, interrupted)


def kill_one(context: ForkServerContext, place: Place, *, life_s: float, number: int) -> None:
    """Start a worker, and kill it a while after it is ready."""
    ours, theirs = context.Pipe(duplex=False)
    life = Life(
        folder=str(place.folder),
        first_order=number * ORDERS_PER_LIFE,
        is_warm=number % COLD_EVERY != 0,
    )
    worker = context.Process(target=work, args=(life, theirs))
    worker.start()
    theirs.close()
    if worker.pid is None or not ours.poll(BORN_WITHIN_S):
        msg = "the worker did not start"
        raise RuntimeError(msg)
    try:
        ours.recv()
    except EOFError as error:
        msg = "the worker ended by itself"
        raise RuntimeError(msg) from error
    time.sleep(life_s)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    ours.close()
    if worker.exitcode != -signal.SIGKILL:
        msg = f"the worker ended by itself with {worker.exitcode}"
        raise RuntimeError(msg)


async def _unfinished(place: Place) -> tuple[Entry, ...]:
    state = place.state()
    try:
        for run in await state.sessions.unfinished():
            return await state.sessions.entries(run.session, run=run.id)
        return ()
    finally:
        await state.aclose()


async def _concluded(place: Place, points: Counter[Point], interrupted: set[str]) -> ChaosReport:
    state = place.state()
    try:
        await resume_all(shop_agent(state, place.effects), place)
        runs: dict[str, list[Entry]] = {}
        for session in await state.sessions.list(limit=1_000):
            for entry in await state.sessions.entries(session.id):
                runs.setdefault(entry.run, []).append(entry)
    finally:
        await state.aclose()
    judgement = judged(
        runs, effects=place.effects.lines(), seen=place.seen.lines(), idempotent=IDEMPOTENT
    )
    return ChaosReport(
        kills=sum(points.values()),
        interrupted=len(interrupted),
        resumed=len(interrupted - set(judgement.unfinished)),
        points=points,
        runs=len(runs),
        judgement=judgement,
    )


def main() -> int:
    """Hold the chaos run that the command line asks for."""
    parser = argparse.ArgumentParser(description="Kill -9 at random points of durable runs.")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    wanted = parser.parse_args()
    sys.stderr.write(f"seed {wanted.seed}\n")

    def tell(count: int) -> None:
        if count % 50 == 0:
            sys.stderr.write(f"{count} kills\n")

    with tempfile.TemporaryDirectory() as folder:
        report = hold_chaos(Path(folder), kills=wanted.kills, seed=wanted.seed, tell=tell)
    for problem in (*report.judgement.lost, *report.judgement.repeated):
        sys.stderr.write(f"{problem}\n")
    sys.stdout.write(json.dumps(report.to_json()) + "\n")
    judgement = report.judgement
    return 1 if judgement.lost or judgement.repeated or judgement.unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
