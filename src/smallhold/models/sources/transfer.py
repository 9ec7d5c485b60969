"""Fetching one file over HTTP: this file holds the `transfer`, which goes on after failures.

What kind of server it is, the caller's `Origin` knows: how to find the file there. All else is the
same for all: resuming, ranges, stalls, pauses after failures, the limit on the rate.
"""

from __future__ import annotations

from typing import Final

import httpx2
from anyio import to_thread

from smallhold.models.pulling.partial_file import PartialNotes
from smallhold.models.sources.asking import HttpAsker
from smallhold.models.sources.attempt import Attempt, Origin
from smallhold.models.sources.backoff import Backoff
from smallhold.models.sources.http_protocol import (
    BadAnswerError,
    FileChangedError,
    RangeRefusedError,
)
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.transfer_settings import TransferSettings

CONNECT_S: Final = 10.0
"""Source: `HF_HUB_ETAG_TIMEOUT` of huggingface_hub 2.4, its limit for the same step."""


async def transfer(origin: Origin, job: FetchJob, *, settings: TransferSettings) -> Arrival:
    """Bring a partial file to its full length, going on from what is there.

    Raises:
        SourceUnavailableError: The server cannot deliver; what arrived stays.
        StoreFullError: The disk has no room for the rest.
    """
    backoff = Backoff(source=origin.name, pause_s=settings.backoff_s)
    backoff.began_at(await _arrived_bytes(job))
    uses_ranges, changes = True, 0
    timeout = httpx2.Timeout(settings.stall_s, connect=min(CONNECT_S, settings.stall_s))
    async with httpx2.AsyncClient(timeout=timeout, follow_redirects=False) as client:
        asker = HttpAsker(client=client, source=origin.name, words=origin.words)
        while True:
            epoch = backoff.epoch
            attempt = Attempt(
                origin=origin,
                job=job,
                asker=asker,
                settings=settings,
                backoff=backoff,
                uses_ranges=uses_ranges,
            )
            try:
                return await attempt.run()
            except (httpx2.TransportError, BadAnswerError) as error:
                arrived_bytes = await _arrived_bytes(job)
                if isinstance(error, RangeRefusedError):
                    changes += isinstance(error, FileChangedError)
                    # Servers that share an address may each have a tag of their own for one file.
                    uses_ranges = isinstance(error, FileChangedError) and changes == 1
                    await to_thread.run_sync(job.partial.restart, PartialNotes(source=origin.name))
                await backoff.rest(error, arrived_bytes=arrived_bytes, epoch=epoch)


async def _arrived_bytes(job: FetchJob) -> int:
    return await to_thread.run_sync(lambda: job.partial.size_bytes)
