"""Models as a catalog file writes them: this file holds their pydantic records.

Every field may be left out, since a file that is laid over another one says only what differs;
what a new model must have is checked where a record becomes a `CatalogModel`.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from dataclasses import replace
from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, StringConstraints
from pydantic import field_validator as validates

from smallhold.models.catalog.catalog import (
    CatalogModel,
    CatalogVariant,
    Category,
    ModelFormat,
    ModelPurpose,
    UseCase,
)
from smallhold.models.catalog.source_records import Line, Record, SourceRecord, for_quantization
from smallhold.models.catalog.source_specs import SourceSpec
from smallhold.models.fit.shape import ModelShape

ALIAS_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}$"
"""An alias is also a file name in the store, so nothing in it may mean a folder."""
REFERENCE_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,63}(:[A-Za-z0-9][A-Za-z0-9_]{0,31})?$"
"""An alias, with or without a quantization."""

Alias: TypeAlias = Annotated[str, StringConstraints(pattern=ALIAS_PATTERN)]
Reference: TypeAlias = Annotated[str, StringConstraints(pattern=REFERENCE_PATTERN)]
_Sha256: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_Count: TypeAlias = Annotated[int, Field(gt=0)]
_Size: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 40)]

NEEDED_FIELDS: Final = (
    "title", "family", "parameter_count", "licence", "context_tokens", "call_dialect", "variants",
)  # fmt: skip
"""What a model must have."""


class ModelShapeRecord(Record):
    """The sizes of a model's graph; what follows from others may be left out."""

    architecture: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
    block_count: _Size
    embedding_length: _Size
    feed_forward_length: _Size
    head_count: _Count
    head_count_kv: _Count
    key_length: _Size | None = None
    value_length: _Size | None = None
    vocabulary_size: _Size
    attention_layers: _Size | None = None
    sliding_window: _Size = 0
    recurrent_layers: _Size = 0
    recurrent_elements: _Size = 0
    expert_count: _Size = 0
    experts_used: _Size = 0

    def shape(self, *, context_tokens: int) -> ModelShape:
        """The shape, its heads as wide as the publisher's or as the stream divided among them."""
        key_length = self.key_length or self.embedding_length // self.head_count
        given: dict[str, Any] = self.model_dump()
        given |= {
            "key_length": key_length,
            "value_length": key_length if self.value_length is None else self.value_length,
            "context_length": context_tokens,
        }
        return ModelShape(**given)


class VariantRecord(Record):
    """One file of a model."""

    quantization: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9][A-Z0-9_]{0,31}$")]
    format: Annotated[ModelFormat, Field(strict=False)] = ModelFormat.GGUF
    size_bytes: _Count | None = None
    sha256: _Sha256 | None = None
    sources: Annotated[list[SourceRecord], Field(min_length=1)] | None = None

    def over(
        self, older: CatalogVariant | None, *, shared: tuple[SourceSpec, ...]
    ) -> CatalogVariant | None:
        """The variant, with what is left out from the older one; `None`: it has no source.

        Args:
            older: The variant that it is laid over.
            shared: Sources of the whole model, for variants without their own.
        """
        own = tuple(source.spec() for source in self.sources or ())
        sources = own or shared or (older.sources if older else ())
        if not sources:
            return None
        given = {
            name: getattr(self, name)
            for name in ("format", "size_bytes", "sha256")
            if name in self.model_fields_set
        }
        filled = tuple(for_quantization(spec, quantization=self.quantization) for spec in sources)
        if older is None:
            return CatalogVariant(quantization=self.quantization, sources=filled, **given)
        return replace(older, sources=filled, **given)


class ModelRecord(Record):
    """A model, or what differs from the model of that alias that is known already."""

    title: Line | None = None
    family: Line | None = None
    parameter_count: _Count | None = None
    licence: Line | None = None
    context_tokens: _Count | None = None
    call_dialect: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")] | None = None
    purpose: Annotated[ModelPurpose, Field(strict=False)] = ModelPurpose.CHAT
    calibration: Alias | None = None
    use_cases: list[Annotated[UseCase, Field(strict=False)]] | None = None
    category: Annotated[Category, Field(strict=False)] | None = None
    shape: ModelShapeRecord | None = None
    chat_template_sha256: _Sha256 | None = None
    signature: (
        Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}:[A-Za-z0-9+/]{86}==$")] | None
    ) = None
    sources: Annotated[list[SourceRecord], Field(min_length=1)] | None = None
    variants: Annotated[list[VariantRecord], Field(min_length=1)] | None = None

    @validates("variants")
    @classmethod
    def _has_no_variant_twice(cls, value: list[VariantRecord] | None) -> list[VariantRecord] | None:
        names = [variant.quantization for variant in value or ()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            msg = f"{' and '.join(twice)} is there twice; a quantization names one file"
            raise ValueError(msg)
        return value

    def missing(self) -> str | None:
        """The first needed field that is not there."""
        return next((name for name in NEEDED_FIELDS if getattr(self, name) is None), None)

    def over(self, older: CatalogModel | None, *, alias: str) -> CatalogModel | int:
        """The model, with what is left out from the older one.

        Returns:
            The model, or the number of the variant that has no source.
        """
        variants = self._variants(older)
        if isinstance(variants, int):
            return variants
        given: dict[str, Any] = {
            name: value
            for name in self.model_fields_set - {"variants", "sources", "use_cases", "shape"}
            # Nothing can be taken away that a model must have.
            if (value := getattr(self, name)) is not None or name not in NEEDED_FIELDS
        }
        if self.use_cases is not None:
            given["use_cases"] = frozenset(self.use_cases)
        if self.shape is not None:
            context_tokens = self.context_tokens or (older.context_tokens if older else 0)
            given["shape"] = self.shape.shape(context_tokens=context_tokens)
        if older is None:
            return CatalogModel(alias=alias, variants=variants, **given)
        return replace(older, variants=variants, **given)

    def _variants(self, older: CatalogModel | None) -> tuple[CatalogVariant, ...] | int:
        shared = tuple(source.spec() for source in self.sources or ())
        variants = {item.quantization: item for item in (older.variants if older else ())}
        if shared:
            for name, item in variants.items():
                filled = tuple(for_quantization(spec, quantization=name) for spec in shared)
                variants[name] = replace(item, sources=filled)
        for number, record in enumerate(self.variants or ()):
            name = record.quantization
            merged = record.over(variants.get(name), shared=shared)
            if merged is None:
                return number
            variants[name] = merged
        return tuple(variants.values())
