"""How well the memory estimate agrees with workers: this file holds the benchmark of the estimate.

`python benchmarks/memory_fit.py [--models ALIAS,...] [--contexts N,...] [--json FILE]` loads each
model with each context in a worker process of its own, lets a request fill the context and answer
under a grammar, and puts the largest resident set that the worker ever had beside the estimate that
was made from the header. Takes minutes for a long context; run it with `nice`. Linux only: it reads
`/proc/PID/status` and `/proc/PID/smaps_rollup`. One JSON document goes to stdout, progress to
stderr.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from smallhold.engine.config import ModelConfig
from smallhold.engine.footprint import estimate_config
from smallhold.exceptions import ModelNotInstalledError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, Prompt
from smallhold.messages import JsonObject, JsonValue, Message, Role
from smallhold.models.fit.fit import MemoryEstimate
from smallhold.models.gguf.header import read_gguf_header
from smallhold.models.machine.hardware import detect_hardware
from smallhold.models.store.store import ModelStore
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.settings import load_settings

MODELS: Final = ("smollm2-135m", "qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
CONTEXTS: Final = (2048, 8192, 16384)
ANSWER_TOKENS: Final = 64
CACHE_BYTES: Final = 32 * 1024 * 1024
"""Small enough for every measured context to fill it."""
HANG_TIMEOUT_S: Final = 600.0
REST_S: Final = 3.0
"""For what a worker does while nobody asks anything of it."""
GRAMMAR: Final[JsonObject] = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": 999},
    "minItems": ANSWER_TOKENS,
    "maxItems": 4 * ANSWER_TOKENS,
}
"""An answer that cannot end before its last token."""
WORDS: Final = (
    *("shelf", "box", "lamp", "red", "old", "wood", "part", "line", "map", "rain", "cup", "key"),
    *("door", "hill", "salt", "tin", "rope", "bell", "fern", "clay", "moss", "iron", "wool"),
)
MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerMemory:
    """What the kernel says of a worker, in bytes."""

    peak_bytes: int
    """The largest resident set that it ever had (`VmHWM`)."""
    rss_bytes: int
    """Its resident set now."""
    pss_bytes: int
    """The same, with shared pages divided among the processes that share them."""
    anonymous_bytes: int
    """Memory that is no file's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One model with one context."""

    model: str
    context_tokens: int
    prompt_tokens: int
    measured: WorkerMemory
    estimate: MemoryEstimate
    duration_s: float

    @property
    def error(self) -> float:
        """How much the estimate is above the measured peak, as a share of that."""
        return self.estimate.total_bytes / self.measured.peak_bytes - 1

    def to_dict(self) -> JsonObject:
        """The row as JSON."""
        return {
            "model": self.model,
            "context_tokens": self.context_tokens,
            "prompt_tokens": self.prompt_tokens,
            "measured_bytes": self.measured.peak_bytes,
            "rss_bytes": self.measured.rss_bytes,
            "pss_bytes": self.measured.pss_bytes,
            "anonymous_bytes": self.measured.anonymous_bytes,
            "estimated_bytes": self.estimate.total_bytes,
            "estimate": self.estimate.to_dict(),
            "error": round(self.error, 4),
            "duration_s": round(self.duration_s, 1),
        }


def read_memory(pid: int, *, proc: Path = Path("/proc")) -> WorkerMemory:
    """Read what the kernel says of a process. Raises `OSError` where it cannot say."""
    status = (proc / str(pid) / "status").read_text("ascii", "replace")
    rollup = (proc / str(pid) / "smaps_rollup").read_text("ascii", "replace")
    return WorkerMemory(
        peak_bytes=_kilobytes(status, "VmHWM"),
        rss_bytes=_kilobytes(rollup, "Rss"),
        pss_bytes=_kilobytes(rollup, "Pss"),
        anonymous_bytes=_kilobytes(rollup, "Anonymous"),
    )


def _kilobytes(text: str, name: str) -> int:
    match = re.search(rf"^{name}:\s+(\d+) kB$", text, re.MULTILINE)
    return 0 if match is None else int(match[1]) * 1024


