"""Promises of `smallhold.cli.options`: this file holds tests of shared options."""

from __future__ import annotations

from typing import get_args

from smallhold.agents.config import DEFAULT_MODEL
from smallhold.agents.planning import ToolChoice
from smallhold.cli.options import SHOWN_DEFAULT_MODEL, ToolChoiceWord


def test_the_default_model_that_help_names_is_the_agents_own() -> None:
    assert SHOWN_DEFAULT_MODEL == DEFAULT_MODEL


def test_the_command_line_offers_the_planner_s_tool_choices() -> None:
    assert get_args(ToolChoiceWord) == get_args(ToolChoice)
