"""The wire between the comparison and a framework's script: this file holds the script's side.

Each line of stdin describes a case; a line of stdout says what it came to. It needs the standard
library and anyio, which every one of the frameworks brings along.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, TypeAlias

import anyio
import anyio.to_thread

MOST_MODEL_CALLS = 11
"""What hardened frameworks may ask of the model, one less than what counts as a loop: some ask for
a last answer beyond it."""
TOOL_WAIT_S = 60.0
"""Longer than any case lasts: a tool that hangs is ended with its process."""
MODEL = "fault-model"
API_KEY = "none-needed"
ToolFunction: TypeAlias = Callable[..., str]


@dataclass(frozen=True)
class Exchange:
    """One message of the user, and the tools on offer by the names that a model reads."""

    text: str
    tools: Mapping[str, ToolFunction]


@dataclass(frozen=True)
class Task:
    """A case as a framework is put through it."""

    base_url: str
    exchanges: tuple[Exchange, ...]
    is_streamed: bool
    answer_tokens: int
    tool_timeout_s: float
    is_hardened: bool
    """Whether the framework gets its own settings against faults, or its defaults."""


@dataclass
class Told:
    """What the user gets, filled as it comes."""

    answers: list[str] = field(default_factory=list[str])
    is_cut: bool = False
    flags: list[str] = field(default_factory=list[str])


Run: TypeAlias = Callable[[Task, Told], Awaitable[None]]


def serve(run: Run) -> None:
    """Put a framework through the cases that come, until stdin closes."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    # Frameworks print what they do; that must not come between the lines.
    os.dup2(2, 1)
    out.write(json.dumps({"ready": True}) + "\n")
    for line in sys.stdin:
        out.write(json.dumps(anyio.run(_played, run, json.loads(line))) + "\n")


async def _played(run: Run, described: dict[str, Any]) -> dict[str, Any]:
    told = Told()
    error: str | None = None
    try:
        await run(_task(described), told)
    except Exception as raised:  # noqa: BLE001 - a mark of the case
        error = f"{type(raised).__module__}.{type(raised).__name__}: {raised}"
    return {**asdict(told), "error": error}


def _task(described: dict[str, Any]) -> Task:
    module = _desk_module(described["desk"])
    desk = module.Desk(functools.partial(_act, described["address"]))
    return Task(
        base_url=f"{described['address']}/v1",
        exchanges=tuple(
            Exchange(text=it["text"], tools=module.tools_of(desk, it["tools"]))
            for it in described["exchanges"]
        ),
        is_streamed=described["is_streamed"],
        answer_tokens=described["answer_tokens"],
        tool_timeout_s=described["tool_timeout_s"],
        is_hardened=described["is_hardened"],
    )


@functools.cache
def _desk_module(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("desk", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    # Frameworks look the annotations up where the module says it is.
    sys.modules["desk"] = module
    spec.loader.exec_module(module)
    return module


def _act(address: str, tool: str, arguments: Mapping[str, object]) -> str:
    body = json.dumps(arguments, default=_plain).encode()
    request = urllib.request.Request(f"{address}/tools/{tool}", data=body)  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=TOOL_WAIT_S) as response:  # noqa: S310 - loopback
        answer = json.load(response)
    if "raised" in answer:
        raise OSError(answer["raised"])
    return str(answer["result"])


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def shown(value: object) -> str:
    """Give what a user would be shown of a result; nothing for none."""
    return "" if value is None else str(value)


def in_thread(function: ToolFunction, *, name: str) -> Callable[..., Awaitable[str]]:
    """Make a coroutine function of a tool, which a framework can give up after a time."""

    @functools.wraps(function)
    async def run(*args: Any, **kwargs: Any) -> str:
        work = functools.partial(function, *args, **kwargs)
        return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)

    run.__name__ = name
    return run
