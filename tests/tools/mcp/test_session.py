"""Promises of `smallhold.tools.mcp.session`: this file holds tests of its names."""

from __future__ import annotations

from mcp_types import (
    CallToolRequest,
    GetPromptRequest,
    ListPromptsRequest,
    ListResourcesRequest,
    ListResourceTemplatesRequest,
    ListToolsRequest,
    ReadResourceRequest,
)

from smallhold.tools.mcp.session import Method


def test_the_methods_are_those_of_the_protocol() -> None:
    kinds = (
        CallToolRequest, GetPromptRequest, ListPromptsRequest, ListResourcesRequest,
        ListResourceTemplatesRequest, ListToolsRequest, ReadResourceRequest,
    )  # fmt: skip
    assert {kind.model_fields["method"].default for kind in kinds} == set(Method)
