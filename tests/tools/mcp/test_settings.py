"""Promises of `smallhold.tools.mcp.settings`: this file holds tests of its limits."""

from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError
from smallhold.tools.mcp.settings import MCPLimits, MCPOptions


def test_a_limit_that_leaves_nothing_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="call_s"):
        MCPLimits(call_s=0)
    with pytest.raises(ConfigError, match="message_bytes"):
        MCPLimits(message_bytes=-1)


def test_a_server_is_remembered_unless_it_is_said_otherwise() -> None:
    assert MCPOptions().is_remembered
