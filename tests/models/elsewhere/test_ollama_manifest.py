"""Promises of `smallhold.models.elsewhere.ollama_manifest`: this file holds tests of its reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.models.elsewhere.ollama_manifest import (
    MANIFEST_MAX_BYTES,
    WEIGHTS_MEDIA_TYPE,
    WeightsLayer,
    weights_layer,
)
from smallhold.models.store.layout import is_digest

DIGEST = "a" * 64


def layer(**changes: object) -> dict[str, Any]:
    return {
        "mediaType": WEIGHTS_MEDIA_TYPE, "digest": f"sha256:{DIGEST}", "size": 7
    } | changes  # fmt: skip


def manifest(*layers: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "layers": layers}).encode()


def test_the_weights_are_one_of_the_layers() -> None:
    other = layer(mediaType="application/vnd.ollama.image.license", digest=f"sha256:{'b' * 64}")
    assert weights_layer(manifest(other, layer())) == WeightsLayer(sha256=DIGEST, size_bytes=7)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        manifest(),
        manifest(layer(), layer()),
        manifest(layer(digest="sha256:short")),
        manifest(layer(digest="sha256:../../../etc/passwd")),
        manifest(layer(digest=f"sha256:{DIGEST}\n")),
        manifest(layer(digest=f"md5:{DIGEST}")),
        manifest(layer(digest=f"sha256:{'A' * 64}")),
        manifest(layer(size=-1)),
        manifest(layer(size="7")),
        manifest(layer(size=1e999)),
        manifest("layer"),
        b"[" * 100_000,
        manifest(layer()) + b" " * MANIFEST_MAX_BYTES,
    ],
)
def test_what_is_no_sound_manifest_has_no_weights(text: bytes) -> None:
    assert weights_layer(text) is None


@given(st.binary() | st.recursive(st.text() | st.none(), st.lists).map(json.dumps).map(str.encode))
@example(b'{"layers": {}}')
def test_no_text_whatever_breaks_the_reader(text: bytes) -> None:
    found = weights_layer(text)
    assert found is None or is_digest(found.sha256)
