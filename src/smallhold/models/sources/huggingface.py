"""A model on the Hugging Face hub or a mirror of it: this file holds the `HuggingFaceSource`.

Addresses, `HF_ENDPOINT` and the user's token come from the `huggingface_hub` library; the bytes are
fetched here, because that library checks a file's size but not its sha256.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2
from huggingface_hub import get_token, hf_hub_url
from huggingface_hub.constants import HF_HUB_DISABLE_IMPLICIT_TOKEN, is_offline_mode
from huggingface_hub.errors import HFValidationError

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.catalog.source_specs import HuggingFaceSpec
from smallhold.models.sources.addresses import MAX_REDIRECTS, origin
from smallhold.models.sources.asking import IN_CIRCLES, OUR_HEADERS, HttpAsker, redirect_of
from smallhold.models.sources.http_protocol import RemoteFile
from smallhold.models.sources.hub_protocol import HUB_REFUSALS, describe_file, other_commit
from smallhold.models.sources.protocol import Arrival, FetchJob
from smallhold.models.sources.transfer import transfer
from smallhold.models.sources.transfer_settings import TransferSettings

_METHOD_UNSUPPORTED: Final = frozenset({405, 501})


@dataclass(frozen=True, slots=True, kw_only=True)
class HuggingFaceSource:
    """Fetches one file of a repository, resuming after interruptions."""

    spec: HuggingFaceSpec
    endpoint: str | None = None
    """Base address of the hub; by default what huggingface_hub says, thus `HF_ENDPOINT`."""
    settings: TransferSettings = field(default_factory=TransferSettings)

    @property
    def name(self) -> str:
        """Name for messages and progress."""
        return self.spec.name

    @property
    def words(self) -> Mapping[int, str]:
        """What HTTP statuses mean on the hub."""
        return HUB_REFUSALS

    async def fetch(self, job: FetchJob) -> Arrival:
        """Fetch what is missing; the hub announces digest and commit."""
        if is_offline_mode():
            reason = "needs a network, which HF_HUB_OFFLINE rules out"
            raise SourceUnavailableError(source=self.name, reason=reason)
        return await transfer(self, job, settings=self.settings)

    async def describe(self, asker: HttpAsker) -> RemoteFile:
        """Ask the hub what it says of the file, following it when the repository was renamed."""
        url, headers = self._address()
        seen: set[httpx2.URL] = set()
        while url not in seen and len(seen) <= MAX_REDIRECTS:
            seen.add(url)
            response = await asker.client.head(url, headers=headers)
            if response.status_code in _METHOD_UNSUPPORTED:
                return RemoteFile(url=url, headers=headers)
            asker.refuse_error(response)
            remote = describe_file(response.headers, url=url, headers=headers)
            self._require_commit(remote, asker)
            target = redirect_of(response)
            # A repository that was renamed redirects within the hub; the file's own redirect leads
            # to storage whose signed address may not be asked with HEAD.
            if target is None or remote.sha256 or origin(target) != origin(url):
                return remote
            url, headers = asker.follow(url, target, headers=headers)
        return asker.refuse(IN_CIRCLES)

    def _address(self) -> tuple[httpx2.URL, Mapping[str, str]]:
        spec = self.spec
        try:
            url = hf_hub_url(spec.repo, spec.file, revision=spec.revision, endpoint=self.endpoint)
            return httpx2.URL(url), _hub_headers()
        except (HFValidationError, httpx2.InvalidURL) as error:
            raise SourceUnavailableError(source=self.name, reason=str(error)) from error

    def _require_commit(self, remote: RemoteFile, asker: HttpAsker) -> None:
        other = other_commit(self.spec.revision, remote)
        if other is not None:
            asker.refuse(f"answers with commit {other} instead of {self.spec.revision}")


def _hub_headers() -> Mapping[str, str]:
    # Not huggingface_hub's build_hf_headers: in 2.4 it asks the hub for a list of its own first.
    token = None if HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    return OUR_HEADERS if token is None else {**OUR_HEADERS, "Authorization": f"Bearer {token}"}
