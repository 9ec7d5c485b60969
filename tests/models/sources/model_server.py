"""Servers of models that can be told to misbehave: this file holds a hub, a registry, a storage.

They speak over real sockets on the loopback. Each is of an origin of its own, as in the world: the
hub and the registry know names, and send readers to the storage, which has the bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, TypedDict, Unpack
from urllib.parse import parse_qs, urlsplit

CHUNK_BYTES = 16 << 10
COMMIT = "c0ffee" + "0" * 34
TOKEN = "registry-canary"  # noqa: S105 - the very thing that tests look for where it must not be
MODEL_LAYER = "application/vnd.ollama.image.model"


class Fault(TypedDict, total=False):
    """What goes wrong with one answer of the storage."""

    status: int
    headers: Mapping[str, str]
    """More headers, or others."""
    cut_after: int
    stall_after: int
    trickle: bool
    """Sends a byte now and then."""
    content: bytes
    """Other bytes than the file's."""
    extra: bytes
    """Bytes after the last one."""
    content_range: str
    is_silent: bool
    ignores_range: bool
    page: bytes
    """A web page, with status 200."""


@dataclass(frozen=True)
class Request:
    server: str
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass
class Hub:
    """The hub, the registry and their storage, on three ports and thus of three origins."""

    content: bytes = b""
    is_announcing: bool = True
    knows_ranges: bool = True
    knows_head: bool = True
    hub_status: int = 302
    commit: str = COMMIT
    etag: str | None = '"v1"'
    location: str | None = None
    manifest: object = None
    """What the registry answers in place of the manifest."""
    wants_token: bool = False
    realm: str | None = None
    rate_bytes_s: float | None = None
    """The storage sends no faster than this on each connection."""
    latency_s: float = 0.0
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[Request] = field(default_factory=list[Request])
    sent_bytes: int = 0
    """Bytes of the file that the storage wrote to its sockets."""
    most_at_once: int = 0
    """The most answers of the storage that were under way at one time."""
    hub_url: str = ""
    storage_url: str = ""
    registry_url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    at_once: int = 0

    def fail(self, **fault: Unpack[Fault]) -> None:
        """Let the next answer of the storage that has no fault yet go wrong."""
        self.faults.append(fault)

    def seen(self, server: str, method: str = "GET") -> list[Request]:
        return [r for r in self.requests if r.server == server and r.method == method]

    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.seen("storage")]

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def take_fault(self) -> Fault:
        with self.lock:
            return self.faults.pop(0) if self.faults else Fault()


class Site(ThreadingHTTPServer):
    """One of the three, on a port of its own."""

    def __init__(self, hub: Hub, handler: type[QuietHandler]) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), handler)


class QuietHandler(BaseHTTPRequestHandler):
    """Keeps connections open, and writes no lines on the terminal."""

    protocol_version = "HTTP/1.1"
    server_name = ""

    @property
    def hub(self) -> Hub:
        assert isinstance(self.server, Site)
        return self.server.hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard's name
        del format, args

    def note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.server_name, self.command, self.path, headers))

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(body)


class HubHandler(QuietHandler):
    """Knows names and versions, and sends readers to the storage."""

    server_name = "hub"

    def do_HEAD(self) -> None:
        self.note()
        hub = self.hub
        if not hub.knows_head and self.command == "HEAD":
            self.answer(405, {})
        elif hub.hub_status != 302:
            self.answer(hub.hub_status, {})
        elif self.path.startswith("/old/"):
            self.answer(307, {"Location": self.path.replace("/old/", "/owner/")})
        else:
            headers = {"Location": hub.location or f"{hub.storage_url}/blob"}
            if hub.is_announcing:
                headers["X-Linked-Etag"] = f'"{hub.digest}"'
                headers["X-Linked-Size"] = str(len(hub.content))
                headers["X-Repo-Commit"] = hub.commit
            self.answer(302, headers)

    do_GET = do_HEAD  # noqa: N815 - the name that http.server looks for


