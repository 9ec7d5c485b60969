"""What another agent may cost: this file holds the limits."""

from __future__ import annotations

from dataclasses import dataclass

from smallhold.exceptions import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class A2ALimits:
    """How long to wait for another agent, and how much to take from it.

    Raises:
        ConfigError: A limit is not above 0.
    """

    connect_s: float = 10.0
    answer_s: float = 120.0
    """How long an answer may take, as `Config.timeout`."""
    silence_s: float = 60.0
    """How long nothing may come while an answer is streamed."""
    answer_bytes: int = 4 * 1024 * 1024
    """Longest answer, its stream of events as a whole."""

    def __post_init__(self) -> None:
        """Check that every limit leaves something."""
        for name in type(self).__dataclass_fields__:
            if not getattr(self, name) > 0:
                raise ConfigError(field=name, value=getattr(self, name), remedy="give more than 0")


DEFAULT_LIMITS = A2ALimits()
