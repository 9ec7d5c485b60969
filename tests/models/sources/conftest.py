"""What tests of sources share: this file holds a hub on loopback and a maker of wheels."""

from __future__ import annotations

import hashlib
import re
import threading
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TypedDict, Unpack

import pytest

from smallhold.models.partial_file import PartialFile
from smallhold.models.sources.protocol import FetchJob


class Fault(TypedDict, total=False):
    """What goes wrong with one answer of the storage."""

    status: int
    cut_after: int
    stall_after: int
    content: bytes
    extra: bytes
    content_range: str
    is_silent: bool


@dataclass(frozen=True)
class Request:
    server: str
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""


@dataclass
class Hub:
    """The hub and its storage, on two ports and thus of two origins."""

    content: bytes = b""
    is_announcing: bool = True
    knows_ranges: bool = True
    knows_head: bool = True
    hub_status: int = 302
    etag: str | None = '"v1"'
    location: str | None = None
    faults: list[Fault] = field(default_factory=list[Fault])
    requests: list[Request] = field(default_factory=list[Request])
    hub_url: str = ""
    storage_url: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def fail(self, **fault: Unpack[Fault]) -> None:
        """Let the next answer of the storage that has no fault yet go wrong."""
        self.faults.append(fault)

    def seen(self, server: str, method: str = "GET") -> list[Request]:
        return [r for r in self.requests if r.server == server and r.method == method]

    def ranges(self) -> list[str | None]:
        return [request.headers.get("range") for request in self.seen("storage")]


class QuietHandler(BaseHTTPRequestHandler):
    """One request each connection, and no lines on the terminal."""

    protocol_version = "HTTP/1.1"
    hub: Hub
    server_name: str

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard's name
        del format, args

    def note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.server_name, self.command, self.path, headers))

    def answer(self, status: int, headers: Mapping[str, str]) -> None:
        self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()


class HubHandler(QuietHandler):
    """Knows names and versions, and sends readers to the storage."""

    server_name = "hub"

    def do_HEAD(self) -> None:
        self.note()
        hub = self.hub
        if not hub.knows_head and self.command == "HEAD":
            self.answer(405, {"Content-Length": "0"})
        elif hub.hub_status != 302:
            self.answer(hub.hub_status, {"Content-Length": "0"})
        elif self.path.startswith("/old/"):
            self.answer(
                307, {"Location": self.path.replace("/old/", "/owner/"), "Content-Length": "0"}
            )
        else:
            headers = {"Location": hub.location or f"{hub.storage_url}/blob", "Content-Length": "0"}
            if hub.is_announcing:
                headers["X-Linked-Etag"] = f'"{hashlib.sha256(hub.content).hexdigest()}"'
                headers["X-Linked-Size"] = str(len(hub.content))
            self.answer(302, headers)

    do_GET = do_HEAD  # noqa: N815 - the name that http.server looks for


class StorageHandler(QuietHandler):
    """Has the bytes."""

    server_name = "storage"

    def do_GET(self) -> None:
        self.note()
        fault = self.hub.faults.pop(0) if self.hub.faults else Fault()
        if fault.get("is_silent"):
            self.hub.closing.wait(20)
            self.close_connection = True
            return
        content = fault.get("content", self.hub.content)
        if "status" in fault:
            self.answer(fault["status"], {"Content-Length": "0"})
            return
        start = self.start(content)
        headers = {"Content-Length": str(len(content) - start)}
        if self.hub.etag:
            headers["ETag"] = self.hub.etag
        if start:
            whole = f"bytes {start}-{len(content) - 1}/{len(content)}"
            headers["Content-Range"] = fault.get("content_range", whole)
        if "extra" in fault:
            del headers["Content-Length"]
        self.answer(206 if start else 200, headers)
        self.send(content[start:] + fault.get("extra", b""), fault)

    def start(self, content: bytes) -> int:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        is_same = condition is None or condition == self.hub.etag
        usable = match and self.hub.knows_ranges and is_same and int(match[1]) < len(content)
        return int(match[1]) if match and usable else 0

    def send(self, data: bytes, fault: Fault) -> None:
        with suppress(OSError):
            if "stall_after" in fault:
                self.wfile.write(data[: fault["stall_after"]])
                self.wfile.flush()
                self.hub.closing.wait(20)
            else:
                self.wfile.write(data[: fault.get("cut_after", len(data))])


@pytest.fixture
def hub() -> Generator[Hub]:
    hub = Hub()
    servers: list[ThreadingHTTPServer] = []
    for kind in (HubHandler, StorageHandler):
        kind.hub = hub
        servers.append(ThreadingHTTPServer(("127.0.0.1", 0), kind))
    hub.hub_url, hub.storage_url = (f"http://127.0.0.1:{s.server_port}" for s in servers)
    threads = [threading.Thread(target=s.serve_forever, args=(0.02,)) for s in servers]
    for thread in threads:
        thread.start()
    yield hub
    hub.closing.set()
    for server, thread in zip(servers, threads, strict=True):
        server.shutdown()
        server.server_close()
        thread.join()


class Index:
    """A folder of wheels that pip takes for its whole index."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def add(
        self, name: str, members: Mapping[str, bytes], *, version: str = "1.0", python: str = ">=3"
    ) -> Path:
        stem = f"{name.replace('-', '_')}-{version}"
        path = self.folder / f"{stem}-py3-none-any.whl"
        info = f"{stem}.dist-info"
        metadata = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nRequires-Python: {python}\n"
        )
        wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, data in members.items():
                archive.writestr(member, data)
            archive.writestr(f"{info}/METADATA", metadata)
            archive.writestr(f"{info}/WHEEL", wheel)
            archive.writestr(f"{info}/RECORD", "")
        return path


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    folder = tmp_path / "index"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return Index(folder)


@dataclass
class JobMaker:
    """Makes fetch jobs and keeps what was reported."""

    partial: PartialFile
    reports: list[tuple[int, int | None]] = field(default_factory=list[tuple[int, int | None]])
    room: Callable[[int], None] = lambda _: None

    def __call__(self, content: bytes, *, is_known: bool = True) -> FetchJob:
        return FetchJob(
            partial=self.partial,
            size_bytes=len(content) if is_known else None,
            sha256=hashlib.sha256(content).hexdigest() if is_known else None,
            report=lambda done, total: self.reports.append((done, total)),
            require_room=self.room,
        )

    @property
    def arrived(self) -> bytes:
        return self.partial.path.read_bytes()


@pytest.fixture
def make_job(tmp_path: Path) -> JobMaker:
    return JobMaker(PartialFile(tmp_path / "partial" / "x.part"))
