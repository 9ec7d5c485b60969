"""Going in circles: this file holds what tells that a run, or a text, leads nowhere.

All of it is decided on what a run has done so far, so that any run can be judged again afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from smallhold.agents.planning import call_text
from smallhold.agents.result import MENDABLE, Step
from smallhold.messages import ToolCall
from smallhold.tools import NO_RESULT_TEXT

MAX_WISHES: Final = 2
"""How often the same call with the same arguments may be wanted; once more ends the run. It is run
the first time only."""
MAX_STALE_DECISIONS: Final = 1
"""Decisions in a row that may hold no new call. A second one ends the run: the same call again and
again, or two or three calls in turn."""
MAX_FRUITLESS_DECISIONS: Final = 2
"""Decisions in a row whose calls may all fail, or all bring the same result; a third ends the
run."""

_MIN_REPEATS: Final = 10
_MIN_REPEATED_CHARS: Final = 200
"""Below these a text may still mean to repeat itself: a refrain, a ruled line, a row of zeros."""
_LONGEST_UNIT_CHARS: Final = 400
"""Longest passage whose repetition is looked for: some five sentences."""


def is_going_round(steps: Sequence[Step], wanted: Sequence[ToolCall]) -> bool:
    """Tell whether a decision leads back to where the run has been.

    Calls that the model had to mend do not count: `repair` bounds those.

    Args:
        steps: What was done so far.
        wanted: The calls of the decision, none of them made yet.
    """
    sound = [step for step in steps if step.refusal not in MENDABLE]
    texts = [call_text([step.call]) for step in sound]
    wishes = [call_text([call]) for call in wanted]
    if not wishes or not all(wish in texts for wish in wishes):
        return False
    if any(texts.count(wish) >= MAX_WISHES for wish in wishes):
        return True
    return _stale_decisions(sound) >= MAX_STALE_DECISIONS


def _stale_decisions(steps: Sequence[Step]) -> int:
    """Count the latest decisions in a row all of whose calls had been wanted before."""
    count = 0
    decisions = _by_decision(steps)
    for number in range(len(decisions) - 1, -1, -1):
        earlier = {call_text([step.call]) for before in decisions[:number] for step in before}
        if not all(call_text([step.call]) in earlier for step in decisions[number]):
            break
        count += 1
    return count


def _by_decision(steps: Sequence[Step]) -> list[list[Step]]:
    return [list(group) for _, group in groupby(steps, key=lambda step: step.decision)]


def is_fruitless(steps: Sequence[Step]) -> bool:
    """Tell whether the latest decisions brought nothing but errors, or nothing new.

    Nothing new is the same result of the same tool, whatever the arguments. A tool that returns
    nothing, and so always the same, is not meant: what it did cannot be seen in its result.
    """
    latest = _by_decision(steps)[-(MAX_FRUITLESS_DECISIONS + 1) :]
    if len(latest) <= MAX_FRUITLESS_DECISIONS:
        return False
    if all(step.is_error for decision in latest for step in decision):
        return True
    learned = {(step.call.name, step.content) for decision in latest for step in decision}
    return len(learned) == 1 and next(iter(learned))[1] != NO_RESULT_TEXT


def earlier_run(steps: Sequence[Step], call: ToolCall) -> Step | None:
    """Find the step that ran the same call with the same arguments."""
    wanted = call_text([call])
    return next((step for step in steps if step.ran and call_text([step.call]) == wanted), None)


def is_wanted_again(steps: Sequence[Step], call: ToolCall) -> bool:
    """Tell whether the same call was wanted before, whatever came of it."""
    wanted = call_text([call])
    return any(call_text([step.call]) == wanted for step in steps)


def is_repeating_text(text: str) -> bool:
    """Tell whether a text ends in one passage said over and over.

    Args:
        text: What a model has written so far.
    """
    for unit_chars in range(1, _LONGEST_UNIT_CHARS + 1):
        chars = max(_MIN_REPEATED_CHARS, _MIN_REPEATS * unit_chars)
        if chars > len(text):
            return False
        tail = text[-chars:]
        if tail[:-unit_chars] == tail[unit_chars:] and not tail.isspace():
            return True
    return False
