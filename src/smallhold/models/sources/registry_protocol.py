"""What an Ollama registry says: this file holds the pure decisions on its answers.

The protocol is that of container registries with media types of Ollama's own. Source: the OCI
Distribution Specification 1.1, and `server/images.go` and `server/auth.go` of Ollama 0.33.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

MANIFEST_MEDIA_TYPES: Final = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
MODEL_MEDIA_TYPE: Final = "application/vnd.ollama.image.model"
"""The layer that is the GGUF file."""
MANIFEST_MAX_BYTES: Final = 1 << 20
TOKEN_MAX_BYTES: Final = 64 << 10

_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_CHALLENGE: Final = re.compile(r"Bearer\s+(.+)", re.IGNORECASE | re.DOTALL)
_PARAMETER: Final = re.compile(r'([A-Za-z_]+)="([^"\\\x00-\x1f]{0,2048})"')
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,16384}")


class BadRegistryAnswerError(Exception):
    """The registry answers with what is none of its protocol; never leaves the adapter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLayer:
    """The blob of a model's weights."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenChallenge:
    """Where to get a token, and for what."""

    realm: str
    """Address of the service that gives them."""
    parameters: Mapping[str, str]


def read_manifest(data: bytes) -> ModelLayer:
    """Find the weights in a manifest.

    Raises:
        BadRegistryAnswerError: It is no manifest of a model that is one file, or its digest is
            none, which could lead out of the store.
    """
    layers = [layer for layer in _layers(data) if layer.get("mediaType") == MODEL_MEDIA_TYPE]
    if len(layers) != 1:
        msg = f"its manifest has {len(layers)} layers of weights instead of one"
        raise BadRegistryAnswerError(msg)
    digest, size = layers[0].get("digest"), layers[0].get("size")
    match = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if match is None:
        msg = f"its manifest names {digest!r:.100}, which is no sha256 digest"
        raise BadRegistryAnswerError(msg)
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0:
        msg = f"its manifest says that the weights have {size!r:.40} bytes"
        raise BadRegistryAnswerError(msg)
    return ModelLayer(sha256=match[1], size_bytes=size)


def read_challenge(value: str) -> TokenChallenge:
    """Read the header `WWW-Authenticate` of an answer with status 401.

    Raises:
        BadRegistryAnswerError: It does not say where to get a token.
    """
    match = _CHALLENGE.fullmatch(value.strip())
    parameters = dict(_PARAMETER.findall(match[1])) if match else {}
    realm = parameters.pop("realm", "")
    if not realm:
        msg = "it asks for a log-in that it does not explain (HTTP 401)"
        raise BadRegistryAnswerError(msg)
    wanted = {name: text for name, text in parameters.items() if name in {"service", "scope"}}
    return TokenChallenge(realm=realm, parameters=wanted)


def read_token(data: bytes) -> str:
    """Read the token out of the answer of the service that gives them.

    Raises:
        BadRegistryAnswerError: There is none.
    """
    document = _document(data)
    token = document.get("token") or document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        msg = "its token service gave no token"
        raise BadRegistryAnswerError(msg)
    return token


def full_name(model: str) -> str:
    """Name of a model in the registry's paths: models without an owner are in `library`."""
    return model if "/" in model else f"library/{model}"


def _layers(data: bytes) -> list[Mapping[str, Any]]:
    layers = _document(data).get("layers")
    if not isinstance(layers, list):
        msg = "its manifest lists no layers"
        raise BadRegistryAnswerError(msg)
    items = cast("list[object]", layers)
    return [cast("Mapping[str, Any]", layer) for layer in items if isinstance(layer, dict)]


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document: Any = json.loads(data)
    except (ValueError, RecursionError) as error:
        msg = "it answers with what is no JSON"
        raise BadRegistryAnswerError(msg) from error
    if not isinstance(document, dict):
        msg = "it answers with what is no JSON object"
        raise BadRegistryAnswerError(msg)
    return cast("Mapping[str, Any]", document)
