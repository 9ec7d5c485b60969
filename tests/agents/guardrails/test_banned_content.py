from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from smallhold.agents.guardrails import BannedContent, Outcome
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

RIVAL = BannedContent(
    words=["Rivalcorp", "money back guarantee", "scam*"], patterns=[r"\bX-\d{3}\b"]
)


@pytest.mark.parametrize(
    "text",
    [
        "Try RIVALCORP instead.",
        "Try rival\u200bcorp instead.",
        "Try r\u0456valcorp instead.",
        "Try r1v4lcorp instead.",
        "R i v a l c o r p is cheaper.",
        "There is a money-back guarantee.",
        "They are scammers.",
        "The part X-123 fits.",
    ],
)
def test_a_banned_word_is_found_under_its_disguises(desk: Desk, text: str) -> None:
    assert RIVAL.check_output(desk.answer(text)).outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    "text", ["Our own lamp is good.", "A corporation.", "An escampade.", "Part AX-1234."]
)
def test_words_that_only_hold_a_banned_one_pass(desk: Desk, text: str) -> None:
    assert RIVAL.check_output(desk.answer(text)).outcome is Outcome.PASS


def test_a_finding_may_only_be_flagged(desk: Desk) -> None:
    verdict = BannedContent(words=["lamp"], action="flag").check_output(desk.answer("A lamp."))
    assert verdict.outcome is Outcome.FLAG


def test_a_reason_does_not_repeat_the_banned_words(desk: Desk) -> None:
    assert "rival" not in RIVAL.check_output(desk.answer("Rivalcorp")).reason.lower()


@pytest.mark.parametrize(("words", "patterns"), [((), ()), (("",), ()), (("*",), ()), ((), ("(",))])
def test_what_bans_nothing_or_everything_is_refused(
    words: tuple[str, ...], patterns: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError):
        BannedContent(words=words, patterns=patterns)