class RegistryHandler(QuietHandler):
    """Knows manifests and gives tokens."""

    server_name = "registry"

    def do_GET(self) -> None:
        self.note()
        hub, parts = self.hub, urlsplit(self.path)
        if parts.path == "/token":
            known = parse_qs(parts.query) == {
                "service": ["tests"],
                "scope": ["repository:library/tiny:pull"],
            }
            self.answer(200 if known else 400, {}, json.dumps({"token": TOKEN}).encode())
        elif hub.wants_token and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            realm = hub.realm or f"{hub.registry_url}/token"
            scope = "repository:library/tiny:pull"
            challenge = f'Bearer realm="{realm}",service="tests",scope="{scope}"'
            self.answer(401, {"WWW-Authenticate": challenge}, b"{}")
        elif re.fullmatch(r"/v2/library/tiny/manifests/(latest|1b)", parts.path):
            self.answer(200, {"Content-Type": self.headers["Accept"].split(",")[0]}, self.body())
        elif parts.path == f"/v2/library/tiny/blobs/sha256:{hub.digest}":
            self.answer(307, {"Location": hub.location or f"{hub.storage_url}/blob"})
        else:
            self.answer(404, {}, b'{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')

    def body(self) -> bytes:
        hub = self.hub
        if isinstance(hub.manifest, bytes):
            return hub.manifest
        if hub.manifest is not None:
            return json.dumps(hub.manifest).encode()
        layer = {
            "mediaType": MODEL_LAYER,
            "digest": f"sha256:{hub.digest}",
            "size": len(hub.content),
        }
        licence = {
            "mediaType": "application/vnd.ollama.image.license",
            "digest": "sha256:" + "1" * 64,
            "size": 3,
        }
        return json.dumps({"schemaVersion": 2, "layers": [licence, layer]}).encode()


class StorageHandler(QuietHandler):
    """Has the bytes."""

    server_name = "storage"

    def do_GET(self) -> None:
        self.note()
        fault = self.hub.take_fault()
        if fault.get("is_silent"):
            self.hub.closing.wait(20)
            self.close_connection = True
            return
        time.sleep(self.hub.latency_s)
        if "page" in fault:
            self.answer(200, {"Content-Type": "text/html; charset=utf-8"}, fault["page"])
        elif "status" in fault:
            self.answer(fault["status"], fault.get("headers", {}))
        else:
            with self.counted():
                self.serve(fault)

    def serve(self, fault: Fault) -> None:
        content = fault.get("content", self.hub.content)
        wanted = None if fault.get("ignores_range") else self.wanted(content)
        start, end = wanted or (0, len(content))
        headers = {"ETag": self.hub.etag or "", "Content-Length": str(end - start)}
        if wanted:
            whole = f"bytes {start}-{end - 1}/{len(content)}"
            headers["Content-Range"] = fault.get("content_range", whole)
        if "extra" in fault:
            headers["Content-Length"] = ""
        self.close_connection = bool(fault)
        self.answer(206 if wanted else 200, {**headers, **fault.get("headers", {})})
        self.send(content[start:end] + fault.get("extra", b""), fault)

    def wanted(self, content: bytes) -> tuple[int, int] | None:
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        is_same = condition is None or condition == self.hub.etag
        if not match or not self.hub.knows_ranges or not is_same:
            return None
        end = min(int(match[2]) + 1 if match[2] else len(content), len(content))
        return (int(match[1]), end) if int(match[1]) < end else None

    def send(self, data: bytes, fault: Fault) -> None:
        with suppress(OSError):
            if fault.get("trickle"):
                for place in range(len(data)):
                    self.write(data[place : place + 1])
                    if self.hub.closing.wait(0.05):
                        return
            elif "stall_after" in fault:
                self.write(data[: fault["stall_after"]])
                self.wfile.flush()
                self.hub.closing.wait(20)
            else:
                self.write(data[: fault.get("cut_after", len(data))])

    def write(self, data: bytes) -> None:
        rate = self.hub.rate_bytes_s
        for place in range(0, len(data), CHUNK_BYTES):
            chunk = data[place : place + CHUNK_BYTES]
            self.wfile.write(chunk)
            with self.hub.lock:
                self.hub.sent_bytes += len(chunk)
            if rate is not None:
                time.sleep(len(chunk) / rate)

    def counted(self) -> ExitStack:
        hub, stack = self.hub, ExitStack()
        with hub.lock:
            hub.at_once += 1
            hub.most_at_once = max(hub.most_at_once, hub.at_once)

        def leave() -> None:
            with hub.lock:
                hub.at_once -= 1

        stack.callback(leave)
        return stack


@dataclass
class Servers:
    """Runs the three for as long as the block lasts."""

    hub: Hub
    servers: list[Site] = field(default_factory=list[Site])
    threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Self:
        urls: list[str] = []
        kinds: tuple[type[QuietHandler], ...] = (HubHandler, RegistryHandler, StorageHandler)
        for kind in kinds:
            server = Site(self.hub, kind)
            thread = threading.Thread(target=server.serve_forever, args=(0.02,))
            self.servers.append(server)
            self.threads.append(thread)
            thread.start()
            urls.append(f"http://127.0.0.1:{server.server_port}")
        self.hub.hub_url, self.hub.registry_url, self.hub.storage_url = urls
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hub.closing.set()
        for server, thread in zip(self.servers, self.threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
