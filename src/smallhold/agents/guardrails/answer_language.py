"""Answers in the user's language: this file holds the guardrail for replies in another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smallhold.agents.guardrails.checks import OutputCheck
from smallhold.agents.guardrails.language_detection import detect_language, named_languages
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.messages import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLanguage:
    """Flags or blocks an answer that is plainly in another language than the user's message.

    Where either is too short to tell, or the user names a language, it passes.
    """

    action: Literal["flag", "block"] = "flag"
    message: str | None = None
    """What the user reads after a block."""
    name: str = "answer_language"

    @property
    def only_flags(self) -> bool:
        """Whether answers may be streamed before they are checked."""
        return self.action == "flag"

    def check_output(self, check: OutputCheck) -> Verdict:
        """Compare the answer's language with that of the last message and of those before it."""
        messages = [message.content for message in check.conversation if message.role is Role.USER]
        if not messages or any(map(named_languages, messages)):
            return Verdict.ok()
        # A short last message, "ok 1042", has the language of the conversation.
        wanted = detect_language(messages[-1]) or detect_language(" ".join(messages))
        actual = detect_language(check.text)
        if wanted is None or actual is None or wanted == actual:
            return Verdict.ok()
        reason = f"the user writes {wanted}, the answer is in {actual}"
        if self.action == "flag":
            return Verdict.flag(reason)
        return Verdict.block(reason, message=self.message)
