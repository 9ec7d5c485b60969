"""What comes back from another agent: this file holds its updates and the answer they add up to."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class TaskPhase(StrEnum):
    """Where the other agent is with a message. Source: A2A specification 1.0, `TaskState`."""

    WORKING = "working"
    """It has begun, or will."""
    COMPLETED = "completed"
    NEEDS_INPUT = "needs_input"
    """It asks something; the next message of the session answers it."""
    NEEDS_LOGIN = "needs_login"
    FAILED = "failed"
    CANCELED = "canceled"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One thing that the other agent says."""

    task_id: str = ""
    context_id: str = ""
    phase: TaskPhase | None = None
    """Where it is now; `None` if it does not say."""
    said: str = ""
    """What it says beside its artifacts."""
    artifact: str = ""
    """Id of the artifact that `text` belongs to."""
    text: str = ""
    is_more: bool = False
    """Whether the text goes on from what the artifact holds, instead of replacing it."""


@dataclass(slots=True, kw_only=True)
class AnswerSoFar:
    """Adds updates up."""

    task_id: str = ""
    context_id: str = ""
    phase: TaskPhase | None = None
    said: str = ""
    artifacts: dict[str, str] = field(default_factory=dict[str, str])
    told: str = ""
    """What has been handed on as tokens."""

    def add(self, update: Update) -> str:
        """Take an update; hand out the text that is new to whoever reads along."""
        self.task_id = update.task_id or self.task_id
        self.context_id = update.context_id or self.context_id
        self.phase = update.phase or self.phase
        self.said = update.said or self.said
        if update.artifact:
            before = self.artifacts.get(update.artifact, "") if update.is_more else ""
            self.artifacts[update.artifact] = before + update.text
        whole = self._artifact_text()
        if not whole.startswith(self.told):
            return ""  # what was told cannot be taken back; the whole answer comes at the end
        new = whole[len(self.told) :]
        self.told = whole
        return new

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come without another message."""
        return self.phase not in {None, TaskPhase.WORKING}

    @property
    def text(self) -> str:
        """The answer: what the artifacts hold, or what was said where there are none."""
        if self.phase is TaskPhase.NEEDS_INPUT and self.said:
            return self.said
        return self._artifact_text() or self.said

    def _artifact_text(self) -> str:
        return "\n".join(text for text in self.artifacts.values() if text)
