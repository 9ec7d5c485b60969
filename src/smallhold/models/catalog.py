"""The models that an alias can name: this file holds the frozen `Catalog`.

Files become catalogs in `smallhold.models.catalog_file`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smallhold.exceptions import UnknownModelError
from smallhold.models.source_specs import SourceSpec

_NEAR_MATCHES: Final = 3
"""The most aliases that an error offers instead."""


class ModelPurpose(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    """It answers: a GGUF file for the engine."""
    SENTENCES = "sentences"
    """It turns sentences into vectors: a safetensors file for `SentenceEmbedder`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogEntry:
    """One model file: what it is, how to recognise it, where to get it."""

    alias: str
    """Short name that users type: lower-case letters, digits, `.`, `_` and `-`."""
    title: str
    family: str
    """Model family such as `qwen2.5`; entries of a family share a tokenizer and a prompt style."""
    parameter_count: int
    licence: str
    """SPDX identifier, or `LicenseRef-...` for a licence that SPDX does not list."""
    context_tokens: int
    """The context window that the model was trained for."""
    quantization: str
    """Name of the file's quantization in GGUF terms, such as `Q4_K_M`."""
    size_bytes: int | None
    """Exact size of the file; `None` where it is not known beforehand."""
    sha256: str | None
    """64 lower-case hexadecimal digits; `None` means unverified: learnt on arrival."""
    call_dialect: str
    """Key of the dialect in which the model writes tool calls, such as `hermes`."""
    sources: tuple[SourceSpec, ...]
    """Places to fetch the file from, tried in this order."""
    purpose: ModelPurpose = ModelPurpose.CHAT
    calibration: str | None = None
    """Name of what was learnt about its decisions, see `packaged_calibration`; `None`: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Models by alias, in the order of the file."""

    entries: Mapping[str, CatalogEntry]

    def __iter__(self) -> Iterator[CatalogEntry]:
        """Hand out the entries in order."""
        return iter(self.entries.values())

    def __len__(self) -> int:
        """Count the entries."""
        return len(self.entries)

    def __contains__(self, alias: object) -> bool:
        """Tell whether the alias is known."""
        return alias in self.entries

    @property
    def aliases(self) -> tuple[str, ...]:
        """All aliases in order."""
        return tuple(self.entries)

    def resolve(self, alias: str) -> CatalogEntry:
        """Find the entry of an alias.

        Raises:
            UnknownModelError: No such alias; the error names the nearest ones.
        """
        entry = self.entries.get(alias)
        if entry is None:
            near = difflib.get_close_matches(alias.lower(), self.entries, n=_NEAR_MATCHES)
            raise UnknownModelError(alias=alias, near=near, known=self.aliases)
        return entry
