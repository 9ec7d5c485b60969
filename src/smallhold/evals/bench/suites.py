"""Which suites there are: this file holds them by name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from smallhold.evals.bench import (
    concurrent,
    overhead,
    residency,
    restart,
    route,
    switch,
    tool_call,
)
from smallhold.evals.bench.report import SuiteReport
from smallhold.evals.bench.setup import BenchSetup
from smallhold.exceptions import ConfigError

Suite: TypeAlias = Callable[[BenchSetup], Awaitable[SuiteReport]]

ALL: Final = "all"
RESIDENCY: Final = residency.NAME
"""Compares with a schedule instead of with peers, on three models: it is run by its name only."""
SUITES: Final[Mapping[str, Suite]] = MappingProxyType({
    tool_call.NAME: tool_call.run_tool_call,
    switch.NAME: switch.run_switch,
    restart.NAME: restart.run_restart,
    concurrent.NAME: concurrent.run_concurrent,
    route.NAME: route.run_route,
    overhead.NAME: overhead.run_overhead,
})


def suites_named(name: str) -> Mapping[str, Suite]:
    """Give the suite of a name, or all of them. Raises `ConfigError` for an unknown name."""
    if name == ALL:
        return SUITES
    if name not in SUITES:
        known = ", ".join((*SUITES, RESIDENCY, ALL))
        raise ConfigError(field="suite", value=name, remedy=f"choose one of {known}")
    return {name: SUITES[name]}
