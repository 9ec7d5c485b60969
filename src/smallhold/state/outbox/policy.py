"""How hard an effect is tried: this file holds the policy of deliveries."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from smallhold.exceptions import ConfigError

LONGEST_PAUSE_LIMIT_S: Final = 86_400.0
"""No policy may wait longer than a day. A due time further ahead is therefore the mark of a clock
that has been set back, and does not hold an effect up."""
SEND_TIMEOUT_LIMIT_S: Final = 900.0
"""No policy may give one attempt longer than this, so that a claim further ahead is void."""
CLAIM_MARGIN_S: Final = 15.0
"""How much longer than its attempt a claim lasts: time to note down what came of it."""
_DOUBLINGS_LIMIT: Final = 64
"""More doublings exceed every pause; the power would not fit a float."""


class OnRejection(StrEnum):
    """What a rejected effect means for those behind it in its session."""

    BLOCK = "block"
    """They wait until a person retries or drops it: they may build on it."""
    SKIP = "skip"
    """They are sent without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How an outbox is emptied."""

    first_pause_s: float = 1.0
    """Upper bound of the pause after a first failure; it doubles with each further one."""
    longest_pause_s: float = 300.0
    """What the pause grows to: a device notices within five minutes that the network is back."""
    send_timeout_s: float = 30.0
    """One attempt is given up after this long, and counts as failed."""
    max_attempts: int | None = None
    """After so many failures an effect counts as rejected. By default it is tried for ever, since a
    device may be without a network for weeks."""
    on_rejection: OnRejection = OnRejection.BLOCK
    parallel_sends: int = 4
    """Effects of different sessions that may be under way at once."""

    def __post_init__(self) -> None:
        """Refuse values that cannot work. Raises `ConfigError`."""
        _check("first_pause_s", self.first_pause_s, limit=LONGEST_PAUSE_LIMIT_S)
        _check("longest_pause_s", self.longest_pause_s, limit=LONGEST_PAUSE_LIMIT_S)
        _check("send_timeout_s", self.send_timeout_s, limit=SEND_TIMEOUT_LIMIT_S)
        for field, value in (
            ("max_attempts", self.max_attempts),
            ("parallel_sends", self.parallel_sends),
        ):
            if value is not None and value < 1:
                raise ConfigError(field=field, value=value, remedy="give at least 1")

    @property
    def claim_s(self) -> float:
        """How long a claim on a session's effects lasts."""
        return self.send_timeout_s + CLAIM_MARGIN_S


def pause_s(policy: DeliveryPolicy, *, attempts: int, chance: float) -> float:
    """Choose how long to wait before the next attempt.

    Args:
        policy: Its bounds.
        attempts: How often it was tried; at least 1.
        chance: An evenly distributed random number from 0 to 1.

    Returns:
        Seconds, evenly distributed below the doubled bound, so that devices which lost the network
        together do not all come back at once.

    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: its "full
    jitter".
    """
    doublings = min(max(attempts - 1, 0), _DOUBLINGS_LIMIT)
    return chance * min(policy.longest_pause_s, policy.first_pause_s * 2.0**doublings)


def _check(field: str, value: float, *, limit: float) -> None:
    if not 0 < value <= limit:
        raise ConfigError(field=field, value=value, remedy=f"give seconds above 0, up to {limit:g}")
