from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails import (
    Guardrail,
    InputCheck,
    Outcome,
    OutputCheck,
    Stage,
    Supervised,
    ToolCheck,
    Verdict,
    check_guardrails,
    holds_answers_back,
    on_call,
    on_input,
    on_output,
    run_input,
    run_output,
    run_tool_policy,
    run_tool_result,
)
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk


@dataclass
class Decided:
    """Gives the verdict it was made with, and notes what it was shown."""

    verdict: Verdict
    name: str = "decided"
    seen: str = ""

    def check_input(self, check: InputCheck) -> Verdict:
        self.seen = check.text
        return self.verdict


@dataclass
class OnlyFlags:
    """Says that it only flags, and does as it was made to."""

    verdict: Verdict | None
    name: str = "only_flags"
    only_flags: bool = True

    def check_output(self, check: OutputCheck) -> Verdict:
        if self.verdict is None:
            raise ValueError(check.text)
        return self.verdict


@on_input
def broken(check: InputCheck) -> Verdict:
    raise RuntimeError(check.text)


async def test_without_guardrails_everything_passes_unchanged(desk: Desk) -> None:
    message = await run_input((), InputCheck(text="hello"))
    assert (message.outcome, message.text, message.flags) == (Outcome.PASS, "hello", ())
    assert (await run_tool_policy((), desk.call("pay"))).outcome is Outcome.PASS
    assert (await run_tool_result((), desk.result("data"))).text == "data"
    assert (await run_output((), desk.answer("bye"))).text == "bye"


async def test_a_replacement_is_what_the_next_guardrail_sees() -> None:
    later = Decided(Verdict.flag("seen"))
    review = await run_input(
        (Decided(Verdict.replace("clean", reason="dirt")), later), InputCheck(text="dirty")
    )
    assert later.seen == "clean"
    assert (review.outcome, review.text) == (Outcome.REPLACE, "clean")
    assert [flag.outcome for flag in review.flags] == [Outcome.REPLACE, Outcome.FLAG]


async def test_nobody_is_asked_after_a_block() -> None:
    later = Decided(Verdict.ok())
    review = await run_input(
        (Decided(Verdict.block("no", message="Sorry.")), later), InputCheck(text="hello")
    )
    assert later.seen == ""
    assert review.is_blocked
    assert review.text == "Sorry."
    (flag,) = review.flags
    assert (flag.guardrail, flag.stage, flag.reason) == ("decided", Stage.INPUT, "no")


async def test_a_block_without_words_of_its_own_takes_the_stages(desk: Desk) -> None:
    @on_call
    def never(check: ToolCheck) -> Verdict:
        return Verdict.block(check.call.name)

    review = await run_tool_policy([never], desk.call("pay"))
    assert review.text == "Error: this call is not allowed and was not run."


async def test_a_guardrail_that_fails_blocks() -> None:
    review = await run_input([broken], InputCheck(text="secret words"))
    assert review.is_blocked
    assert review.flags[0].reason == "broken raised RuntimeError"


async def test_a_guardrail_that_may_fail_open_leaves_a_flag() -> None:
    review = await run_input([Supervised(broken, fail_open=True)], InputCheck(text="hello"))
    assert (review.outcome, review.text) == (Outcome.FLAG, "hello")
    assert review.flags[0].reason == "broken raised RuntimeError"


async def test_a_failure_is_logged_without_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await run_input([broken], InputCheck(text="secret words"))
    failed = [record for record in caplog.records if record.message == "guardrail.failed"]
    assert [record.__dict__["guardrail"] for record in failed] == ["broken"]
    assert not [record for record in caplog.records if "secret" in str(record.__dict__)]


async def test_a_call_cannot_be_replaced(desk: Desk) -> None:
    @on_call
    def rewriting(check: ToolCheck) -> Verdict:
        return Verdict.replace("{}", reason=check.call.name)

    review = await run_tool_policy([rewriting], desk.call("pay"))
    assert review.is_blocked
    assert review.flags[0].reason == "rewriting would replace a call"


@pytest.mark.parametrize("verdict", [Verdict.block("no"), Verdict.replace("x", reason="no"), None])
async def test_a_guardrail_that_only_flags_never_changes_an_answer(
    desk: Desk, verdict: Verdict | None
) -> None:
    guardrail = OnlyFlags(verdict)
    assert not holds_answers_back([guardrail])
    review = await run_output([guardrail], desk.answer("on the screen already"))
    assert (review.outcome, review.text) == (Outcome.FLAG, "on the screen already")


def test_answers_are_held_back_for_guardrails_that_may_block() -> None:
    @on_output
    def strict(check: OutputCheck) -> Verdict:
        return Verdict.block(check.text)

    assert holds_answers_back([OnlyFlags(None), strict])
    assert holds_answers_back([Supervised(strict, fail_open=True)])
    assert holds_answers_back([OnlyFlags(None, only_flags=False)])
    assert not holds_answers_back([broken])


@pytest.mark.parametrize(
    ("entry", "remedy"),
    [
        (print, "say where it looks"),
        (Decided, "give an instance"),
        ("length", "a guardrail has a `name`"),
        (None, "a guardrail has a `name`"),
    ],
)
def test_what_would_be_skipped_is_refused(entry: object, remedy: str) -> None:
    with pytest.raises(ConfigError, match=remedy):
        check_guardrails([entry])


def test_guardrails_of_every_kind_are_taken() -> None:
    check_guardrails([broken, Supervised(broken), Decided(Verdict.ok()), OnlyFlags(None)])


VERDICTS = st.sampled_from([
    Verdict.ok(),
    Verdict.flag("odd"),
    Verdict.replace("other", reason="better"),
    Verdict.block("no", message="Sorry."),
])


@given(verdicts=st.lists(VERDICTS, max_size=6))
def test_a_review_is_as_strict_as_its_strictest_verdict(verdicts: list[Verdict]) -> None:
    import anyio  # noqa: PLC0415 - hypothesis drives synchronous tests only

    guardrails: list[Guardrail] = [Decided(verdict) for verdict in verdicts]

    async def reviewed() -> None:
        review = await run_input(guardrails, InputCheck(text="hello"))
        strictest = max(
            (v.outcome for v in verdicts), key=list(Outcome).index, default=Outcome.PASS
        )
        assert review.outcome is strictest
        if review.outcome in {Outcome.PASS, Outcome.FLAG}:
            assert review.text == "hello"
        assert len(review.flags) <= sum(v.outcome is not Outcome.PASS for v in verdicts)

    anyio.run(reviewed)
