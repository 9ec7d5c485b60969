"""What the demo comes to: this file holds its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallhold.messages import JsonObject, JsonValue, ToolCall, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedCall:
    """A call that the model made, and what came of it."""

    call: ToolCall
    is_valid: bool
    """Whether the tool takes these arguments."""
    content: str
    """What the model read as the result."""
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One customer's conversation."""

    task_id: str
    message: str
    completed: bool
    """By the database's end state."""
    reason: str
    calls: tuple[OfferedCall, ...]
    answer: str
    """Empty when the run failed."""
    usage: Usage
    first_token_s: float | None
    """From the message until the answer's first token; `None` when the run failed."""
    total_s: float

    def to_dict(self) -> JsonObject:
        """The report as JSON."""
        calls: list[JsonValue] = [
            {
                "tool": offered.call.name,
                "arguments": offered.call.arguments,
                "valid": offered.is_valid,
                "content": offered.content,
                "is_error": offered.is_error,
            }
            for offered in self.calls
        ]
        return {
            "task": self.task_id,
            "message": self.message,
            "completed": self.completed,
            "reason": self.reason,
            "calls": calls,
            "answer": self.answer,
            "passes": self.usage.passes,
            "tokens": token_count(self.usage),
            "first_token_seconds": _rounded(self.first_token_s),
            "seconds": _rounded(self.total_s),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """All conversations together."""

    tasks: Sequence[TaskReport]
    peak_rss_bytes: int
    """This process and the engine's worker, each at its highest."""
    model: str

    @property
    def completed(self) -> int:
        """Tasks whose end state is the wanted one."""
        return sum(task.completed for task in self.tasks)

    @property
    def calls(self) -> tuple[OfferedCall, ...]:
        """All calls."""
        return tuple(offered for task in self.tasks for offered in task.calls)

    @property
    def valid_calls(self) -> int:
        """Calls that their tools take."""
        return sum(offered.is_valid for offered in self.calls)

    @property
    def usage(self) -> Usage:
        """What all conversations cost."""
        return sum((task.usage for task in self.tasks), start=Usage())

    @property
    def total_s(self) -> float:
        """Wall time of the conversations, without loading the model."""
        return sum(task.total_s for task in self.tasks)

    def to_dict(self) -> JsonObject:
        """The figures that `smallhold demo --json` ends with."""
        return {
            "tasks": len(self.tasks),
            "completed": self.completed,
            "valid_calls": self.valid_calls,
            "calls": len(self.calls),
            "seconds": _rounded(self.total_s),
            "tokens": token_count(self.usage),
            "peak_rss_bytes": self.peak_rss_bytes,
            "model": self.model,
        }


def token_count(usage: Usage) -> int:
    """Count tokens read and written; those that the prefix cache spared count as read."""
    return usage.prompt_tokens + usage.completion_tokens


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
