"""Which adapter serves which specification: this file holds the `source_opener`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from smallhold.exceptions import ConfigError, SourceUnavailableError
from smallhold.models.catalog.source_specs import (
    FileSpec,
    HttpsSpec,
    HuggingFaceSpec,
    OllamaSpec,
    PypiSpec,
    SourceSpec,
)
from smallhold.models.sources.file import FileSource
from smallhold.models.sources.pacing import Pacer
from smallhold.models.sources.protocol import Arrival, FetchJob, Source, SourceOpener
from smallhold.models.sources.pypi import PypiSource
from smallhold.models.sources.transfer_settings import (
    CONNECTIONS,
    MAX_CONNECTIONS,
    TransferSettings,
)
from smallhold.settings import OFFLINE_VARIABLE, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSource:
    """A source that may not or cannot be used here, and says why when it is its turn."""

    name: str
    reason: str

    async def fetch(self, job: FetchJob) -> Arrival:
        """Refuse.

        Raises:
            SourceUnavailableError: Always.
        """
        del job
        raise SourceUnavailableError(source=self.name, reason=self.reason)


def source_opener(
    settings: Settings,
    *,
    connections: int = CONNECTIONS,
    limit_bytes_s: int | None = None,
) -> SourceOpener:
    """Make the function that opens sources under these settings; offline, only files open.

    Args:
        settings: The process's settings.
        connections: How many pieces of a file to fetch at once, where a server allows.
        limit_bytes_s: Bytes that all sources which the function opens may fetch in a second,
            together; by default that of the settings. Files and wheels know no limit.

    Raises:
        ConfigError: `connections` is not 1 to `MAX_CONNECTIONS`.
    """
    if not 1 <= connections <= MAX_CONNECTIONS:
        remedy = f"choose 1 to {MAX_CONNECTIONS}"
        raise ConfigError(field="connections", value=connections, remedy=remedy)
    rate = settings.pull_rate_bytes_s if limit_bytes_s is None else limit_bytes_s
    transfers = TransferSettings(connections=connections, pacer=Pacer(limit_bytes_s=rate))

    def open_source(spec: SourceSpec) -> Source:
        if isinstance(spec, FileSpec):
            return FileSource(spec=spec)
        if settings.offline:
            reason = f"needs a network, which {OFFLINE_VARIABLE} rules out"
            return RefusedSource(name=spec.name, reason=reason)
        if isinstance(spec, PypiSpec):
            return PypiSource(spec=spec)
        return _open_remote(spec, settings=transfers)

    return open_source


def _open_remote(
    spec: HuggingFaceSpec | HttpsSpec | OllamaSpec, *, settings: TransferSettings
) -> Source:
    # Not on top: the HTTP stack is an extra, and nobody else should pay for loading it.
    # ruff: noqa: PLC0415
    try:
        match spec:
            case HuggingFaceSpec():
                from smallhold.models.sources.huggingface import HuggingFaceSource

                return HuggingFaceSource(spec=spec, settings=settings)
            case HttpsSpec():
                from smallhold.models.sources.https import HttpsSource

                return HttpsSource(spec=spec, settings=settings)
            case OllamaSpec():
                from smallhold.models.sources.ollama import OllamaSource

                return OllamaSource(spec=spec, settings=settings)
            case _:
                assert_never(spec)
    except ModuleNotFoundError as error:
        reason = f"needs the module {error.name!r}: run `pip install 'smallhold[hub]'`"
        return RefusedSource(name=spec.name, reason=reason)
