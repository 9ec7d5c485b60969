"""From a model to catalog text: this file holds the writer, the inverse of the file format."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from smallhold.models.catalog.catalog import CatalogModel, CatalogVariant, ModelFormat, ModelPurpose
from smallhold.models.catalog.source_records import source_document


def model_document(model: CatalogModel) -> dict[str, Any]:
    """Write a model as a catalog file has it; reading it again gives an equal model.

    Raises:
        ValueError: It has a source that no file can name.
    """
    document: dict[str, Any] = {
        "title": model.title,
        "purpose": model.purpose.value if model.purpose is not ModelPurpose.CHAT else None,
        "family": model.family,
        "parameter_count": model.parameter_count,
        "licence": model.licence,
        "context_tokens": model.context_tokens,
        "call_dialect": model.call_dialect,
        "calibration": model.calibration,
        "category": model.category.value if model.category else None,
        "use_cases": sorted(use.value for use in model.use_cases) or None,
        "chat_template_sha256": model.chat_template_sha256,
        "shape": _shape_document(model),
        "signature": model.signature,
        "variants": [_variant_document(variant) for variant in model.variants],
    }
    return {name: value for name, value in document.items() if value is not None}


def _shape_document(model: CatalogModel) -> dict[str, Any] | None:
    if model.shape is None:
        return None
    sizes = asdict(model.shape)
    # The model says it already.
    del sizes["context_length"]
    # Zero says something here; elsewhere it is what a missing field means.
    kept = {"attention_layers", "feed_forward_length", "vocabulary_size", "block_count"}
    return {
        name: value
        for name, value in sizes.items()
        if value or (name in kept and value is not None)
    }


def _variant_document(variant: CatalogVariant) -> dict[str, Any]:
    document: dict[str, Any] = {
        "quantization": variant.quantization,
        "format": variant.format.value if variant.format is not ModelFormat.GGUF else None,
        "size_bytes": variant.size_bytes,
        "sha256": variant.sha256,
        "sources": [source_document(spec) for spec in variant.sources],
    }
    return {name: value for name, value in document.items() if value is not None}
