"""What durability costs: this file holds the benchmark of steps and of opening sessions.

Run it as `python -m benchmarks.state_costs`. It writes a database of 100,000 sessions of 20 turns
(about 3 GB, two minutes), and measures in it. The last line is JSON, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio
from benchmarks.chaos.populating import populate, session_id

from smallhold.messages import JsonObject, Message, Role
from smallhold.security import KeyRing
from smallhold.state import Database, Durability, State
from smallhold.state.sessions import EntryKind, message_json

SESSIONS: Final = 100_000
TURNS: Final = 20
SAMPLES: Final = 500
WARM_UP: Final = 20
LEASE_S: Final = 60.0
STEP: Final[JsonObject] = {
    "v": 1,
    "step": {
        "call": {"id": "call_1", "name": "order_status", "arguments": {"order_id": "1042"}},
        "content": "Order 1042 left the warehouse yesterday.",
        "error": False,
        "ran": True,
    },
    "progress": {"usage": {"prompt": 812, "completion": 21, "passes": 22}, "intent": "call"},
}
"""A step of the usual length."""


async def step_ms(state: State, *, samples: int) -> list[float]:
    """Measure appends of one entry, in milliseconds each."""
    message = message_json(Message(role=Role.USER, content="Where is order 1042?"))
    log = await state.sessions.accept(None, {"v": 1, "message": message}, lease_s=LEASE_S)
    taken: list[float] = []
    for _ in range(samples + WARM_UP):
        started_s = time.perf_counter()
        await log.append((EntryKind.RESULT, STEP))
        taken.append(1_000 * (time.perf_counter() - started_s))
    await log.fail({"v": 1, "error": "measured"})
    return taken[WARM_UP:]


async def open_ms(state: State, *, sessions: int, samples: int, seed: int) -> list[float]:
    """Measure the opening of random sessions with the append of a message, in milliseconds each.

    What is measured is all that happens between a message's arrival and the first question to the
    model: the conversation is read, and message and run are durable.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret depends on it
    asked = Message(role=Role.USER, content="And the second parcel?")
    answered = Message(role=Role.ASSISTANT, content="On Thursday.")
    taken: list[float] = []
    for _ in range(samples + WARM_UP):
        session = session_id(chance.randrange(sessions))
        payload: JsonObject = {"v": 1, "message": message_json(asked)}
        started_s = time.perf_counter()
        log = await state.sessions.accept(session, payload, lease_s=LEASE_S)
        taken.append(1_000 * (time.perf_counter() - started_s))
        await log.end({"v": 1}, conversation=(*log.conversation, asked, answered))
    return taken[WARM_UP:]


def figures(taken: Sequence[float]) -> dict[str, float]:
    """Give the median and the 99th percentile."""
    return {
        "p50": round(statistics.median(taken), 3),
        "p99": round(statistics.quantiles(taken, n=100)[98], 3),
    }


async def measure(folder: Path, *, sessions: int, samples: int, keys: KeyRing | None) -> JsonObject:
    """Populate a database and measure in it, with and without synchronising to the disk."""
    report: dict[str, dict[str, float]] = {}
    place = folder / "state.db"
    state = State(Database(place, keys=keys, durability=Durability.PROCESS_CRASH))
    started_s = time.perf_counter()
    await populate(state, sessions=sessions, turns=TURNS, tell=_tell)
    await state.database.aclose()
    sys.stderr.write(f"populated in {time.perf_counter() - started_s:.0f} s\n")
    for durability in Durability:
        state = State(Database(place, keys=keys, durability=durability))
        report[f"step_{durability.value}_ms"] = figures(await step_ms(state, samples=samples))
        opened = await open_ms(state, sessions=sessions, samples=samples, seed=len(report))
        report[f"open_{durability.value}_ms"] = figures(opened)
        await state.database.aclose()
    size_mb = round(place.stat().st_size / 1e6)
    measured: JsonObject = {name: {**found} for name, found in report.items()}
    return {"sessions": sessions, "turns": TURNS, "size_mb": size_mb, **measured}


def _tell(written: int) -> None:
    if written % 10_000 == 0:
        sys.stderr.write(f"{written:,} sessions\n")


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description="Measure what durable steps cost.")
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--encrypted", action="store_true")
    parser.add_argument("--folder", type=Path, default=None, help="On the disk to measure.")
    wanted = parser.parse_args()
    keys = KeyRing.generate() if wanted.encrypted else None
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        report = anyio.run(
            lambda: measure(
                Path(folder), sessions=wanted.sessions, samples=wanted.samples, keys=keys
            )
        )
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
