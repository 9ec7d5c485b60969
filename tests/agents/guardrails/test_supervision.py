from __future__ import annotations

import time

import anyio
import pytest

from smallhold.agents.guardrails import InputCheck, InputGuardrail, Supervised, Verdict, on_input
from smallhold.agents.guardrails.supervision import Failure, decide, supervised
from smallhold.exceptions import ConfigError

CHECK = InputCheck(text="hello")


async def decided(terms: Supervised) -> Verdict | Failure:
    guardrail = terms.guardrail
    assert isinstance(guardrail, InputGuardrail)
    return await decide(terms, lambda: guardrail.check_input(CHECK))


@on_input
def raising(check: InputCheck) -> Verdict:
    raise LookupError(check.text)


@on_input
def leaving(check: InputCheck) -> Verdict:
    raise SystemExit(check.text)


@on_input
async def hanging(check: InputCheck) -> Verdict:
    await anyio.sleep(60)
    return Verdict.flag(check.text)


@on_input
async def stubborn(check: InputCheck) -> Verdict:
    try:
        await anyio.sleep(60)
    except anyio.get_cancelled_exc_class():
        return Verdict.ok()
    return Verdict.flag(check.text)


@on_input
def slow(check: InputCheck) -> Verdict:
    time.sleep(0.05)
    return Verdict.flag(check.text)


@on_input
def forgetful(check: InputCheck) -> Verdict:
    assert check.text
    return None  # type: ignore[return-value]  # what users forget


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        (Supervised(raising), "raising raised LookupError"),
        (Supervised(leaving), "leaving raised SystemExit"),
        (Supervised(hanging, timeout_s=0.01), "hanging took longer than 0.01 s"),
        (Supervised(slow, timeout_s=0.01), "slow took longer than 0.01 s"),
        (Supervised(slow, timeout_s=0.01, in_thread=True), "slow took longer than 0.01 s"),
        (Supervised(forgetful), "forgetful gave NoneType, not a verdict"),
    ],
)
async def test_a_check_without_a_verdict_is_a_failure_that_names_the_guardrail(
    terms: Supervised, reason: str
) -> None:
    outcome = await decided(terms)
    assert isinstance(outcome, Failure)
    assert outcome.reason == reason


async def test_a_check_that_ignores_its_end_of_time_has_failed() -> None:
    assert isinstance(await decided(Supervised(stubborn, timeout_s=0.01)), Failure)


async def test_a_slow_check_in_a_thread_leaves_the_event_loop_free() -> None:
    passed: list[str] = []

    async def tick() -> None:
        await anyio.sleep(0.01)
        passed.append("tick")

    async def check() -> None:
        await decided(Supervised(slow, in_thread=True))
        passed.append("checked")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(check)
        tasks.start_soon(tick)
    assert passed == ["tick", "checked"]


async def test_cancellation_from_outside_passes_through() -> None:
    with anyio.move_on_after(0.01) as scope:
        await decided(Supervised(hanging))
    assert scope.cancelled_caught


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, float("nan")])
def test_a_time_limit_that_leaves_no_time_is_refused(timeout_s: float) -> None:
    with pytest.raises(ConfigError, match="timeout_s"):
        Supervised(slow, timeout_s=timeout_s)


def test_terms_of_its_own_are_kept() -> None:
    own = Supervised(slow, fail_open=True)
    assert supervised(own) is own
    assert supervised(slow) == Supervised(slow)
