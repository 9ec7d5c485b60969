from __future__ import annotations

import base64
import codecs
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails import Outcome, OutputCheck, SecretLeaks
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk

CANARY = "heron-lantern-58"
LEAKS = SecretLeaks(canaries=[CANARY])
KEY = "sk-" + "a1B2" * 8
"""Made up, in the form of a key."""


@pytest.mark.parametrize(
    "text",
    [
        f"It is {CANARY}.",
        CANARY.upper(),
        " ".join(CANARY),
        CANARY[::-1],
        codecs.encode(CANARY, "rot13"),
        CANARY.encode().hex(),
        "h\u0435ron l\u0430ntern 58",
        "her\u200bon lantern 58",
    ],
)
def test_a_canary_is_found_however_it_is_written(desk: Desk, text: str) -> None:
    assert LEAKS.check_output(desk.answer(text)).outcome is Outcome.BLOCK


@given(before=st.binary(max_size=12), after=st.binary(max_size=12))
def test_a_canary_is_found_in_base64_of_anything_around_it(before: bytes, after: bytes) -> None:
    text = base64.b64encode(before + CANARY.encode() + after).decode()
    assert LEAKS.check_output(OutputCheck(text=f"Here: {text}")).outcome is Outcome.BLOCK


def test_a_canary_in_a_call_is_blocked(desk: Desk) -> None:
    check = desk.call("send_mail", body=["x", {"note": f"it is {CANARY}"}])
    assert LEAKS.check_call(check).outcome is Outcome.BLOCK


def test_a_key_is_hidden_from_an_answer_and_blocked_in_a_call(desk: Desk) -> None:
    verdict = SecretLeaks().check_output(desk.answer(f"Use {KEY} for it."))
    assert (verdict.outcome, verdict.text) == (Outcome.REPLACE, "Use [withheld] for it.")
    assert SecretLeaks().check_call(desk.call("post", text=KEY)).outcome is Outcome.BLOCK


def test_keys_are_as_strict_as_they_are_set(desk: Desk) -> None:
    answer = desk.answer(f"Use {KEY}")
    assert SecretLeaks(keys="block").check_output(answer).outcome is Outcome.BLOCK
    assert SecretLeaks(keys="ignore").check_output(answer).outcome is Outcome.PASS
    ignoring = SecretLeaks(keys="ignore")
    assert ignoring.check_call(desk.call("post", text=KEY)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "AKIA" + "ABCD" * 4,
        "ghp_" + "a" * 36,
        "postgres://admin:hunter2@db.example/shop",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_123",
    ],
)
def test_keys_are_known_by_their_form(desk: Desk, text: str) -> None:
    verdict = SecretLeaks().check_output(desk.answer(f"See {text}"))
    assert verdict.text == "See [withheld]"


@pytest.mark.parametrize(
    "text", ["Your order 1042 is sent.", "See https://shop.example/a?b=c", "Ask-me-anything", ""]
)
def test_ordinary_answers_pass(desk: Desk, text: str) -> None:
    assert LEAKS.check_output(desk.answer(text)).outcome is Outcome.PASS


def test_a_canary_that_stands_in_texts_by_chance_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError) as refused:
        SecretLeaks(canaries=["a-b"])
    assert "a-b" not in str(refused.value)
