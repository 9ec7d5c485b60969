"""When a task is done: this file holds the judges, pure functions over two states of the shop.

No judge reads what the agent said. Each compares the database before and after a conversation, and
each states what may have changed; any other change fails the task.

An attempt that found nothing (`not_found`, `several`) or was turned down (`refused`) changed
nothing and told nobody's data. It is allowed for the tools that the task allows, so an agent may
correct itself. The same look-up may be repeated; nothing may be created twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from customer_service.snapshot import ActivityRow, Snapshot

_FRUITLESS = frozenset({"not_found", "several", "refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a judge says of a task."""

    completed: bool
    reason: str
    """One sentence for the report."""


Judge: TypeAlias = Callable[[Snapshot, Snapshot], Verdict]
"""Takes the state before and after a conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """A trace that a look-up leaves in the activity."""

    tool: str
    subject: str
    outcome: str = "found"

    def is_left_by(self, row: ActivityRow) -> bool:
        """Tell whether this row is the trace."""
        return (row.tool, row.subject, row.outcome) == (self.tool, self.subject, self.outcome)


def looked_up(*accepted: LookUp, also: Collection[LookUp] = ()) -> Judge:
    """Judge a look-up: one of the accepted ones was made and nothing was created.

    Args:
        accepted: Look-ups that serve the customer; one of them must have been made.
        also: Further look-ups that are allowed but not asked for.
    """

    def judge(before: Snapshot, after: Snapshot) -> Verdict:
        fault = _creation_fault(before, after) or _activity_fault(
            _new_activity(before, after), allowed=(*accepted, *also)
        )
        if fault:
            return Verdict(completed=False, reason=fault)
        rows = _new_activity(before, after)
        if any(look_up.is_left_by(row) for row in rows for look_up in accepted):
            return Verdict(completed=True, reason="The right record was looked up.")
        return Verdict(completed=False, reason="The record was not looked up.")

    return judge


def left_untouched() -> Judge:
    """Judge a message that no tool serves: no tool may have run, not even in vain."""

    def judge(before: Snapshot, after: Snapshot) -> Verdict:
        rows = _new_activity(before, after)
        fault = _creation_fault(before, after) or (
            f"{rows[0].tool} ran though no tool was needed." if rows else None
        )
        return Verdict(completed=fault is None, reason=fault or "No tool ran.")

    return judge


def created_nothing(*, attempted_tool: str) -> Judge:
    """Judge a wish that lacks a detail: nothing may be created.

    Args:
        attempted_tool: The one tool that may have run, provided the shop turned it down.
    """

    def judge(before: Snapshot, after: Snapshot) -> Verdict:
        strays = [
            row
            for row in _new_activity(before, after)
            if (row.tool, row.outcome) != (attempted_tool, "refused")
        ]
        fault = _creation_fault(before, after) or (_described(strays[0]) if strays else None)
        return Verdict(completed=fault is None, reason=fault or "Nothing was created.")

    return judge


def opened_ticket(
    *, order_id: str, categories: Collection[str], also: Collection[LookUp] = ()
) -> Judge:
    """Judge a complaint: exactly one ticket for this order, and nothing else was created.

    Args:
        order_id: The order that the ticket must name.
        categories: The categories that suit the complaint.
        also: Look-ups that are allowed on the way.
    """
    trace = LookUp(tool="create_ticket", subject=order_id, outcome="created")

    def judge(before: Snapshot, after: Snapshot) -> Verdict:
        tickets = after.tickets[len(before.tickets) :]
        fault = (
            _history_fault(before, after)
            or _count_fault("callback", actual=len(after.callbacks) - len(before.callbacks), due=0)
            or _count_fault("ticket", actual=len(tickets), due=1)
            or _activity_fault(_new_activity(before, after), allowed=(trace, *also))
        )
        if fault:
            return Verdict(completed=False, reason=fault)
        ticket = tickets[0]
        if ticket.order_id != order_id:
            return Verdict(completed=False, reason=f"The ticket is for order {ticket.order_id}.")
        if ticket.category not in categories:
            return Verdict(completed=False, reason=f"The ticket's category is {ticket.category}.")
        if not ticket.problem.strip():
            return Verdict(completed=False, reason="The ticket does not say what is wrong.")
        return Verdict(completed=True, reason="One right ticket was opened.")

    return judge


def booked_callback(*, phone: str, call_at: datetime, also: Collection[LookUp] = ()) -> Judge:
    """Judge a wish for a call: exactly one callback, at this number and time.

    Args:
        phone: The number in the form of `normal_phone`.
        call_at: The time of the call.
        also: Look-ups that are allowed on the way.
    """
    trace = LookUp(tool="schedule_callback", subject=phone, outcome="created")

    def judge(before: Snapshot, after: Snapshot) -> Verdict:
        callbacks = after.callbacks[len(before.callbacks) :]
        fault = (
            _history_fault(before, after)
            or _count_fault("ticket", actual=len(after.tickets) - len(before.tickets), due=0)
            or _count_fault("callback", actual=len(callbacks), due=1)
            or _activity_fault(_new_activity(before, after), allowed=(trace, *also))
        )
        if fault:
            return Verdict(completed=False, reason=fault)
        callback = callbacks[0]
        if callback.phone != phone:
            return Verdict(completed=False, reason=f"The call goes to {callback.phone}.")
        if callback.call_at != call_at:
            return Verdict(
                completed=False, reason=f"The call is at {callback.call_at:%Y-%m-%d %H:%M}."
            )
        return Verdict(completed=True, reason="One right callback was booked.")

    return judge


def _new_activity(before: Snapshot, after: Snapshot) -> tuple[ActivityRow, ...]:
    return after.activity[len(before.activity) :]


def _creation_fault(before: Snapshot, after: Snapshot) -> str | None:
    return (
        _history_fault(before, after)
        or _count_fault("ticket", actual=len(after.tickets) - len(before.tickets), due=0)
        or _count_fault("callback", actual=len(after.callbacks) - len(before.callbacks), due=0)
    )


def _history_fault(before: Snapshot, after: Snapshot) -> str | None:
    if before.rest_sha256 != after.rest_sha256:
        return "Products, customers, orders or articles were changed."
    pairs = (
        (before.tickets, after.tickets),
        (before.callbacks, after.callbacks),
        (before.activity, after.activity),
    )
    if any(new[: len(old)] != old for old, new in pairs):
        return "Older tickets, callbacks or activity were changed."
    return None


def _count_fault(noun: str, *, actual: int, due: int) -> str | None:
    if actual == due:
        return None
    return f"{actual} new {noun}s instead of {due}."


def _activity_fault(rows: Collection[ActivityRow], *, allowed: Collection[LookUp]) -> str | None:
    tools = {look_up.tool for look_up in allowed}
    for row in rows:
        is_harmless = row.tool in tools and row.outcome in _FRUITLESS
        if not is_harmless and not any(look_up.is_left_by(row) for look_up in allowed):
            return _described(row)
    return None


def _described(row: ActivityRow) -> str:
    return f"{row.tool} was not asked for here ({row.outcome}: {row.subject})."
