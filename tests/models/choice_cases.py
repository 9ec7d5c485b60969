"""Catalogs and machines to choose on: this file holds makers of both for tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from smallhold.models.catalog.catalog import (
    Catalog,
    CatalogModel,
    CatalogVariant,
    Category,
    ModelFormat,
    ModelPurpose,
    UseCase,
)
from smallhold.models.catalog.source_specs import FileSpec
from smallhold.models.choice.quantizations import approximate_bytes
from smallhold.models.fit.shape import ModelShape
from smallhold.models.machine.accelerators import Accelerator, AcceleratorKind
from smallhold.models.machine.hardware import Hardware

BILLION = 1_000_000_000
GB = 1_000_000_000
ALL = ("Q4_K_M", "Q2_K", "Q8_0", "F16")


def shape(parameter_count: int) -> ModelShape:
    """The shape of a model with grouped heads, about as large as real ones of its size."""
    layers = 24 if parameter_count < BILLION else 32
    width = int((parameter_count / (12 * layers)) ** 0.5) // 64 * 64 + 64
    return ModelShape(
        architecture="llama", block_count=layers, embedding_length=width,
        feed_forward_length=3 * width, head_count=width // 64,
        head_count_kv=max(1, width // 256), key_length=64, value_length=64,
        vocabulary_size=32_000,
    )  # fmt: skip


def model(
    alias: str,
    parameter_count: int,
    *,
    variants: Sequence[str] = ALL,
    use_cases: Sequence[UseCase] = (UseCase.GENERAL_CONVERSATION,),
    licence: str = "Apache-2.0",
    context_tokens: int = 32_768,
) -> CatalogModel:
    """A model whose files have about the sizes of real ones."""
    return CatalogModel(
        alias=alias,
        title=alias,
        family="family",
        parameter_count=parameter_count,
        licence=licence,
        context_tokens=context_tokens,
        call_dialect="hermes",
        use_cases=frozenset(use_cases),
        category=Category.ULTRA_LIGHT if parameter_count < BILLION else Category.BALANCED,
        shape=shape(parameter_count),
        variants=tuple(
            CatalogVariant(
                quantization=name,
                size_bytes=approximate_bytes(parameter_count, name),
                sha256="0" * 64,
                sources=(FileSpec(path=f"/models/{alias}-{name}"),),
            )
            for name in variants
        ),
    )


def for_other_runtime(
    one: CatalogModel, weights: ModelFormat, *, purpose: ModelPurpose = ModelPurpose.CHAT
) -> CatalogModel:
    """The model with its files in another format."""
    variants = tuple(replace(variant, format=weights) for variant in one.variants)
    return replace(one, variants=variants, purpose=purpose)


def catalog(*models: CatalogModel, redirects: Mapping[str, str] | None = None) -> Catalog:
    """A catalog of these models in this order."""
    return Catalog(models={one.alias: one for one in models}, redirects=redirects or {})


def machine(*, memory_bytes: int = 16 * GB, cores: int = 8) -> Hardware:
    """A machine without a GPU."""
    return Hardware(
        system="Linux", machine="x86_64", cpu_model="", cpu_flags=frozenset({"avx2"}),
        physical_cores=cores, logical_cores=cores, usable_cores=cores,
        total_memory_bytes=memory_bytes, available_memory_bytes=memory_bytes,
    )  # fmt: skip


def with_gpu(hardware: Hardware, *, free_bytes: int) -> Hardware:
    """The machine with a GPU that its engine computes on."""
    gpu = Accelerator(kind=AcceleratorKind.CUDA, name="a GPU", memory_free_bytes=free_bytes)
    return replace(hardware, accelerators=(gpu,), engine_backends=frozenset({AcceleratorKind.CUDA}))
