"""What a model of Ollama consists of: this file holds the reader of its manifests.

A manifest is a small JSON file in the form of OCI images. Of its layers we want one: the weights.
"""

# No `from __future__ import annotations`: pydantic reads these annotations at run time.

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

MANIFEST_MAX_BYTES: Final = 256 << 10
"""A larger manifest is not read; real ones have about 1 kB."""

WEIGHTS_MEDIA_TYPE: Final = "application/vnd.ollama.image.model"

_CONFIG: Final = ConfigDict(extra="ignore", frozen=True, strict=True, defer_build=True)
_MAX_LAYERS: Final = 4096


class _Layer(BaseModel):
    model_config = _CONFIG

    media_type: Annotated[str, Field(alias="mediaType")]
    digest: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]


class _Manifest(BaseModel):
    model_config = _CONFIG

    layers: Annotated[list[_Layer], Field(max_length=_MAX_LAYERS)]


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsLayer:
    """The weights that a manifest names."""

    sha256: str
    size_bytes: int


def weights_layer(manifest: bytes) -> WeightsLayer | None:
    """Find the one file with the weights; `None` when there is none, several, or no manifest."""
    if len(manifest) > MANIFEST_MAX_BYTES:
        return None
    try:
        layers = _Manifest.model_validate_json(manifest).layers
    except ValidationError:
        return None
    weights = [layer for layer in layers if layer.media_type == WEIGHTS_MEDIA_TYPE]
    if len(weights) != 1:
        return None
    return WeightsLayer(
        sha256=weights[0].digest.removeprefix("sha256:"), size_bytes=weights[0].size
    )
