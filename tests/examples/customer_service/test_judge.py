"""Tests of the judges: each accepts the right end state and tells what is wrong with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_service.judge import (
    Judge,
    LookUp,
    booked_callback,
    created_nothing,
    left_untouched,
    looked_up,
    opened_ticket,
)
from customer_service.snapshot import ActivityRow, CallbackRow, Snapshot, TicketRow

TEN = datetime(2026, 11, 17, 10, tzinfo=UTC)
OLD = Snapshot(
    tickets=(TicketRow(ticket_id=1, order_id="900", category="other", problem="old"),),
    callbacks=(CallbackRow(callback_id=1, phone="07700900001", call_at=TEN),),
    activity=(
        ActivityRow(activity_id=1, tool="create_ticket", subject="900", outcome="created"),
        ActivityRow(
            activity_id=2, tool="schedule_callback", subject="07700900001", outcome="created"
        ),
    ),
    rest_sha256="seal",
)


def ran(state: Snapshot, tool: str, subject: str, outcome: str = "found") -> Snapshot:
    row = ActivityRow(
        activity_id=len(state.activity) + 1, tool=tool, subject=subject, outcome=outcome
    )
    return replace(state, activity=(*state.activity, row))


def with_ticket(
    state: Snapshot, order_id: str = "1018", category: str = "defect", problem: str = "silent"
) -> Snapshot:
    ticket = TicketRow(
        ticket_id=len(state.tickets) + 1, order_id=order_id, category=category, problem=problem
    )
    state = replace(state, tickets=(*state.tickets, ticket))
    return ran(state, "create_ticket", order_id, "created")


def with_callback(state: Snapshot, phone: str = "07700900461", call_at: datetime = TEN) -> Snapshot:
    callback = CallbackRow(callback_id=len(state.callbacks) + 1, phone=phone, call_at=call_at)
    state = replace(state, callbacks=(*state.callbacks, callback))
    return ran(state, "schedule_callback", phone, "created")


ORDER = looked_up(LookUp(tool="order_status", subject="1042"))
UNKNOWN = looked_up(LookUp(tool="order_status", subject="8841", outcome="not_found"))
ALTERNATIVES = looked_up(
    LookUp(tool="find_alternatives", subject="P001"),
    LookUp(tool="find_alternatives", subject="headphones"),
    also=(LookUp(tool="product_stock", subject="P001"),),
)
TICKET = opened_ticket(
    order_id="1018",
    categories={"defect"},
    also=(LookUp(tool="order_status", subject="1018"),),
)
CALLBACK = booked_callback(phone="07700900461", call_at=TEN)
NO_TOOL = left_untouched()
NO_NUMBER = created_nothing(attempted_tool="schedule_callback")

ACCEPTED = {
    "the right order": (ORDER, ran(OLD, "order_status", "1042")),
    "the right order twice": (
        ORDER,
        ran(ran(OLD, "order_status", "1042"), "order_status", "1042"),
    ),
    "the right order after a slip": (
        ORDER,
        ran(ran(OLD, "order_status", "104", "not_found"), "order_status", "1042"),
    ),
    "an unknown order": (UNKNOWN, ran(OLD, "order_status", "8841", "not_found")),
    "one of two good look-ups": (ALTERNATIVES, ran(OLD, "find_alternatives", "headphones")),
    "a look-up on the way": (
        ALTERNATIVES,
        ran(ran(OLD, "product_stock", "P001"), "find_alternatives", "P001"),
    ),
    "one right ticket": (TICKET, with_ticket(OLD)),
    "a ticket after a look-up": (TICKET, with_ticket(ran(OLD, "order_status", "1018"))),
    "a ticket after a refusal": (TICKET, with_ticket(ran(OLD, "create_ticket", "18", "refused"))),
    "one right callback": (CALLBACK, with_callback(OLD)),
    "nothing at all": (NO_TOOL, OLD),
    "no callback": (NO_NUMBER, OLD),
    "a refused callback": (NO_NUMBER, ran(OLD, "schedule_callback", "unknown", "refused")),
}

REJECTED = {
    "no look-up": (ORDER, OLD, "was not looked up"),
    "only a slip": (ORDER, ran(OLD, "order_status", "104", "not_found"), "was not looked up"),
    "another order as well": (
        ORDER,
        ran(ran(OLD, "order_status", "1042"), "order_status", "1041"),
        "order_status was not asked for",
    ),
    "another tool": (ORDER, ran(OLD, "find_customer", "C0001"), "find_customer was not asked"),
    "another tool in vain": (
        ORDER,
        ran(ran(OLD, "order_status", "1042"), "find_customer", "x", "not_found"),
        "find_customer was not asked",
    ),
    "a ticket beside the look-up": (
        ORDER,
        with_ticket(ran(OLD, "order_status", "1042")),
        "1 new tickets instead of 0",
    ),
    "a callback beside the look-up": (
        ORDER,
        with_callback(ran(OLD, "order_status", "1042")),
        "1 new callbacks instead of 0",
    ),
    "a known order instead of the unknown one": (
        UNKNOWN,
        ran(OLD, "order_status", "884"),
        "order_status was not asked",
    ),
    "only the look-up on the way": (
        ALTERNATIVES,
        ran(OLD, "product_stock", "P001"),
        "was not looked up",
    ),
    "no ticket": (TICKET, ran(OLD, "order_status", "1018"), "0 new tickets instead of 1"),
    "two tickets": (TICKET, with_ticket(with_ticket(OLD)), "2 new tickets instead of 1"),
    "a ticket for another order": (TICKET, with_ticket(OLD, order_id="1019"), "1019"),
    "a ticket whose record names another order": (
        TICKET,
        replace(
            with_ticket(OLD),
            tickets=(*OLD.tickets, replace(OLD.tickets[0], ticket_id=2)),
        ),
        "The ticket is for order 900",
    ),
    "a ticket of another category": (TICKET, with_ticket(OLD, category="billing"), "billing"),
    "a ticket without text": (TICKET, with_ticket(OLD, problem=" "), "what is wrong"),
    "a callback beside the ticket": (TICKET, with_callback(with_ticket(OLD)), "callbacks"),
    "a stray look-up beside the ticket": (
        TICKET,
        with_ticket(ran(OLD, "find_customer", "C0001")),
        "find_customer was not asked",
    ),
    "no callback": (CALLBACK, OLD, "0 new callbacks instead of 1"),
    "two callbacks": (CALLBACK, with_callback(with_callback(OLD)), "2 new callbacks"),
    "a callback to another number": (CALLBACK, with_callback(OLD, phone="07700900462"), "900462"),
    "a callback whose record names another number": (
        CALLBACK,
        replace(
            with_callback(OLD),
            callbacks=(*OLD.callbacks, replace(OLD.callbacks[0], callback_id=2)),
        ),
        "The call goes to 07700900001",
    ),
    "a callback at another time": (
        CALLBACK,
        with_callback(OLD, call_at=TEN + timedelta(days=1)),
        "2026-11-18 10:00",
    ),
    "a ticket beside the callback": (CALLBACK, with_ticket(with_callback(OLD)), "tickets"),
    "a tool in vain where none is needed": (
        NO_TOOL,
        ran(OLD, "product_stock", "joke", "not_found"),
        "product_stock ran",
    ),
    "a callback where none is needed": (NO_TOOL, with_callback(OLD), "callbacks"),
    "a callback to an invented number": (NO_NUMBER, with_callback(OLD), "callbacks"),
    "a ticket instead of a question": (NO_NUMBER, with_ticket(OLD), "tickets"),
    "a look-up instead of a question": (
        NO_NUMBER,
        ran(OLD, "find_customer", "x", "not_found"),
        "find_customer was not asked",
    ),
}

EVERY_JUDGE = {
    "order": (ORDER, ran(OLD, "order_status", "1042")),
    "ticket": (TICKET, with_ticket(OLD)),
    "callback": (CALLBACK, with_callback(OLD)),
    "no tool": (NO_TOOL, OLD),
    "no number": (NO_NUMBER, OLD),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_a_right_end_state_is_completed(case: str) -> None:
    judge, after = ACCEPTED[case]
    verdict = judge(OLD, after)
    assert verdict.completed, verdict.reason


@pytest.mark.parametrize("case", REJECTED)
def test_a_wrong_end_state_is_rejected_with_its_reason(case: str) -> None:
    judge, after, reason = REJECTED[case]
    verdict = judge(OLD, after)
    assert not verdict.completed
    assert reason in verdict.reason


TAMPERED: dict[str, Callable[[Snapshot], Snapshot]] = {
    "stock in trade": lambda state: replace(state, rest_sha256="broken"),
    "tickets": lambda state: replace(state, tickets=()),
    "callbacks": lambda state: replace(state, callbacks=()),
    "activity": lambda state: replace(state, activity=()),
}


@pytest.mark.parametrize("name", EVERY_JUDGE)
@pytest.mark.parametrize("part", TAMPERED)
def test_every_judge_rejects_a_changed_past(name: str, part: str) -> None:
    judge, right = EVERY_JUDGE[name]
    verdict = judge(OLD, TAMPERED[part](right))
    assert not verdict.completed
    assert "were changed" in verdict.reason


Step: TypeAlias = Callable[[Snapshot], Snapshot]
STEPS: dict[str, Step] = {
    "right ticket": with_ticket,
    "wrong ticket": lambda state: with_ticket(state, order_id="1019"),
    "right callback": with_callback,
    "wrong callback": lambda state: with_callback(state, phone="07700900462"),
    "right order": lambda state: ran(state, "order_status", "1042"),
    "product in vain": lambda state: ran(state, "product_stock", "x", "not_found"),
}


@given(names=st.lists(st.sampled_from(sorted(STEPS)), max_size=5))
def test_no_end_state_completes_two_tasks_that_ask_for_different_things(names: list[str]) -> None:
    after = OLD
    for name in names:
        after = STEPS[name](after)
    judges: list[Judge] = [ORDER, TICKET, CALLBACK, NO_TOOL]
    assert sum(judge(OLD, after).completed for judge in judges) <= 1
