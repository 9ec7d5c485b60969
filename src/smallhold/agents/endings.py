"""How a run ends without the model's own answer: this file holds the agent's own words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from smallhold.agents.result import Ending, Step

if TYPE_CHECKING:
    from smallhold.state.approvals import Approval

CANNOT_TEXT: Final = "I cannot do this: none of my tools can."
"""Said where a request was understood and no tool of the agent serves it."""
_SHOWN_CHARS: Final = 300


def giving_up_text(ending: Ending, steps: Sequence[Step]) -> str:
    """Tell the user honestly why there is no answer, and what is known all the same."""
    match ending:
        case Ending.REPEATED_CALL:
            return (
                "I could not finish this: I kept asking for the same and learned nothing new. "
                f"{_last_result(steps)}"
            ).rstrip()
        case Ending.NO_PROGRESS:
            return (
                "I could not finish this: my last attempts all failed or told me nothing new. "
                f"{_last_result(steps)}"
            ).rstrip()
        case Ending.INVALID_CALLS:
            return f"I could not do this: I did not manage a valid call. {_last_problem(steps)}"
        case Ending.STEP_LIMIT:
            return (
                f"I could not finish this within {len(steps)} steps. {_last_result(steps)} "
                "Please ask for one thing at a time or add details."
            )
        case _:
            return f"I have no answer to this. {_last_result(steps)}".rstrip()


def asking_text(missing: Sequence[str], steps: Sequence[Step]) -> str:
    """Ask for what is missing. Not in the model's words: a small one invents it instead.

    Args:
        missing: What only the user can know, in words.
        steps: What was done so far; what ran is said too.
    """
    text = f"I need this from you first: {'; '.join(missing)}. Could you tell me?"
    done = [step for step in steps if step.ran and not step.is_error]
    return f"{text} {_last_result(done)}".rstrip()


def waiting_text(approvals: Sequence[Approval]) -> str:
    """Tell the user what a person must decide first."""
    calls = ", ".join(dict.fromkeys(approval.tool for approval in approvals))
    return f"I need a person's approval before I can go on: {calls}."


def _last_result(steps: Sequence[Step]) -> str:
    if not steps:
        return ""
    last = next((step for step in reversed(steps) if step.ran), steps[-1])
    return f"The last thing I learned, from {last.call.name}: {last.content[:_SHOWN_CHARS]}"


def _last_problem(steps: Sequence[Step]) -> str:
    if not steps:
        return "Please put it another way."
    last = steps[-1]
    return f"The last problem, with {last.call.name}: {last.content[:_SHOWN_CHARS]}"
