"""A model of a registry that speaks Ollama's protocol: this file holds the `OllamaSource`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import httpx2

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import OllamaSpec
from smallhold.models.sources.addresses import UnsafeAddressError, next_address, require_secure
from smallhold.models.sources.asking import OUR_HEADERS, HttpAsker
from smallhold.models.sources.http_protocol import RemoteFile
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.registry_protocol import (
    MANIFEST_MAX_BYTES,
    MANIFEST_MEDIA_TYPES,
    TOKEN_MAX_BYTES,
    BadRegistryAnswerError,
    full_name,
    read_challenge,
    read_manifest,
    read_token,
)
from smallhold.models.sources.transfer import transfer
from smallhold.models.sources.transfer_settings import TransferSettings

_UNAUTHORIZED: Final = 401
_REFUSALS: Final[Mapping[int, str]] = MappingProxyType({
    _UNAUTHORIZED: "it is not public (HTTP 401); only public models can be fetched without Ollama",
    403: "the registry refuses it (HTTP 403)",
    404: "the registry has no such model or tag (HTTP 404)",
})


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaSource:
    """Fetches the weights of a model; the manifest tells their digest."""

    spec: OllamaSpec
    settings: TransferSettings = field(default_factory=TransferSettings)

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    @property
    def words(self) -> Mapping[int, str]:
        """What HTTP statuses mean at a registry."""
        return _REFUSALS

    async def fetch(self, job: FetchJob) -> Arrival:
        """Fetch what is missing; the manifest announces the digest, and its own is the revision."""
        return await transfer(self, job, settings=self.settings)

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        """Fetch the manifest, with a token where the registry wants one, and find the weights."""
        try:
            return await self._describe(asker)
        except (BadRegistryAnswerError, UnsafeAddressError, httpx2.InvalidURL) as error:
            raise SourceUnavailableError(source=self.name, reason=str(error)) from error

    async def _describe(self, asker: HttpAsker) -> RemoteFile:
        base = httpx2.URL(f"{self.spec.registry.rstrip('/')}/v2/{full_name(self.spec.model)}/")
        require_secure(base)
        url = base.join(f"manifests/{self.spec.tag}")
        headers = OUR_HEADERS
        status, challenge, data = await self._manifest(asker, url, headers)
        if status == _UNAUTHORIZED:
            token = await self._token(asker, url, challenge)
            headers = {**OUR_HEADERS, "Authorization": f"Bearer {token}"}
            status, _, data = await self._manifest(asker, url, headers)
        if status == _UNAUTHORIZED:
            asker.refuse(_REFUSALS[_UNAUTHORIZED])
        layer = read_manifest(data)
        return RemoteFile(
            url=base.join(f"blobs/sha256:{layer.sha256}"),
            headers=headers,
            sha256=layer.sha256,
            version=layer.sha256,
            size_bytes=layer.size_bytes,
            revision=f"sha256:{hashlib.sha256(data).hexdigest()}",
        )

    async def _manifest(
        self, asker: HttpAsker, url: httpx2.URL, headers: Mapping[str, str]
    ) -> tuple[int, str, bytes]:
        wanted = {**headers, "Accept": ", ".join(MANIFEST_MEDIA_TYPES)}
        passing = (_UNAUTHORIZED,)
        async with asker.get(url, wanted, passing=passing) as response:
            data = await asker.read(response, limit_bytes=MANIFEST_MAX_BYTES)
            return response.status_code, response.headers.get("www-authenticate", ""), data

    async def _token(self, asker: HttpAsker, url: httpx2.URL, challenge: str) -> str:
        """Get a token for everybody: nothing of the user's is sent for it."""
        wanted = read_challenge(challenge)
        # The same rules as for a redirect: where the registry sends us, we go no less safely.
        realm, _ = next_address(url, httpx2.URL(wanted.realm), headers=OUR_HEADERS)
        realm = realm.copy_merge_params(wanted.parameters)
        async with asker.get(realm, OUR_HEADERS) as response:
            return read_token(await asker.read(response, limit_bytes=TOKEN_MAX_BYTES))
