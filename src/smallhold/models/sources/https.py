"""A model behind a plain address: this file holds the `HttpsSource`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import httpx2

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import HttpsSpec
from smallhold.models.sources.addresses import UnsafeAddressError, require_secure
from smallhold.models.sources.asking import OUR_HEADERS, HttpAsker
from smallhold.models.sources.http_protocol import RemoteFile
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.transfer import transfer
from smallhold.models.sources.transfer_settings import TransferSettings

_REFUSALS: Final[Mapping[int, str]] = MappingProxyType({
    401: "the server asks for a password (HTTP 401), which an address cannot carry",
    403: "the server refuses the file (HTTP 403): a signed address may have expired",
    404: "the server has no such file (HTTP 404)",
})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSource:
    """Fetches one file; its entity tag tells whether what arrived earlier still goes with it."""

    spec: HttpsSpec
    settings: TransferSettings = field(default_factory=TransferSettings)

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    @property
    def words(self) -> Mapping[int, str]:
        """What HTTP statuses mean for a plain file."""
        return _REFUSALS

    async def fetch(self, job: FetchJob) -> Arrival:
        """Fetch what is missing; nothing is announced but the size."""
        return await transfer(self, job, settings=self.settings)

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        """Know the address alone: the first answer tells the rest, without a request of its own."""
        del asker
        try:
            url = httpx2.URL(self.spec.url)
            require_secure(url)
        except (httpx2.InvalidURL, UnsafeAddressError) as error:
            raise SourceUnavailableError(source=self.name, reason=str(error)) from error
        return RemoteFile(url=url, headers=OUR_HEADERS)
