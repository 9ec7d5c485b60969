"""Promises of `smallhold.models.sources.registry_protocol`: this file holds tests of answers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.sources.registry_protocol import (
    MODEL_MEDIA_TYPE,
    BadRegistryAnswerError,
    ModelLayer,
    full_name,
    read_challenge,
    read_manifest,
    read_token,
)

SHA256 = "ab" * 32


def manifest(*layers: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "layers": layers}).encode()


def layer(**changes: object) -> dict[str, object]:
    return {"mediaType": MODEL_MEDIA_TYPE, "digest": f"sha256:{SHA256}", "size": 5, **changes}


def test_the_weights_are_found_among_the_layers() -> None:
    other = {"mediaType": "application/vnd.ollama.image.template", "digest": "x", "size": 1}
    assert read_manifest(manifest(other, layer())) == ModelLayer(sha256=SHA256, size_bytes=5)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b"{}", b'{"layers": {}}', manifest(), manifest(layer(), layer()), manifest(3),
        manifest(layer(size=0)), manifest(layer(size=True)), manifest(layer(size="5")),
        manifest(layer(digest=SHA256)), manifest(layer(digest=None)), b"[" * 100_000,
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_what_is_no_manifest_of_one_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadRegistryAnswerError):
        read_manifest(data)


@given(st.binary(max_size=200) | st.text().map(lambda text: manifest(layer(digest=text))))
def test_any_manifest_is_a_sound_digest_or_refused(data: bytes) -> None:
    try:
        found = read_manifest(data)
    except BadRegistryAnswerError:
        return
    assert len(found.sha256) == 64
    assert set(found.sha256) <= set("0123456789abcdef")


def test_a_challenge_says_where_to_get_a_token_and_for_what() -> None:
    challenge = read_challenge(
        'Bearer realm="https://auth.example.org/token",service="r",scope="repository:a/b:pull",x="y"'
    )
    assert challenge.realm == "https://auth.example.org/token"
    assert challenge.parameters == {"service": "r", "scope": "repository:a/b:pull"}


@pytest.mark.parametrize("value", ["", "Basic realm=x", "Bearer", 'Bearer scope="x"'])
def test_a_challenge_without_an_address_is_refused(value: str) -> None:
    with pytest.raises(BadRegistryAnswerError):
        read_challenge(value)


@pytest.mark.parametrize("data", [b'{"token": "abc.def"}', b'{"access_token": "abc.def"}'])
def test_a_token_has_two_names(data: bytes) -> None:
    assert read_token(data) == "abc.def"


@pytest.mark.parametrize(
    "data", [b"{}", b'{"token": "a\\r\\nHost: x"}', b'{"token": 5}', b"<html>"]
)
def test_what_is_no_token_is_refused(data: bytes) -> None:
    with pytest.raises(BadRegistryAnswerError):
        read_token(data)


def test_a_model_without_an_owner_is_in_the_library() -> None:
    assert full_name("llama3.2") == "library/llama3.2"
    assert full_name("someone/llama3.2") == "someone/llama3.2"
