"""What tools may do: this file holds the policy that each call must pass.

It does not read what anybody wrote, so nobody can talk it round: this is the guardrail that holds
when all others are deceived.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from smallhold.agents.guardrails.checks import ToolCheck
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.exceptions import ConfigError
from smallhold.messages import JsonValue

ArgumentRule: TypeAlias = Callable[[JsonValue], bool]
"""Whether an argument's value is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPolicy:
    """Allows and denies calls by tool, by argument and by number.

    Raises:
        ConfigError: a limit is below 0, or a tool is both allowed and denied.
    """

    allow: Collection[str] | None = None
    """Tools that may run; `None` allows all that are not denied. Prefer it to `deny`: a tool that
    somebody adds later is then not allowed by accident."""
    deny: Collection[str] = ()
    """Tools that may not run."""
    arguments: Mapping[str, Mapping[str, ArgumentRule]] = field(
        default_factory=dict[str, Mapping[str, ArgumentRule]]
    )
    """For a tool, by argument: the rule that its value must meet. An argument with a rule must be
    given: a tool's own default could be anything."""
    max_runs: Mapping[str, int] = field(default_factory=dict[str, int])
    """How often a tool may run while one message is answered."""
    message: str | None = None
    """What the model reads instead of a result; by default that the call is not allowed."""
    name: str = "tool_policy"

    def __post_init__(self) -> None:
        """Check the lists and limits."""
        if isinstance(self.allow, str) or isinstance(self.deny, str):
            raise ConfigError(
                field="allow" if isinstance(self.allow, str) else "deny",
                value=self.allow if isinstance(self.allow, str) else self.deny,
                remedy="give a set of names, not one text",
            )
        both = set(self.allow or ()) & set(self.deny)
        if both:
            raise ConfigError(
                field="deny", value=sorted(both), remedy="allow a tool or deny it, not both"
            )
        for tool, limit in self.max_runs.items():
            if limit < 0:
                raise ConfigError(field=f"max_runs[{tool}]", value=limit, remedy="give at least 0")

    def check_call(self, check: ToolCheck) -> Verdict:
        """Compare a call with the policy."""
        problem = self._problem(check)
        if problem is None:
            return Verdict.ok()
        return Verdict.block(problem, message=self.message)

    def _problem(self, check: ToolCheck) -> str | None:
        tool = check.call.name
        if tool in self.deny or (self.allow is not None and tool not in self.allow):
            return f"{tool} is not allowed"
        for argument, rule in self.arguments.get(tool, {}).items():
            if argument not in check.call.arguments:
                return f"{tool} needs {argument}, which has a rule"
            if rule(check.call.arguments[argument]) is not True:
                return f"the value of {argument} is not allowed for {tool}"
        limit = self.max_runs.get(tool)
        runs = sum(step.ran and step.call.name == tool for step in check.steps)
        if limit is not None and runs >= limit:
            return f"{tool} has run {runs} times, allowed are {limit}"
        return None


def at_most(limit: float) -> ArgumentRule:
    """Make a rule for numbers; what is no number breaks it."""
    return between(float("-inf"), limit)


def between(low: float, high: float) -> ArgumentRule:
    """Make a rule for numbers from `low` to `high`, both allowed; what is no number breaks it."""

    def rule(value: JsonValue) -> bool:
        match value:
            case bool():
                return False
            case int() | float():
                return low <= value <= high
            case _:
                return False

    return rule


def one_of(*allowed: JsonValue) -> ArgumentRule:
    """Make a rule for a closed list of values."""

    def rule(value: JsonValue) -> bool:
        return any(type(value) is type(one) and value == one for one in allowed)

    return rule