def contexts_for(trained_tokens: int | None, wanted: Sequence[int]) -> list[int]:
    """Choose the contexts to measure: those wanted, and others where a model allows less."""
    most = trained_tokens or max(wanted)
    fitting = sorted({min(tokens, most) for tokens in wanted})
    while len(fitting) < len(set(wanted)):
        below = fitting[-1] // 2
        if below in fitting or below < min(wanted):
            break
        fitting = sorted({*fitting, below})
    return fitting


async def measure(path: Path, *, model: str, context_tokens: int) -> Row:
    """Load a model in a worker, have it fill its context, and read what it took."""
    config = ModelConfig(
        path=path,
        name=model,
        context_tokens=context_tokens,
        active_tokens=context_tokens,
        cache_bytes=CACHE_BYTES,
        hang_timeout_s=HANG_TIMEOUT_S,
    )
    estimate = estimate_config(config, hardware=detect_hardware())
    begun_s = time.monotonic()
    runtime = EmbeddedRuntime(config)
    try:
        await runtime.describe()
        prompt_tokens = await _work(runtime, room_tokens=context_tokens - ANSWER_TOKENS)
        await anyio.sleep(REST_S)
        measured = read_memory(runtime.worker_pid or 0)
    finally:
        await runtime.aclose()
    return Row(
        model=model,
        context_tokens=context_tokens,
        prompt_tokens=prompt_tokens,
        measured=measured,
        estimate=estimate,
        duration_s=time.monotonic() - begun_s,
    )


async def _work(runtime: EmbeddedRuntime, *, room_tokens: int) -> int:
    """Answer a prompt that takes all the room there is; gives its tokens."""
    request = GenerationRequest(
        prompt=await _prompt(runtime, room_tokens=room_tokens),
        max_tokens=ANSWER_TOKENS,
        constraint=JsonSchemaConstraint(schema=GRAMMAR),
    )
    async with runtime.stream(request) as stream:
        async for _ in stream:
            pass
        return stream.completion.usage.prompt_tokens


async def _prompt(runtime: EmbeddedRuntime, *, room_tokens: int) -> Prompt:
    words = room_tokens
    while True:
        text = " ".join(WORDS[number * number % len(WORDS)] for number in range(words))
        prompt = Prompt(messages=(Message(role=Role.USER, content=text),))
        over = await runtime.count_tokens(prompt) - room_tokens
        if over <= 0:
            return prompt
        words -= over


def installed_path(alias: str) -> Path:
    """Find a model of this machine's store. Raises `ModelNotInstalledError`."""
    for model in ModelStore(load_settings().model_store).installed():
        if model.alias == alias:
            return model.path
    raise ModelNotInstalledError(alias=alias)


async def measure_all(models: Sequence[str], contexts: Sequence[int]) -> list[Row]:
    """Measure each model with each context, one after the other."""
    rows: list[Row] = []
    for model in models:
        path = installed_path(model)
        for tokens in contexts_for(read_gguf_header(path).context_length, contexts):
            row = await measure(path, model=model, context_tokens=tokens)
            rows.append(row)
            sys.stderr.write(
                f"{model:20} {tokens:6} tokens  "
                f"measured {row.measured.peak_bytes / MEBIBYTE:7.0f} MiB  "
                f"estimated {row.estimate.total_bytes / MEBIBYTE:7.0f} MiB  "
                f"{row.error:+6.1%}  {row.duration_s:.0f} s\n"
            )
    return rows


def summary(rows: Sequence[Row]) -> JsonObject:
    """The whole benchmark as JSON."""
    hardware = detect_hardware()
    flags: list[JsonValue] = [*sorted(hardware.cpu_flags)]
    return {
        "cpu": hardware.cpu_model,
        "cpu_flags": flags,
        "rows": [row.to_dict() for row in rows],
        "estimate_error_max": round(max((abs(row.error) for row in rows), default=0.0), 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--contexts", default=",".join(map(str, CONTEXTS)))
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args(arguments)
    contexts = [int(part) for part in options.contexts.split(",")]
    text = json.dumps(
        summary(anyio.run(measure_all, options.models.split(","), contexts)), indent=2
    )
    if options.json is not None:
        options.json.write_text(f"{text}\n", encoding="utf-8")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
