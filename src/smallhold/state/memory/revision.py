"""What a new statement does to what was remembered: this file holds the decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from smallhold.state.memory.fact import CONFIRMATIONS_KEPT, Confirmation, Fact, Provenance
from smallhold.state.memory.wording import value_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that is to be remembered about a subject's attribute."""

    value: str
    confidence_ratio: float
    provenance: Provenance
    expires_s: float | None
    is_list: bool
    at_s: float
    """Unix time, by the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """What is to be done about a statement."""

    confirmed: Fact | None
    """The fact that says the same, as it is from now on; `None`: a new fact is needed."""
    superseded: tuple[Fact, ...]
    """Facts whose place the new or confirmed one takes; they stay as history."""


def revise(current: Sequence[Fact], statement: Statement, *, now_s: float) -> Revision:
    """Decide what a statement does to the facts of its attribute.

    The same value again strengthens the fact that says it. Another value takes the place of all
    others, unless the attribute is a list, where each value is a fact of its own. What has expired
    is never revived: the same value then is a new fact.

    Args:
        current: The attribute's facts that nothing has superseded, in their order.
        statement: The new statement.
        now_s: The time by which facts have expired or not.
    """
    form = value_form(statement.value)
    same: Fact | None = None
    superseded: list[Fact] = []
    for fact in current:
        is_same = value_form(fact.value) == form
        if is_same and same is None and not fact.is_expired(now_s):
            same = fact
        elif is_same or not statement.is_list:
            superseded.append(fact)
    confirmed = None if same is None else _confirmed(same, statement)
    return Revision(confirmed=confirmed, superseded=tuple(superseded))


def strengthened(known_ratio: float, stated_ratio: float) -> float:
    """Give the confidence in what two statements say: wrong only if both are.

    Source:
        Pearl 1988, "Probabilistic Reasoning in Intelligent Systems", section 4.3.2, the noisy-or.
    """
    return 1.0 - (1.0 - known_ratio) * (1.0 - stated_ratio)


def _confirmed(fact: Fact, statement: Statement) -> Fact:
    """Strengthen a fact; the same words of the same message, read once more, change nothing."""
    expires_s = fact.expires_s if statement.expires_s is None else statement.expires_s
    told = (fact.provenance, *(confirmation.provenance for confirmation in fact.confirmations))
    if is_traceable(statement.provenance) and statement.provenance in told:
        return replace(fact, is_list=statement.is_list, expires_s=expires_s)
    confirmation = Confirmation(
        provenance=statement.provenance,
        confidence_ratio=statement.confidence_ratio,
        at_s=statement.at_s,
    )
    return replace(
        fact,
        is_list=statement.is_list,
        expires_s=expires_s,
        confidence_ratio=strengthened(fact.confidence_ratio, statement.confidence_ratio),
        confirmations=(*fact.confirmations, confirmation)[-CONFIRMATIONS_KEPT:],
    )


def is_traceable(provenance: Provenance) -> bool:
    """Tell whether a provenance names the one message that it is from."""
    return provenance.session is not None and (
        provenance.entry is not None or provenance.run is not None
    )
