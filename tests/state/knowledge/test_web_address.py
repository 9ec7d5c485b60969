from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentFetchError
from smallhold.state.knowledge.web_address import (
    is_public,
    is_web_address,
    redirected,
    web_address,
)


def test_an_address_is_told_from_a_path() -> None:
    assert is_web_address("HTTPS://x.test")
    assert not is_web_address("/http://x")
    assert not is_web_address("manual.pdf")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("http://X.test", "http://x.test/"),
        ("https://x.test:443/a?b=c#d", "https://x.test/a?b=c"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://bücher.test/", "http://xn--bcher-kva.test/"),
    ],
)
def test_an_address_has_one_form(written: str, url: str) -> None:
    assert web_address(written).url == url


@pytest.mark.parametrize(
    "url", ["http://", "ftp://x.test", "http://x.test:99999/", "http://a:b@x.test/", "http://["]
)
def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(DocumentFetchError):
        web_address(url)


def test_a_password_is_not_shown_in_the_error() -> None:
    with pytest.raises(DocumentFetchError) as caught:
        web_address("http://ann:hunter2@x.test/")
    assert "hunter2" not in str(caught.value)


def test_a_redirect_is_followed_but_never_out_of_encryption() -> None:
    start = web_address("https://x.test/a/b")
    assert redirected(start, "../c").url == "https://x.test/c"
    assert redirected(web_address("http://x.test/"), "https://y.test/").host == "y.test"
    with pytest.raises(DocumentFetchError, match="https to http"):
        redirected(start, "http://x.test/")


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "224.0.0.1",
        "::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:10.0.0.1",
    ],
)
def test_machines_nearby_are_not_public(ip: str) -> None:
    assert not is_public(ip)


def test_the_open_internet_is_public() -> None:
    assert is_public("9.9.9.9")
    assert is_public("2620:fe::fe")


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    with suppress(DocumentFetchError):
        found = web_address(f"http://{text}")
        assert web_address(found.url) == found
