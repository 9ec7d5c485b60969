from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import pytest
from tests.state.knowledge.conftest import BagEmbedder

from smallhold.exceptions import DocumentFetchError, DocumentTooLargeError
from smallhold.state import State
from smallhold.state.knowledge import (
    DocumentFormat,
    Knowledge,
    KnowledgeSettings,
    Outcome,
    ParsingLimits,
)
from smallhold.state.knowledge.web_page import WebPage, fetch_page

LIMITS = ParsingLimits(file_max_bytes=10_000)
PAGES: Final[dict[str, tuple[int, dict[str, str], bytes]]] = {
    "/": (200, {"Content-Type": "text/html; charset=latin-1"}, "<p>café</p>".encode("latin-1")),
    "/notes.md": (200, {"Content-Type": "text/plain"}, b"# Notes\n\nText."),
    "/data": (200, {"Content-Type": "application/octet-stream"}, b"x"),
    "/image": (200, {"Content-Type": "image/png"}, b"x"),
    "/packed": (200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, b"x"),
    "/large": (200, {"Content-Type": "text/plain"}, b"x" * 20_000),
    "/moved": (302, {"Location": "/"}, b""),
    "/circle": (302, {"Location": "/circle"}, b""),
    "/away": (302, {"Location": "http://10.0.0.1/"}, b""),
    "/gone": (404, {}, b""),
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = PAGES[self.path]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
        """Say nothing."""


@pytest.fixture(scope="module")
def site() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def fetched(url: str) -> WebPage:
    return await fetch_page(url, limits=LIMITS, allows_private=True)


async def test_a_page_is_fetched_in_the_encoding_that_the_server_names(site: str) -> None:
    page = await fetched(f"{site}/#part")
    assert page.format is DocumentFormat.HTML
    assert page.data.decode("utf-8-sig") == "<p>café</p>"
    assert page.source == f"{site}/"


async def test_a_redirect_is_followed_under_the_first_address(site: str) -> None:
    page = await fetched(f"{site}/moved")
    assert page.source == f"{site}/moved"
    assert page.format is DocumentFormat.HTML


async def test_this_machine_and_its_network_are_out_of_reach_unless_allowed(site: str) -> None:
    with pytest.raises(DocumentFetchError, match="local network"):
        await fetch_page(f"{site}/", limits=LIMITS, allows_private=False)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/gone", "answers 404"),
        ("/image", "image/png, which is not read"),
        ("/data", "not read"),
        ("/packed", "packs it"),
        ("/circle", "more than 5 times"),
    ],
)
async def test_what_is_no_page_to_read_is_refused(site: str, path: str, words: str) -> None:
    with pytest.raises(DocumentFetchError, match=words):
        await fetched(site + path)


async def test_a_page_that_is_too_large_is_refused_by_the_name_of_the_limit(site: str) -> None:
    with pytest.raises(DocumentTooLargeError, match="file_max_bytes"):
        await fetched(f"{site}/large")


async def test_a_server_that_is_not_there_is_told_of() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DocumentFetchError, match="Check the address"):
        await fetched(f"http://127.0.0.1:{port}/")


async def test_a_page_becomes_a_document_and_can_be_removed(
    state: State, embedder: BagEmbedder, site: str
) -> None:
    settings = KnowledgeSettings(allows_private_addresses=True)
    knowledge = Knowledge(state, embedder=embedder, offline=False, settings=settings)
    (done,) = await knowledge.add(f"{site}/notes.md")
    assert (done.outcome, done.source) == (Outcome.ADDED, f"{site}/notes.md")
    assert (await knowledge.search("text"))[0].headings == ("Notes",)
    assert (await knowledge.remove(f"{site}/notes.md"))[0].outcome is Outcome.REMOVED


async def test_the_environment_can_rule_the_network_out(
    state: State, embedder: BagEmbedder, site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMALLHOLD_OFFLINE", "1")
    knowledge = Knowledge(state, embedder=embedder, offline=False)
    with pytest.raises(DocumentFetchError, match="offline"):
        await knowledge.add(f"{site}/")
