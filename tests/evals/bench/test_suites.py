"""Promises of `smallhold.evals.bench.suites`: this file holds tests of their names."""

from __future__ import annotations

import pytest

from smallhold.evals.bench.suites import ALL, SUITES, suites_named
from smallhold.exceptions import ConfigError


def test_there_are_six_suites() -> None:
    names = ["tool-call", "switch", "restart", "concurrent", "route", "overhead"]
    assert list(SUITES) == names


def test_a_name_gives_one_suite_and_all_gives_every_one() -> None:
    assert list(suites_named("route")) == ["route"]
    assert suites_named(ALL) == SUITES


def test_an_unknown_suite_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigError, match="tool-call"):
        suites_named("speed")
