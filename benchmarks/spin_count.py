"""How long waiting threads should spin: this file holds the benchmark of libgomp's spin count.

`python benchmarks/spin_count.py [--model ALIAS] [--rounds N] [--load N]` decodes with each setting,
once on the machine as it is and once beside busy processes. Each measurement has a fresh worker,
since libgomp reads its settings when it is loaded. The settings take turns, so that a change of the
machine meets all of them. One JSON document goes to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import anyio

from smallhold.generation import GenerationRequest, Prompt
from smallhold.messages import Message, Role
from smallhold.models import ModelStore, load_catalog
from smallhold.runtimes import ModelConfig
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.settings import load_settings

VARIABLES: Final = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
LIBGOMP_DEFAULT_SPINS: Final = "300000"
"""What libgomp takes when neither variable is set; a worker that was given none would take our own
default. Source: the GNU libgomp manual, `GOMP_SPINCOUNT`."""
SETTINGS: Final[dict[str, dict[str, str]]] = {
    "libgomp's default": {"GOMP_SPINCOUNT": LIBGOMP_DEFAULT_SPINS},
    "GOMP_SPINCOUNT=20000": {"GOMP_SPINCOUNT": "20000"},
    "GOMP_SPINCOUNT=10000": {"GOMP_SPINCOUNT": "10000"},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "OMP_WAIT_POLICY=passive": {"OMP_WAIT_POLICY": "passive"},
}
TOKENS: Final = 48
"""About two seconds of decoding on two quiet cores."""
TASK: Final = "Write the numbers from one to one hundred in words, separated by commas."
BUSY: Final = "while True: pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeTime:
    """What one setting came to, in milliseconds for one token."""

    setting: str
    busy_processes: int
    median_ms: float
    longest_ms: float
    rounds: int


@contextmanager
def environment(settings: Mapping[str, str]) -> Generator[None]:
    """Set OpenMP's variables for workers that are started meanwhile."""
    before = {name: os.environ.pop(name, None) for name in VARIABLES}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def busy_processes(count: int) -> Generator[None]:
    """Keep so many other processes busy meanwhile."""
    with ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen([sys.executable, "-c", BUSY])  # noqa: S603 - this interpreter
            stack.callback(process.wait)
            stack.callback(process.kill)
        yield


async def decode_ms(model: Path, *, load: int) -> float:
    """Milliseconds for one token of an answer, in a fresh worker that has answered once."""
    runtime = EmbeddedRuntime(ModelConfig(path=model, name=model.stem))
    message = Message(role=Role.USER, content=TASK)
    request = GenerationRequest(prompt=Prompt(messages=(message,)), max_tokens=TOKENS)
    try:
        await _answer(runtime, request)
        with busy_processes(load):
            return await _answer(runtime, request)
    finally:
        await runtime.aclose()


async def _answer(runtime: EmbeddedRuntime, request: GenerationRequest) -> float:
    async with runtime.stream(request) as stream:
        async for _ in stream:
            pass
        timing = stream.completion.timing
        later_tokens = stream.completion.usage.completion_tokens - 1
    return (timing.total_s - timing.first_token_s) * 1000 / max(1, later_tokens)


def measure(model: Path, *, rounds: int, load: int) -> list[DecodeTime]:
    """Measure all settings in turns."""
    times: dict[tuple[str, int], list[float]] = {
        (name, count): [] for name in SETTINGS for count in dict.fromkeys((0, load))
    }
    for number in range(rounds):
        for (name, count), taken_ms in times.items():
            with environment(SETTINGS[name]):
                taken_ms.append(anyio.run(lambda count=count: decode_ms(model, load=count)))
            sys.stderr.write(
                f"round {number + 1}/{rounds}  {name}  "
                f"{count} busy processes  {taken_ms[-1]:.1f} ms\n"
            )
    return [
        DecodeTime(
            setting=name,
            busy_processes=count,
            median_ms=round(statistics.median(taken_ms), 1),
            longest_ms=round(max(taken_ms), 1),
            rounds=rounds,
        )
        for (name, count), taken_ms in times.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write the document."""
    parser = argparse.ArgumentParser(description="Decode times by libgomp's spin count.")
    parser.add_argument("--model", default="smollm2-135m", help="alias of an installed model")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each setting")
    parser.add_argument("--load", type=int, default=2, help="busy processes of the second half")
    options = parser.parse_args(arguments)
    model = ModelStore(load_settings().model_store).require(load_catalog().resolve(options.model))
    results = measure(model, rounds=options.rounds, load=options.load)
    document = {"model": options.model, "tokens": TOKENS, "times": [asdict(it) for it in results]}
    sys.stdout.write(f"{json.dumps(document, indent=2)}\n")


if __name__ == "__main__":
    main()
