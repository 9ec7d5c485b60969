"""A model on the Hugging Face hub or a mirror of it: this file holds the `HuggingFaceSource`.

Addresses, `HF_ENDPOINT` and the user's token come from the `huggingface_hub` library; the bytes are
fetched here, because that library checks a file's size but not its sha256.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, NoReturn

import anyio
import httpx2
from anyio import to_thread
from huggingface_hub import get_token, hf_hub_url
from huggingface_hub.constants import HF_HUB_DISABLE_IMPLICIT_TOKEN, is_offline_mode
from huggingface_hub.errors import HFValidationError

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.partial_file import PartialNotes
from smallhold.models.source_specs import HuggingFaceSpec
from smallhold.models.sources.hub_protocol import (
    BadAnswerError,
    RangeRefusedError,
    RemoteFile,
    describe_file,
    headers_after_redirect,
    refusal,
    resume_point,
    start_of_body,
)
from smallhold.models.sources.protocol import FetchJob

STALL_S: Final = 30.0
"""Without a new byte for so long, the connection counts as dead."""
CONNECT_S: Final = 10.0
"""Source: `HF_HUB_ETAG_TIMEOUT` of huggingface_hub 2.4, its limit for the same step."""
ATTEMPTS: Final = 3
"""Attempts in a row that may bring nothing new before the source counts as unavailable."""
MAX_ATTEMPTS: Final = 50
"""Attempts in all, so that a server which sends a few bytes each time is given up too."""
BACKOFF_S: Final = 1.0
"""Pause after the first fruitless attempt; doubled after each further one."""

_MAX_REDIRECTS: Final = 8
_CHUNK_BYTES: Final = 256 << 10
_REDIRECTS_IN_CIRCLES: Final = "the hub redirects in circles"
_HTTP_METHOD_UNSUPPORTED: Final = frozenset({405, 501})
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceSource:
    """Fetches one file of a repository, resuming after interruptions."""

    spec: HuggingFaceSpec
    endpoint: str | None = None
    """Base address of the hub; by default what huggingface_hub says, thus `HF_ENDPOINT`."""
    stall_s: float = STALL_S
    backoff_s: float = BACKOFF_S

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    async def fetch(self, job: FetchJob) -> str | None:
        """Fetch what is missing and return the sha256 that the hub announced."""
        if is_offline_mode():
            self._refuse("needs a network, which HF_HUB_OFFLINE rules out")
        timeout = httpx2.Timeout(self.stall_s, connect=min(CONNECT_S, self.stall_s))
        async with httpx2.AsyncClient(timeout=timeout, follow_redirects=False) as client:
            return await self._until_whole(client, job)

    async def _until_whole(self, client: httpx2.AsyncClient, job: FetchJob) -> str | None:
        furthest_bytes = job.partial.size_bytes
        fruitless = 0
        for _ in range(MAX_ATTEMPTS):
            try:
                return await self._attempt(client, job)
            except (httpx2.TransportError, BadAnswerError) as error:
                reached_bytes = job.partial.size_bytes
                if isinstance(error, RangeRefusedError):
                    await to_thread.run_sync(job.partial.restart, PartialNotes(source=self.name))
                fruitless = 0 if reached_bytes > furthest_bytes else fruitless + 1
                furthest_bytes = max(furthest_bytes, reached_bytes)
                _LOG.info("pull.attempt_failed", extra={"reached_bytes": reached_bytes})
                if fruitless >= ATTEMPTS:
                    raise SourceUnavailableError(
                        source=self.name, reason=_in_words(error)
                    ) from error
                await anyio.sleep(self.backoff_s * 2 ** max(0, fruitless - 1))
        reason = f"the connection broke {MAX_ATTEMPTS} times"
        raise SourceUnavailableError(source=self.name, reason=reason)

    async def _attempt(self, client: httpx2.AsyncClient, job: FetchJob) -> str | None:
        remote = await self._describe(client)
        self._check_promise(remote, job)
        offset = resume_point(
            job.partial.notes,
            remote,
            source=self.name,
            size_bytes=job.partial.size_bytes,
            sha256=job.sha256,
        )
        total_bytes = job.size_bytes or remote.size_bytes
        if offset > 0 and offset == total_bytes:
            return remote.sha256
        if total_bytes is not None:
            job.require_room(total_bytes - offset)
        headers = {**remote.headers, **self._range_headers(offset, job.partial.notes, remote)}
        async with self._open(client, remote.url, headers) as response:
            await self._receive(response, job, offset=offset, remote=remote)
        return remote.sha256

    async def _describe(self, client: httpx2.AsyncClient) -> RemoteFile:
        url, headers = self._address()
        for _ in range(_MAX_REDIRECTS):
            response = await client.head(url, headers=headers)
            if response.status_code in _HTTP_METHOD_UNSUPPORTED:
                return RemoteFile(url=url, headers=headers)
            self._refuse_error(response.status_code)
            remote = describe_file(response.headers, url=url, headers=headers)
            target = response.next_request.url if response.next_request else None
            # A repository that was renamed redirects within the hub; the file's own redirect leads
            # to storage whose signed address may not be asked with HEAD.
            if target is None or remote.sha256 or _origin(target) != _origin(url):
                return remote
            url = target
        raise SourceUnavailableError(source=self.name, reason=_REDIRECTS_IN_CIRCLES)

    def _address(self) -> tuple[httpx2.URL, Mapping[str, str]]:
        try:
            url = hf_hub_url(
                self.spec.repo, self.spec.file, revision=self.spec.revision, endpoint=self.endpoint
            )
            return httpx2.URL(url), _hub_headers()
        except (HFValidationError, httpx2.InvalidURL) as error:
            raise SourceUnavailableError(source=self.name, reason=str(error)) from error

    def _check_promise(self, remote: RemoteFile, job: FetchJob) -> None:
        if job.sha256 and remote.sha256 and job.sha256 != remote.sha256:
            self._refuse(
                f"offers another file (sha256 {remote.sha256}, the catalog says {job.sha256})"
            )
        if job.size_bytes and remote.size_bytes and job.size_bytes != remote.size_bytes:
            self._refuse(f"offers {remote.size_bytes:,} bytes, the catalog says {job.size_bytes:,}")

    def _range_headers(
        self, offset: int, notes: PartialNotes | None, remote: RemoteFile
    ) -> Mapping[str, str]:
        if offset == 0:
            return {}
        headers = {"Range": f"bytes={offset}-"}
        etag = notes.etag if notes is not None and notes.source == self.name else None
        if remote.version is None and etag is not None:
            headers["If-Range"] = etag
        return headers

    @asynccontextmanager
    async def _open(
        self, client: httpx2.AsyncClient, url: httpx2.URL, headers: Mapping[str, str]
    ) -> AsyncGenerator[httpx2.Response]:
        for _ in range(_MAX_REDIRECTS):
            async with client.stream("GET", url, headers=headers) as response:
                if response.next_request is None:
                    self._refuse_error(response.status_code)
                    yield response
                    return
            target = response.next_request.url
            if target.scheme not in {"https", url.scheme}:
                self._refuse(f"redirects to an unsafe address ({target.scheme}:)")
            headers = headers_after_redirect(
                headers, is_same_origin=_origin(target) == _origin(url)
            )
            url = target
        raise SourceUnavailableError(source=self.name, reason=_REDIRECTS_IN_CIRCLES)

    async def _receive(
        self, response: httpx2.Response, job: FetchJob, *, offset: int, remote: RemoteFile
    ) -> None:
        start, total_bytes = start_of_body(
            response.status_code, response.headers, offset=offset, size_bytes=job.size_bytes
        )
        notes = PartialNotes(source=self.name, etag=remote.version or _strong_etag(response))
        await to_thread.run_sync(job.partial.resume_at, start, notes)
        done_bytes = start
        async for chunk in response.aiter_raw(_CHUNK_BYTES):
            done_bytes += len(chunk)
            if total_bytes is None:
                job.require_room(len(chunk))
            elif done_bytes > total_bytes:
                self._refuse(f"sent more than the {total_bytes:,} bytes it announced")
            await to_thread.run_sync(job.partial.append, chunk)
            job.report(done_bytes, total_bytes)
        if total_bytes is not None and done_bytes < total_bytes:
            msg = f"the connection ended after {done_bytes:,} of {total_bytes:,} bytes"
            raise BadAnswerError(msg)

    def _refuse_error(self, status: int) -> None:
        reason = refusal(status)
        if reason is not None:
            self._refuse(reason)

    def _refuse(self, reason: str) -> NoReturn:
        raise SourceUnavailableError(source=self.name, reason=reason)


def _hub_headers() -> Mapping[str, str]:
    # Not huggingface_hub's build_hf_headers: in 2.4 it asks the hub for a list of its own first.
    headers = {"User-Agent": "smallhold", "Accept-Encoding": "identity"}
    token = None if HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    return headers if token is None else {**headers, "Authorization": f"Bearer {token}"}


def _strong_etag(response: httpx2.Response) -> str | None:
    # Weak validators do not promise equal bytes. Source: RFC 9110, section 13.1.5.
    etag = response.headers.get("etag")
    return None if etag is None or etag.startswith("W/") else etag


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _in_words(error: Exception) -> str:
    if isinstance(error, httpx2.TimeoutException):
        return "the connection stalled"
    return str(error) or type(error).__name__
