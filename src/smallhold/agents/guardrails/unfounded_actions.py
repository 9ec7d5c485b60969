"""Actions that never happened: this file holds the guardrail for answers that claim them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from smallhold.agents.guardrails.action_claims import (
    CHECKED,
    FINISHED,
    ActionClaim,
    action_claims,
    only_looks,
    shows_action,
)
from smallhold.agents.guardrails.checks import OutputCheck, RunStep
from smallhold.agents.guardrails.verdict import Verdict
from smallhold.messages import JsonValue, Message, Role, ToolCall

NOT_DONE: Final = "I have not done anything yet. Please tell me again what I should do."


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfoundedActions:
    """Flags or blocks answers that say something was done, though no tool did it.

    A claim is borne out by a tool of this run that acts and succeeded. One that only looks things
    up, by its name, bears out a claim only if its result speaks of the action; so does a tool of an
    earlier message.
    """

    action: Literal["flag", "block"] = "flag"
    message: str = NOT_DONE
    """What the user reads after a block."""
    name: str = "unfounded_actions"

    @property
    def only_flags(self) -> bool:
        """Whether answers may be streamed before they are checked."""
        return self.action == "flag"

    def check_output(self, check: OutputCheck) -> Verdict:
        """Look for claims that nothing bears out."""
        claims = [claim for claim in action_claims(check.text) if not is_borne_out(claim, check)]
        if not claims:
            return Verdict.ok()
        named = ", ".join(dict.fromkeys(claim.action for claim in claims))
        reason = f"the answer claims what no tool has done: {named}"
        if self.action == "flag":
            return Verdict.flag(reason)
        return Verdict.block(reason, message=self.message)


def is_borne_out(claim: ActionClaim, check: OutputCheck) -> bool:
    """Tell whether what happened supports a claim."""
    succeeded = [step for step in check.steps if succeeds(step)]
    if any(not only_looks(step.call.name) for step in succeeded):
        return True
    if succeeded and claim.action == CHECKED:
        return True
    texts = [_as_text(step.call, step.content) for step in succeeded]
    texts += [_as_text(call, content) for call, content in earlier_calls(check.conversation)]
    if claim.action in {CHECKED, FINISHED}:
        # Of looking something up and of "all set", any earlier result may be the subject.
        return bool(texts) and not (claim.action == FINISHED and succeeded)
    if any(shows_action(text, claim.action) for text in texts):
        return True
    return not claim.is_active and _was_said(claim, check)


def succeeds(step: RunStep) -> bool:
    """Tell whether a tool ran and gave something else than an error."""
    return step.ran and not step.is_error and not _is_error_object(step.content)


def _is_error_object(content: str) -> bool:
    """Whether a result is a JSON object that says what went wrong, as many tools return it."""
    if not content.startswith("{"):
        return False
    try:
        value = cast("JsonValue", json.loads(content))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(value.get("error"))


def earlier_calls(conversation: Sequence[Message]) -> Iterator[tuple[ToolCall, str]]:
    """Pair the conversation's calls with their results, errors left out."""
    calls = {call.id: call for message in conversation for call in message.tool_calls}
    for message in conversation:
        call = calls.get(message.tool_call_id or "")
        if message.role is Role.TOOL and call is not None and not _is_failure(message.content):
            yield call, message.content


def _is_failure(content: str) -> bool:
    return _is_error_object(content) or content.startswith(("Error", "Not done"))


def _as_text(call: ToolCall, content: str) -> str:
    return f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)} {content}"


def _was_said(claim: ActionClaim, check: OutputCheck) -> bool:
    """Whether the user or the agent's knowledge says so."""
    told = [message.content for message in check.conversation if message.role is Role.USER]
    return any(
        claim.action == known.action
        for text in (*told, *check.knowledge)
        for known in action_claims(text)
    )
