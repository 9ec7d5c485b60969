"""Promises of `smallhold.models.sources.addresses`: this file holds tests of redirects' rules."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.models.sources.addresses import (
    UnsafeAddressError,
    is_nearby,
    next_address,
    origin,
    require_secure,
)

HUB = "https://hub.example.org/x"


def follow(url: str, target: str, **headers: str) -> dict[str, str]:
    _, kept = next_address(httpx2.URL(url), httpx2.URL(target), headers=headers)
    return dict(kept)


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example.org/x",
        "https://sub.hub.example.org/x",
        "https://hub.example.org:8443/x",
    ],
)
@given(st.sampled_from(["authorization", "Authorization", "COOKIE", "Proxy-Authorization"]))
def test_no_credential_follows_to_another_origin(target: str, name: str) -> None:
    assert follow(HUB, target, **{name: "secret", "accept": "x"}) == {"accept": "x"}


def test_within_one_origin_credentials_stay() -> None:
    assert follow(HUB, "https://hub.example.org/y", authorization="s") == {"authorization": "s"}


@pytest.mark.parametrize(
    "target",
    [
        "http://hub.example.org/x",
        "http://127.0.0.1/x",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://[::1]/x",
        "file:///etc/passwd",
        "ftp://hub.example.org/x",
        "https://user:secret@hub.example.org/x",
        "https://user@elsewhere.example.org/x",
    ],
)
def test_an_unsafe_redirect_is_refused_without_repeating_secrets(target: str) -> None:
    with pytest.raises(UnsafeAddressError, match="unsafe address") as caught:
        follow(HUB, target)
    assert "secret" not in str(caught.value)


def test_a_server_on_this_machine_may_redirect_to_another_one_here() -> None:
    assert follow("http://127.0.0.1:1/x", "http://127.0.0.1:2/x", cookie="s") == {}


@pytest.mark.parametrize("url", ["https://example.org/x", "http://127.0.0.1:8/x", "http://[::1]/"])
def test_https_is_asked_and_plain_http_on_this_machine(url: str) -> None:
    require_secure(httpx2.URL(url))


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "ftp://127.0.0.1/x", "https://a:b@example.org/x", "x"]
)
def test_anything_else_is_not_asked(url: str) -> None:
    with pytest.raises(UnsafeAddressError):
        require_secure(httpx2.URL(url))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "192.168.0.9", "[fd00::1]"]
)
def test_an_address_of_this_machine_or_building_is_nearby(host: str) -> None:
    assert is_nearby(httpx2.URL(f"https://{host}/x"))


@pytest.mark.parametrize("host", ["example.org", "8.8.8.8", "nas.local", "[2606:4700::1]"])
def test_a_name_or_a_public_address_may_be_far_away(host: str) -> None:
    assert not is_nearby(httpx2.URL(f"https://{host}/x"))


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin(httpx2.URL("https://a:443/x")) == origin(httpx2.URL("https://a/y"))
    assert origin(httpx2.URL("https://a/x")) != origin(httpx2.URL("http://a/x"))
