"""A framework in its own process: this file holds how it is put through cases."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from smallhold.evals.faults import Evidence, FaultCase, Stage, cases_named, desk
from smallhold.evals.faults.server import served

START_S: Final = 60.0
"""Time to import a framework, on a busy machine."""
WARM_UP: Final = "prose_that_looks_like_a_call"
"""A case in which nothing goes wrong."""
_MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_OWN_VARIABLES: Final = {
    # No framework may call home in the middle of a measurement.
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "LANGSMITH_TRACING": "false",
    "HF_HUB_OFFLINE": "1",
    "OPENAI_API_KEY": "none-needed",
}


_HARDENED_VARIABLES: Final = {
    # Without it openai-agents leaves out of its errors what was wrong with the arguments.
    "OPENAI_AGENTS_DONT_LOG_TOOL_DATA": "0",
}


class PeerEndedError(Exception):
    """A framework's process has ended."""


class PlayedFramework:
    """A framework's script, started when it is needed, and ended when it hangs."""

    def __init__(self, command: Sequence[str], *, is_hardened: bool = False) -> None:
        self._command = list(command)
        self._is_hardened = is_hardened
        self._process: Process | None = None
        self._lines: BufferedByteReceiveStream | None = None

    async def play(self, case: FaultCase) -> Evidence:
        """Put the framework through a case."""
        await self._start()
        stage = Stage(case)
        reply = await self._reply(stage, time_s=case.limits.time_s)
        told = reply or {"answers": [], "error": None, "is_cut": False, "flags": []}
        return Evidence(
            answers=tuple(told["answers"]),
            flags=tuple(told["flags"]),
            is_cut=told["is_cut"],
            error=told["error"],
            has_ended=reply is not None,
            effects=stage.effects,
            model_calls=stage.model_calls,
            was_refused=stage.was_refused,
        )

    async def _reply(self, stage: Stage, *, time_s: float) -> dict[str, Any] | None:
        reply: dict[str, Any] | None = None
        with served(stage) as address:
            with anyio.move_on_after(time_s):
                reply = await self._ask(stage.case, address=address)
            if reply is None:
                await self.stop()
        return reply

    async def stop(self) -> None:
        """End the process."""
        process, self._process, self._lines = self._process, None, None
        if process is not None:
            with anyio.CancelScope(shield=True):
                # It may have ended by itself in the meantime.
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
                await process.aclose()

    async def _start(self) -> None:
        if self._process is not None:
            return
        self._process = await anyio.open_process(
            self._command, stderr=subprocess.DEVNULL, env=self._environ()
        )
        if self._process.stdout is None:
            raise PeerEndedError(self._command)
        self._lines = BufferedByteReceiveStream(self._process.stdout)
        with anyio.fail_after(START_S):
            await self._line()
        # Much is imported and made only when an agent runs for the first time.
        for case in cases_named([WARM_UP]):
            await self._reply(Stage(case), time_s=START_S)

    def _environ(self) -> dict[str, str]:
        hardened = _HARDENED_VARIABLES if self._is_hardened else {}
        return {**os.environ, **_OWN_VARIABLES, **hardened}

    async def _ask(self, case: FaultCase, *, address: str) -> dict[str, Any]:
        if self._process is None or self._process.stdin is None:
            raise PeerEndedError(self._command)
        task = {**described(case, address=address), "is_hardened": self._is_hardened}
        await self._process.stdin.send(f"{json.dumps(task)}\n".encode())
        return await self._line()

    async def _line(self) -> dict[str, Any]:
        if self._lines is None:
            raise PeerEndedError(self._command)
        try:
            return json.loads(await self._lines.receive_until(b"\n", _MAX_LINE_BYTES))
        except (anyio.IncompleteRead, anyio.BrokenResourceError) as error:
            await self.stop()
            raise PeerEndedError(self._command) from error


def described(case: FaultCase, *, address: str) -> dict[str, Any]:
    """Describe a case for a framework's script."""
    return {
        "address": address,
        "desk": str(Path(desk.__file__)),
        "exchanges": [
            {"text": exchange.text, "tools": dict(exchange.tools)} for exchange in case.exchanges
        ],
        "is_streamed": case.is_streamed,
        "answer_tokens": case.limits.answer_tokens,
        "tool_timeout_s": case.limits.tool_timeout_s,
    }
