"""How much a pull that was killed fetches twice: this file holds that measurement.

A server on loopback speaks the hub's protocol and counts each byte of the file that it writes to a
socket. A process pulls the file and is killed with SIGKILL as soon as the server has sent so many
bytes, at random points; each time another process goes on. What the server had sent and the
partial file lacks is fetched again.

    python benchmarks/pull_resume.py
    python benchmarks/pull_resume.py --size 1GB --connections 1
    python benchmarks/pull_resume.py --latency 0.03 --limit-rate 20MB
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from smallhold.models import ModelStore, PullProgress
from smallhold.models.catalog.catalog import CatalogEntry
from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.pulling.byte_spans import covered_bytes
from smallhold.models.sources.pieces import REFETCH_BYTES
from smallhold.settings import load_settings, parse_bytes

CHUNK_BYTES = 64 << 10
BLOCK_BYTES = 16 << 20
WAIT_S = 300.0
SHA256 = "SMALLHOLD_BENCH_SHA256"
"""Variable in which the pulling process finds the digest to expect."""


@dataclass
class Served:
    """A file, and how much of it went out."""

    content: bytes
    latency_s: float
    sent_bytes: int = 0
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class HubHandler(BaseHTTPRequestHandler):
    """The hub and its storage in one: no redirect, so that nothing but the file costs time."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    served: Served

    def handle(self) -> None:
        """Take a connection that its other end gave up for one that has ended."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard's name
        """Keep the terminal for the result."""
        del format, args

    def do_HEAD(self) -> None:
        """Announce digest and size, as the hub does for large files."""
        time.sleep(self.served.latency_s)
        self.send_response(200)
        self.send_header("X-Linked-Etag", f'"{hashlib.sha256(self.served.content).hexdigest()}"')
        self.send_header("X-Linked-Size", str(len(self.served.content)))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        """Send the file or a range of it."""
        served = self.served
        total_bytes = len(served.content)
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        end = min(int(wanted[2]) + 1, total_bytes) if wanted and wanted[2] else total_bytes
        time.sleep(served.latency_s)
        with served.lock:
            served.requests += 1
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(end - start))
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{total_bytes}")
        self.end_headers()
        with suppress(OSError):
            for place in range(start, end, CHUNK_BYTES):
                chunk = served.content[place : min(place + CHUNK_BYTES, end)]
                self.wfile.write(chunk)
                with served.lock:
                    served.sent_bytes += len(chunk)


def entry_of(*, sha256: str, size_bytes: int) -> CatalogEntry:
    """Describe the file as a catalog would."""
    return CatalogEntry(
        alias="bench",
        title="Random bytes",
        family="none",
        parameter_count=1,
        licence="CC0-1.0",
        context_tokens=1,
        quantization="F32",
        size_bytes=size_bytes,
        sha256=sha256,
        call_dialect="hermes",
        sources=(HuggingFaceSpec(repo="owner/name", file="bench.gguf"),),
    )


@dataclass(frozen=True, kw_only=True)
class Puller:
    """Starts processes that pull."""

    home: Path
    url: str
    entry: CatalogEntry
    connections: int
    limit_rate: str | None

    def start(self) -> subprocess.Popen[bytes]:
        """Go on pulling in a new process."""
        arguments = ["--pull", "--connections", str(self.connections)]
        arguments += ["--size", str(self.entry.size_bytes)]
        environ = {
            **os.environ,
            "SMALLHOLD_HOME": str(self.home),
            "HF_ENDPOINT": self.url,
            SHA256: self.entry.sha256 or "",
        }
        if self.limit_rate is not None:
            environ["SMALLHOLD_PULL_RATE"] = self.limit_rate
        return subprocess.Popen([sys.executable, __file__, *arguments], env=environ)  # noqa: S603 - this very file

    @property
    def store(self) -> ModelStore:
        """Where the file goes."""
        return ModelStore(self.home / "models")

    def arrived_bytes(self) -> int:
        """What a later pull will not fetch again."""
        return covered_bytes(self.store.partial(self.entry).spans)


def kill_at(puller: Puller, served: Served, point_bytes: int) -> None:
    """Let a process pull until the server has sent so many bytes in all, then kill it."""
    process = puller.start()
    deadline_s = time.monotonic() + WAIT_S
    while served.sent_bytes < point_bytes and process.poll() is None:
        if time.monotonic() > deadline_s:
            break
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    # The server is still busy with sockets whose other end is gone.
    settled_bytes = -1
    while settled_bytes != served.sent_bytes:
        settled_bytes = served.sent_bytes
        time.sleep(0.2)


def measure(puller: Puller, served: Served, *, kills: int, seed: int) -> dict[str, object]:
    """Kill pulls at random points, then let one end, and account for every byte that was sent."""
    total_bytes = len(served.content)
    chance = random.Random(seed)  # noqa: S311 - no secret
    points = sorted(chance.sample(range(total_bytes // 50, total_bytes * 9 // 10), kills))
    interruptions: list[dict[str, int]] = []
    lost_bytes = 0
    for point_bytes in points:
        # What was sent in vain counts for no progress.
        kill_at(puller, served, point_bytes + lost_bytes)
        arrived_bytes = puller.arrived_bytes()
        refetched_bytes = served.sent_bytes - arrived_bytes - lost_bytes
        lost_bytes += refetched_bytes
        interruptions.append({
            "at_bytes": point_bytes,
            "arrived_bytes": arrived_bytes,
            "refetched_bytes": refetched_bytes,
        })
    began_s = time.monotonic()
    was_ok = puller.start().wait() == 0
    worst_bytes = max(item["refetched_bytes"] for item in interruptions)
    path = puller.store.find(puller.entry)
    return {
        "size_bytes": total_bytes,
        "connections": puller.connections,
        "latency_s": served.latency_s,
        "limit_rate": puller.limit_rate,
        "interruptions": interruptions,
        "worst_refetched_bytes": worst_bytes,
        "limit_bytes": REFETCH_BYTES,
        "sent_bytes": served.sent_bytes,
        "requests": served.requests,
        "last_part_s": round(time.monotonic() - began_s, 2),
        "is_complete": was_ok and path is not None and path.read_bytes() == served.content,
        "is_within_limit": worst_bytes <= REFETCH_BYTES,
    }


def pull_here(*, size_bytes: int, connections: int) -> None:
    """Be the process that is killed."""
    # Not on top: the measuring process needs none of it.
    import anyio  # noqa: PLC0415

    from smallhold.models import pull, source_opener  # noqa: PLC0415

    settings = load_settings()
    entry = entry_of(sha256=os.environ[SHA256], size_bytes=size_bytes)

    def ignore(progress: PullProgress) -> None:
        del progress

    anyio.run(
        lambda: pull(
            entry,
            store=ModelStore(settings.model_store),
            open_source=source_opener(settings, connections=connections),
            on_progress=ignore,
        )
    )


def filling(size_bytes: int, *, seed: int) -> bytes:
    """Random bytes; one call of the generator makes no more than 256 MB."""
    chance = random.Random(seed)  # noqa: S311 - only filling
    blocks = [BLOCK_BYTES] * (size_bytes // BLOCK_BYTES) + [size_bytes % BLOCK_BYTES]
    return b"".join(chance.randbytes(block) for block in blocks)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write JSON to stdout, and fail if more than the limit is fetched twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="200MB", help="size of the file")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--limit-rate", help="such as 20MB, per second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pull", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    size_bytes = parse_bytes(options.size, field="--size")
    if options.pull:
        pull_here(size_bytes=size_bytes, connections=options.connections)
        return 0
    content = filling(size_bytes, seed=options.seed)
    served = Served(content, options.latency)
    handler = type("Handler", (HubHandler,), {"served": served})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="smallhold-pull-") as folder:
        puller = Puller(
            home=Path(folder),
            url=f"http://127.0.0.1:{server.server_port}",
            entry=entry_of(sha256=hashlib.sha256(content).hexdigest(), size_bytes=size_bytes),
            connections=options.connections,
            limit_rate=options.limit_rate,
        )
        report = measure(puller, served, kills=options.kills, seed=options.seed)
    server.shutdown()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0 if report["is_complete"] and report["is_within_limit"] else 1


if __name__ == "__main__":
    sys.exit(main())
