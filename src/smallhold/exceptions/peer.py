"""Errors of tool servers and other agents, programs of their own: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.root import SmallholdError


class PeerError(SmallholdError):
    """A tool server or another agent must be mended, or asked again later."""


class PeerUnavailableError(PeerError):
    """A peer cannot be started or reached. What was asked has not been done."""

    def __init__(self, *, peer: str, problem: str, stderr_tail: str = "") -> None:
        self.peer = peer
        self.problem = problem
        self.stderr_tail = stderr_tail
        """The end of what its process wrote to stderr: foreign text, never shown to a model."""
        super().__init__(
            f"{peer!r} is not available: {problem}. "
            "Check its command or address, and that it runs by itself."
        )


class PeerTimeoutError(PeerError):
    """A peer did not answer in time. What was asked may have been done."""

    def __init__(self, *, peer: str, action: str, limit_s: float) -> None:
        self.peer = peer
        self.action = action
        self.limit_s = limit_s
        super().__init__(
            f"{peer!r} did not answer {action} within {limit_s:g} s; it may have been done. "
            "Raise the limit, or find out why it takes so long."
        )


class PeerFaultError(PeerError):
    """A peer sent something that its protocol, its own schema or a limit rules out."""

    def __init__(self, *, peer: str, problem: str) -> None:
        self.peer = peer
        self.problem = problem
        super().__init__(f"{peer!r} broke its contract: {problem}. Report it to its authors.")


class PeerRefusalError(PeerError):
    """A peer answered that it cannot or will not do what was asked."""

    def __init__(self, *, peer: str, reason: str) -> None:
        self.peer = peer
        self.reason = reason
        """The peer's own words: foreign text."""
        super().__init__(f"{peer!r} answered: {reason}")


class PeerChangedError(PeerError):
    """A peer has changed what it offers since it was shown to a model; the call was not made."""

    def __init__(self, *, peer: str, offer: str, change: str) -> None:
        self.peer = peer
        self.offer = offer
        self.change = change
        super().__init__(
            f"{peer!r} has changed {offer!r}: {change}. Look at the changes and apply them."
        )


class UnknownOutcomeError(PeerError):
    """The connection ended after a call was sent: it may have been done, or not."""

    def __init__(self, *, peer: str, action: str, problem: str) -> None:
        self.peer = peer
        self.action = action
        self.problem = problem
        super().__init__(
            f"It is not known whether {peer!r} has done {action}: {problem}. "
            "It was not repeated; look up what happened before asking again."
        )
