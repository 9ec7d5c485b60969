"""From a GGUF file that no catalog knows to a model of the catalog: this file holds that reading.

What a header says is what its maker wrote into it. It is checked for form here, not for truth.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final

from smallhold.models.catalog.catalog import CatalogModel, CatalogVariant
from smallhold.models.catalog.source_specs import SourceSpec
from smallhold.models.fit.shape import ModelShape
from smallhold.models.gguf.header import GGUFHeader

DEFAULT_DIALECT: Final = "hermes"
"""How calls are asked for where nobody has said otherwise, as for any file outside the catalog."""

UNKNOWN_LICENCE: Final = "LicenseRef-unknown"

_MAX_CHARS: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
_LICENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
_ARCHITECTURE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_QUANTIZATION: Final = re.compile(r"[A-Z0-9][A-Z0-9_]{0,31}")
_SPDX: Final = {
    name.lower(): name
    for name in ("Apache-2.0", "MIT", "BSD-3-Clause", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0")
}


def unlisted_model(
    header: GGUFHeader,
    *,
    alias: str,
    source: SourceSpec,
    sha256: str,
    named_quantization: str | None = None,
) -> CatalogModel:
    """Describe a file as a model with one variant.

    Args:
        header: Of the file.
        alias: What the user calls it.
        source: Where it can be had again.
        sha256: Of the file.
        named_quantization: What its name says, for headers that do not.
    """
    quantization = header.file_type or named_quantization or "F16"
    template = header.chat_template
    return CatalogModel(
        alias=alias,
        title=_line(header.name) or alias,
        family=_line(header.architecture) or "unknown",
        parameter_count=max(1, header.parameter_count),
        licence=_licence(header),
        context_tokens=max(1, header.context_length or 1),
        call_dialect=DEFAULT_DIALECT,
        shape=_shape(header),
        chat_template_sha256=None
        if template is None
        else hashlib.sha256(template.encode("utf-8", "surrogatepass")).hexdigest(),
        variants=(
            CatalogVariant(
                quantization=quantization if _QUANTIZATION.fullmatch(quantization) else "F16",
                size_bytes=header.file_bytes,
                sha256=sha256,
                sources=(source,),
            ),
        ),
    )


def _shape(header: GGUFHeader) -> ModelShape | None:
    shape = ModelShape.of(header)
    is_whole = shape.head_count > 0 and shape.head_count_kv > 0 and shape.context_length > 0
    return shape if is_whole and _ARCHITECTURE.fullmatch(shape.architecture) else None


def _licence(header: GGUFHeader) -> str:
    value = header.metadata.get("general.license")
    if not isinstance(value, str) or not _LICENCE.fullmatch(value):
        return UNKNOWN_LICENCE
    # The hub's own words for licences are SPDX's in lower case; others have no SPDX name.
    return _SPDX.get(value.lower(), f"LicenseRef-{value}")


def _line(text: str | None) -> str:
    return _CONTROL.sub(" ", text or "").strip()[:_MAX_CHARS]
