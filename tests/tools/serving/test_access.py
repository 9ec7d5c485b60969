"""Promises of `smallhold.tools.serving.access`: this file holds tests of who may use a server."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.tools.serving.access import Access, Verdict, is_any_address, is_loopback, judge

SHARED_WORD = "a-token-of-many-characters"
SHORT_WORD = "hunter2"
EVERYWHERE = str(IPv4Address(0))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST.", "a.localhost", "::1", "[::1]"]
)
def test_this_machine_is_known_by_its_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "10.0.0.1", "localhost.evil.example", EVERYWHERE, "::"])
def test_other_machines_are_not_taken_for_this_one(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.5", "shop.example"])
def test_a_public_address_without_a_token_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="set a token"):
        Access(host=host)


def test_a_public_address_with_a_token_is_allowed() -> None:
    assert Access(host=EVERYWHERE, token=SHARED_WORD).known_names >= {"localhost", "127.0.0.1"}


def test_a_short_token_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        Access(token=SHORT_WORD)
    assert SHORT_WORD not in str(caught.value)


def test_a_token_is_not_shown() -> None:
    assert SHARED_WORD not in repr(Access(token=SHARED_WORD))


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "LOCALHOST:1"])
def test_a_client_of_this_machine_may_pass(host: str) -> None:
    assert judge(Access(), host=host, origin=None, authorization=None) is Verdict.ALLOWED


@pytest.mark.parametrize(
    "host", [None, "", "evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.x"]
)
def test_a_name_that_was_pointed_here_is_turned_away(host: str | None) -> None:
    assert judge(Access(), host=host, origin=None, authorization=None) is Verdict.WRONG_HOST


def test_a_name_that_was_given_may_pass() -> None:
    access = Access(host="10.0.0.5", token=SHARED_WORD, host_names=("desk.example",))
    for host in ("desk.example:8000", "10.0.0.5"):
        verdict = judge(access, host=host, origin=None, authorization=f"Bearer {SHARED_WORD}")
        assert verdict is Verdict.ALLOWED


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://[", "file://localhost"])
def test_a_page_of_another_site_is_turned_away(origin: str) -> None:
    verdict = judge(Access(), host="localhost", origin=origin, authorization=None)
    assert verdict is Verdict.WRONG_ORIGIN


@pytest.mark.parametrize("origin", ["http://localhost:3000", "https://desk.example"])
def test_a_page_of_this_machine_or_of_a_given_site_may_pass(origin: str) -> None:
    access = Access(origins=("https://desk.example",))
    verdict = judge(access, host="localhost", origin=origin, authorization=None)
    assert verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    "given_", [None, "", "Bearer", "Bearer wrong", f"Basic {SHARED_WORD}", SHARED_WORD]
)
def test_a_request_without_the_token_is_turned_away(given_: str | None) -> None:
    verdict = judge(Access(token=SHARED_WORD), host="localhost", origin=None, authorization=given_)
    assert verdict is Verdict.UNAUTHENTICATED


def test_listening_everywhere_is_told_from_listening_on_one_address() -> None:
    assert is_any_address(EVERYWHERE)
    assert is_any_address("::")
    assert not is_any_address("127.0.0.1")
    assert not is_any_address("desk.example")


@given(host=st.text(), origin=st.none() | st.text(), authorization=st.none() | st.text())
def test_no_headers_let_a_stranger_in(
    host: str, origin: str | None, authorization: str | None
) -> None:
    access = Access(token=SHARED_WORD)
    verdict = judge(access, host=host, origin=origin, authorization=authorization)
    assert verdict is not Verdict.ALLOWED or SHARED_WORD in (authorization or "")
