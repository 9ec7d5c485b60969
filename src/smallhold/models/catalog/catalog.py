"""The models that an alias can name: this file holds the frozen `Catalog`.

Files become catalogs in `smallhold.models.catalog.catalog_file`, a user's own file is laid over the
packaged one in `smallhold.models.catalog.overlays`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from smallhold.exceptions import UnknownModelError, UnknownVariantError, UnsignedModelError
from smallhold.models.catalog.source_specs import SourceSpec
from smallhold.models.fit.shape import ModelShape

_NEAR_MATCHES: Final = 3
"""The most aliases that an error offers instead."""

_NONE: Final[Mapping[str, str]] = MappingProxyType({})


class ModelPurpose(StrEnum):
    """What a model is for."""

    CHAT = "chat"
    """It answers."""
    SENTENCES = "sentences"
    """It turns sentences into vectors: a safetensors file for `SentenceEmbedder`."""


class ModelFormat(StrEnum):
    """How a file lays out its weights, which decides who can run it."""

    GGUF = "gguf"
    """Smallhold's own engine, llama-server and Ollama."""
    SAFETENSORS = "safetensors"
    """vLLM and the sentence embedder."""
    ONNX = "onnx"
    """Foundry Local."""


class UseCase(StrEnum):
    """What a model is good at, in the words in which people look for one."""

    LIGHTWEIGHT_ROUTING = "lightweight-routing"
    """Choosing among few things, fast."""
    GENERAL_CONVERSATION = "general-conversation"
    COMPLEX_REASONING = "complex-reasoning"
    CODE_ASSISTANCE = "code-assistance"


