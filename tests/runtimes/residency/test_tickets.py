from __future__ import annotations

import threading

import anyio
import pytest
from tests.runtimes.residency.scripted_models import GB, House

from smallhold.exceptions import QueueFullError
from smallhold.runtimes.residency.residents import Resident
from smallhold.runtimes.residency.tickets import Ticket

pytestmark = pytest.mark.anyio


@pytest.fixture
def ticket() -> Ticket:
    house = House(sizes={"a": GB})
    spec = house.spec("a")
    house.residency.runtime(spec)
    resident = Resident(key=0, spec=spec, loadable=house.models["a"])
    return Ticket(number=1, resident=resident, priority=1)


async def test_a_grant_from_another_thread_wakes_who_waits(ticket: Ticket) -> None:
    ticket.expect()
    threading.Timer(0.01, ticket.grant, (3,)).start()
    with anyio.fail_after(5):
        await ticket.wait()
    assert ticket.is_granted
    assert ticket.generation == 3
    ticket.put_away()


async def test_a_refusal_wakes_as_well_and_is_no_grant(ticket: Ticket) -> None:
    ticket.expect()
    ticket.refuse(QueueFullError(limit=1, retry_after_s=1))
    with anyio.fail_after(5):
        await ticket.wait()
    assert ticket.is_settled
    assert not ticket.is_granted
    ticket.put_away()
    ticket.put_away()


async def test_a_ticket_that_was_settled_at_once_needs_no_bell(ticket: Ticket) -> None:
    ticket.grant(1)
    with anyio.fail_after(5):
        await ticket.wait()
