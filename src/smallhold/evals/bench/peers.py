"""Other engines on the same file: this file holds their processes, one script each.

The scripts lie in a checkout's `benchmarks/peers` and not in the package, which never imports a
peer's library.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from smallhold.exceptions import ModelOutputError

SCRIPTS: Final = Path(__file__).resolve().parents[4] / "benchmarks" / "peers"
"""Where a checkout has them; a wheel has not."""
_MAX_LINE_BYTES: Final = 16 * 1024 * 1024
EXIT_WAIT_S: Final = 10.0
"""How long a peer may finish what it is doing once its stdin is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerSettings:
    """What a peer is started with; the scripts read the same keys."""

    model: str
    """Path of the GGUF file."""
    threads: int
    context_tokens: int
    """Most tokens of one request, prompt and answer together."""
    slots: int = 1
    """Requests at the same time."""
    batch_tokens: int | None = None
    """Most tokens in one pass; `None` leaves the engine's default."""
    flash_attention: bool | None = None
    """`None` leaves the engine's default."""
    kv_type: str = "f16"
    shares_cells: bool = False
    """All slots share one pool of keys and values, instead of a part for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerScript:
    """A script with the module that it needs."""

    name: str
    file: str
    module: str

    def missing(self, scripts: Path) -> str | None:
        """Say why this peer cannot take part, `None` if it can."""
        if not (scripts / self.file).is_file():
            return "its script is in a checkout's benchmarks/peers only"
        if find_spec(self.module) is None:
            return f"the module {self.module} is not installed"
        return None


LLAMA_SERVER: Final = PeerScript(name="llama-server", file="llama_server.py", module="xllamacpp")
LLAMA_CPP_PYTHON: Final = PeerScript(
    name="llama-cpp-python", file="llama_cpp_python.py", module="llama_cpp"
)
BARE_LOOP: Final = PeerScript(name="llama_decode", file="bare_loop.py", module="llama_cpp")


class PeerProcess:
    """A peer's script, spoken to by lines of JSON."""

    def __init__(
        self,
        script: PeerScript,
        settings: PeerSettings,
        *,
        scripts: Path = SCRIPTS,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = script.name
        self._command = [
            *(sys.executable, str(scripts / script.file)),
            json.dumps(asdict(settings)),
        ]
        self._environ = dict(os.environ if environ is None else environ)
        self._process: Process | None = None
        self._lines: BufferedByteReceiveStream | None = None

    async def start(self) -> dict[str, Any]:
        """Start the script and return its first line. Raises `ModelOutputError`."""
        self._process = await anyio.open_process(
            self._command, stderr=subprocess.DEVNULL, env=self._environ
        )
        if self._process.stdout is None:
            raise self._failure(problem="it has no output")
        self._lines = BufferedByteReceiveStream(self._process.stdout)
        return await self.receive()

    async def send(self, request: Mapping[str, object]) -> None:
        """Send one line. Raises `ModelOutputError` if the peer has ended."""
        if self._process is None or self._process.stdin is None:
            raise self._failure(problem="it has not been started")
        try:
            await self._process.stdin.send(f"{json.dumps(request)}\n".encode())
        except (anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            raise self._failure(problem="it has ended") from error

    async def receive(self) -> dict[str, Any]:
        """Wait for the next line. Raises `ModelOutputError` if it is an error or none comes."""
        if self._lines is None:
            raise self._failure(problem="it has not been started")
        try:
            line = await self._lines.receive_until(b"\n", _MAX_LINE_BYTES)
        except (anyio.IncompleteRead, anyio.BrokenResourceError) as error:
            raise self._failure(problem="it has ended") from error
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise self._failure(problem=str(reply["error"]))
        return reply

    async def stop(self, *, wait_s: float = EXIT_WAIT_S) -> None:
        """Close its stdin, and end it if it has not ended some seconds later."""
        process, self._process, self._lines = self._process, None, None
        if process is None:
            return
        with anyio.CancelScope(shield=True):
            if process.stdin is not None:
                await process.stdin.aclose()
            with anyio.move_on_after(wait_s):
                await process.wait()
            if process.returncode is None:
                process.kill()
            await process.aclose()

    def _failure(self, *, problem: str) -> ModelOutputError:
        return ModelOutputError(runtime=self.name, problem=problem)