class Category(StrEnum):
    """The shelf that a model stands on; each stands on one."""

    ULTRA_LIGHT = "ultra-light"
    """Under a billion weights."""
    BALANCED = "balanced"
    CODE_SPECIALIST = "code-specialist"
    HIGH_CAPABILITY = "high-capability"
    """From three billion weights, or known for reasoning."""


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
    format: ModelFormat = ModelFormat.GGUF
    use_cases: frozenset[UseCase] = frozenset()
    category: Category | None = None
    shape: ModelShape | None = None
    """The architecture's sizes, as far as the publisher states them; `None`: not known."""
    chat_template_sha256: str | None = None
    """Digest of the chat template in the file, as UTF-8; `None`: not known."""

    @property
    def reference(self) -> str:
        """The one name of this file: alias, colon, quantization in lower case."""
        return reference(self.alias, self.quantization)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogVariant:
    """One file of a model, set apart from the model's others by its quantization."""

    quantization: str
    """Such as `Q4_K_M`; no two variants of a model have the same."""
    format: ModelFormat = ModelFormat.GGUF
    size_bytes: int | None = None
    sha256: str | None = None
    sources: tuple[SourceSpec, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """A model by its alias, with its files."""

    alias: str
    title: str
    family: str
    parameter_count: int
    licence: str
    context_tokens: int
    call_dialect: str
    variants: tuple[CatalogVariant, ...]
    """At least one; the first is meant when only the alias is named."""
    purpose: ModelPurpose = ModelPurpose.CHAT
    calibration: str | None = None
    use_cases: frozenset[UseCase] = frozenset()
    category: Category | None = None
    shape: ModelShape | None = None
    chat_template_sha256: str | None = None
    signature: str | None = None
    """Who vouches for it: key id, colon, base64 of an Ed25519 signature; `None`: nobody."""

    @property
    def entries(self) -> tuple[CatalogEntry, ...]:
        """The model's files, the default one first."""
        return tuple(self.entry(variant) for variant in self.variants)

    @property
    def default(self) -> CatalogEntry:
        """The file that is meant when only the alias is named."""
        return self.entry(self.variants[0])

    def entry(self, variant: CatalogVariant) -> CatalogEntry:
        """One variant together with the model's facts."""
        return CatalogEntry(
            alias=self.alias,
            title=self.title,
            family=self.family,
            parameter_count=self.parameter_count,
            licence=self.licence,
            context_tokens=self.context_tokens,
            quantization=variant.quantization,
            size_bytes=variant.size_bytes,
            sha256=variant.sha256,
            call_dialect=self.call_dialect,
            sources=variant.sources,
            purpose=self.purpose,
            calibration=self.calibration,
            format=variant.format,
            use_cases=self.use_cases,
            category=self.category,
            shape=self.shape,
            chat_template_sha256=self.chat_template_sha256,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Models by alias, in the order of the file, and second names for them.

    Where signatures are required, `models` has only what is signed. The rest is in `unsigned`: it
    can be listed, and whoever asks for one of them by name is told why not.
    """

    models: Mapping[str, CatalogModel]
    redirects: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """From an alias to the reference that it stands for; it comes before a model of that name."""
    unsigned: Mapping[str, CatalogModel] = field(default_factory=lambda: MappingProxyType({}))
    """Models that may not be used."""
    refusals: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Why not, by alias or by the reference of one file."""

    def __iter__(self) -> Iterator[CatalogModel]:
        """Hand out the models in order."""
        return iter(self.models.values())

    def __len__(self) -> int:
        """Count the models."""
        return len(self.models)

    def __contains__(self, alias: object) -> bool:
        """Tell whether there is a model of this alias, under its own name or a second one."""
        return alias in self.models or alias in self.redirects

    @property
    def aliases(self) -> tuple[str, ...]:
        """All aliases in order, those that stand for another one last."""
        return (*self.models, *(alias for alias in self.redirects if alias not in self.models))

    @property
    def entries(self) -> tuple[CatalogEntry, ...]:
        """All files of all models in order."""
        return tuple(entry for model in self for entry in model.entries)

    def model(self, alias: str) -> CatalogModel:
        """Find the model of an alias.

        Raises:
            UnknownModelError: No such alias; the error names the nearest ones.
            UnsignedModelError: Signatures are required, and it has none that counts.
        """
        target, _ = self._target(alias)
        return self._model(target, asked=alias)

    def resolve(self, reference: str) -> CatalogEntry:
        """Find the file of `alias`, the model's default, or of `alias:quantization`.

        A redirect may name a quantization too; the one in `reference` comes first.

        Raises:
            UnknownModelError: No such alias; the error names the nearest ones.
            UnknownVariantError: The model has no such file; the error names those it has.
            UnsignedModelError: Signatures are required, and it has none that counts.
        """
        target, quantization = self._target(reference)
        model = self._model(target, asked=reference)
        if not quantization:
            return model.default
        for variant in model.variants:
            if variant.quantization.lower() == quantization.lower():
                return model.entry(variant)
        self._require_trust(f"{target}:{quantization.lower()}")
        known = [variant.quantization.lower() for variant in model.variants]
        raise UnknownVariantError(alias=model.alias, variant=quantization, known=known)

    def _target(self, reference: str) -> tuple[str, str]:
        alias, quantization = split_reference(reference)
        target, redirected = follow(alias, redirects=self.redirects)[-1]
        return target, quantization or redirected

    def _model(self, alias: str, *, asked: str) -> CatalogModel:
        model = self.models.get(alias)
        if model is not None:
            return model
        self._require_trust(alias)
        near = difflib.get_close_matches(asked.lower(), self.aliases, n=_NEAR_MATCHES)
        raise UnknownModelError(alias=asked, near=near, known=self.aliases)

    def _require_trust(self, reference: str) -> None:
        reason = self.refusals.get(reference)
        if reason is not None:
            raise UnsignedModelError(alias=reference, reason=reason)


def reference(alias: str, quantization: str) -> str:
    """The name of one file of a model."""
    return f"{alias}:{quantization.lower()}"


def split_reference(reference: str) -> tuple[str, str]:
    """Take alias and quantization apart; the second is empty when only the alias is named."""
    alias, _, quantization = reference.partition(":")
    return alias, quantization


def follow(alias: str, *, redirects: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Go from an alias to what it stands for.

    Returns:
        Each step as alias and quantization, the last one being where the way ends: at an alias
        that is no redirect, or at the first one that is met for the second time.
    """
    steps = [(alias, "")]
    met = {alias}
    while (target := redirects.get(steps[-1][0])) is not None:
        name, quantization = split_reference(target)
        # The redirect that comes first knows best what was asked for.
        steps.append((name, steps[-1][1] or quantization))
        if name in met:
            break
        met.add(name)
    return steps
