"""Which adapter serves which specification: this file holds the `source_opener`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from smallhold.exceptions import SourceUnavailableError
from smallhold.models.source_specs import FileSpec, HuggingFaceSpec, PypiSpec, SourceSpec
from smallhold.models.sources.file import FileSource
from smallhold.models.sources.protocol import FetchJob, Source, SourceOpener
from smallhold.models.sources.pypi import PypiSource
from smallhold.settings import OFFLINE_VARIABLE, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedSource:
    """A source that may not or cannot be used here, and says why when it is its turn."""

    name: str
    reason: str

    async def fetch(self, job: FetchJob) -> str | None:
        """Refuse.

        Raises:
            SourceUnavailableError: Always.
        """
        del job
        raise SourceUnavailableError(source=self.name, reason=self.reason)


def source_opener(settings: Settings) -> SourceOpener:
    """Make the function that opens sources under these settings; offline, only files open."""

    def open_source(spec: SourceSpec) -> Source:
        if isinstance(spec, FileSpec):
            return FileSource(spec=spec)
        if settings.offline:
            reason = f"needs a network, which {OFFLINE_VARIABLE} rules out"
            return RefusedSource(name=spec.name, reason=reason)
        if isinstance(spec, PypiSpec):
            return PypiSource(spec=spec)
        if isinstance(spec, HuggingFaceSpec):  # pyright: ignore[reportUnnecessaryIsInstance] - closed by assert_never
            return _open_hub(spec)
        assert_never(spec)

    return open_source


def _open_hub(spec: HuggingFaceSpec) -> Source:
    try:
        # Not on top: the HTTP stack is an extra, and nobody else should pay for loading it.
        from smallhold.models.sources.huggingface import HuggingFaceSource  # noqa: PLC0415
    except ModuleNotFoundError as error:
        reason = f"needs the module {error.name!r}: run `pip install 'smallhold[hub]'`"
        return RefusedSource(name=spec.name, reason=reason)
    return HuggingFaceSource(spec=spec)
