"""Errors of sessions and their runs: this file holds them."""

from __future__ import annotations

from smallhold.exceptions.caller import CallerError
from smallhold.exceptions.run import RunError
from smallhold.exceptions.state import StateError


class UnknownSessionError(CallerError):
    """There is no such session."""

    def __init__(self, *, session: str) -> None:
        self.session = session
        super().__init__(
            f"There is no session {session!r}. `smallhold sessions list` shows those there are."
        )


class UnknownRunError(CallerError):
    """There is no such run."""

    def __init__(self, *, run: str) -> None:
        self.run = run
        super().__init__(
            f"There is no run {run!r}. `smallhold sessions show SESSION` lists a session's runs."
        )


class SessionExistsError(CallerError):
    """A new session would take the id of another one."""

    def __init__(self, *, session: str) -> None:
        self.session = session
        super().__init__(
            f"There is a session {session!r} already, and nothing was changed. "
            "Choose another id for the new one, or delete that session first."
        )


class UnfinishedRunError(CallerError):
    """A session's latest run has not ended, and nobody works on it."""

    def __init__(self, *, session: str, run: str, waits_for_approval: bool = False) -> None:
        self.session = session
        self.run = run
        self.waits_for_approval = waits_for_approval
        why = "waits for an approval" if waits_for_approval else "was interrupted"
        super().__init__(
            f"The run {run!r} of the session {session!r} {why} and has not ended. "
            f"Go on with it by `agent.resume({run!r})`, or give it up by "
            f"`sessions.abandon({run!r})`."
        )


class RunNotResumableError(CallerError):
    """A run cannot be gone on with, or given up, any more."""

    def __init__(self, *, run: str, problem: str) -> None:
        self.run = run
        self.problem = problem
        super().__init__(
            f"The run {run!r} {problem}. Send the message again, or branch the session before it."
        )


class SessionImportError(CallerError):
    """What should be imported is no sound session; nothing of it was stored."""

    def __init__(self, *, line: int, problem: str) -> None:
        self.line = line
        self.problem = problem
        super().__init__(
            f"Line {line} is not part of an exported session: {problem}. "
            "Nothing was imported; export the session again."
        )


class QuarantinedSessionError(StateError):
    """An entry of a session is damaged, so that its conversation is not known."""

    def __init__(self, *, session: str, problem: str) -> None:
        self.session = session
        self.problem = problem
        super().__init__(
            f"The session {session!r} is set apart: {problem}. Other sessions are not affected. "
            "Run `smallhold state check`, restore a backup, or branch the session before the "
            "damage: `smallhold sessions branch`."
        )


class RunTakenOverError(RunError):
    """Another process goes on with the run; what this one would have stored was refused."""

    def __init__(self, *, run: str) -> None:
        self.run = run
        super().__init__(
            f"The run {run!r} was taken over or given up by another process, so this one stopped. "
            f"Its result is with that process, or with `agent.resume({run!r})` later."
        )
