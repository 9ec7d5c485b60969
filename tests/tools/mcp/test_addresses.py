"""Promises of `smallhold.tools.mcp.addresses`: this file holds tests of where servers may be."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.exceptions import ConfigError
from smallhold.tools.mcp.addresses import (
    ProcessAddress,
    ServerAddress,
    WebAddress,
    check_address,
    default_name,
    identity_of,
    remote_host,
)

LOCAL = WebAddress(url="http://127.0.0.1:8000/mcp")
REMOTE = WebAddress(url="https://mcp.example/mcp")
PROCESS = ProcessAddress(command="python", arguments=("-u", "shop_server.py"))


@pytest.mark.parametrize("address", [LOCAL, PROCESS, WebAddress(url="http://localhost/mcp")])
def test_this_machine_may_be_used_offline(address: ServerAddress) -> None:
    check_address(address, offline=True)
    assert remote_host(address) is None


def test_another_machine_is_refused_offline_with_what_to_do() -> None:
    with pytest.raises(ConfigError, match="offline_mode=False"):
        check_address(REMOTE, offline=True)
    check_address(REMOTE, offline=False)
    assert remote_host(REMOTE) == "mcp.example"


@pytest.mark.parametrize("url", ["", "mcp.example", "ftp://a/b", "http://", "http://a:b/", "//a"])
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_address(WebAddress(url=url), offline=False)


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError, match="headers") as caught:
        check_address(WebAddress(url="http://bo:secret@localhost/"), offline=False)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("command", ["", "  ", "a\0b"])
def test_a_command_that_cannot_be_started_is_refused(command: str) -> None:
    with pytest.raises(ConfigError):
        check_address(ProcessAddress(command=command), offline=True)


def test_secrets_are_not_shown() -> None:
    address = ProcessAddress(command="a", environment={"KEY": "secret"})
    assert "secret" not in repr(address) + repr(WebAddress(url="x", headers={"a": "secret"}))


def test_a_server_is_named_after_its_script_or_host() -> None:
    assert default_name(PROCESS) == "shop_server"
    assert default_name(ProcessAddress(command="/usr/bin/shop")) == "shop"
    assert default_name(LOCAL) == "127.0.0.1:8000"


def test_the_identity_stays_while_secrets_change_and_changes_with_the_server() -> None:
    one = WebAddress(url=LOCAL.url, headers={"authorization": "old"})
    other = WebAddress(url=LOCAL.url, headers={"authorization": "new"})
    assert identity_of(one, name="a") == identity_of(other, name="a")
    identities = {
        identity_of(address, name=name)
        for name in ("a", "b")
        for address in (LOCAL, REMOTE, PROCESS, ProcessAddress(command="python", folder=Path("/")))
    }
    assert len(identities) == 8
