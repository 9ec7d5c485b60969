"""Errors of the outbox: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.caller import CallerError


class EffectError(CallerError):
    """An effect in the outbox must be changed or chosen otherwise."""

    def __init__(self, *, effect_id: str, problem: str, remedy: str) -> None:
        self.effect_id = effect_id
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"The effect {effect_id!r} {problem}. {remedy}")


class UnknownEffectError(EffectError):
    """There is no such effect in the outbox."""

    def __init__(self, *, effect_id: str) -> None:
        super().__init__(
            effect_id=effect_id,
            problem="is not in the outbox",
            remedy="`smallhold outbox list` shows those that wait.",
        )


class EffectMismatchError(EffectError):
    """An idempotency key names two different effects."""

    def __init__(self, *, effect_id: str) -> None:
        super().__init__(
            effect_id=effect_id,
            problem="has this idempotency key, and another destination, body or session",
            remedy="Use one key for one effect.",
        )


class EffectSettledError(EffectError):
    """An effect has left the outbox for good."""

    def __init__(self, *, effect_id: str, status: str) -> None:
        self.status = status
        super().__init__(
            effect_id=effect_id,
            problem=f"is {status} already",
            remedy="Put a new one if it is needed again.",
        )


class RejectedEffectError(CallerError):
    """The receiver will never accept an effect; raised by the function that sends.

    Any other exception means that sending may work later.
    """

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"The receiver will not accept this effect: {reason}. Mend the cause and "
            "`smallhold outbox retry` it, or `drop` it."
        )
