from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import BaseModel

from smallhold.agents.guardrails import AnswerSchema, Outcome
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from tests.agents.guardrails.conftest import Desk


class Opaque:
    """A class that says nothing about its fields."""


class Order(BaseModel):
    number: int
    state: Literal["open", "sent"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Order, '{"number": 1042, "state": "sent"}'),
        (list[int], "[1, 2]"),
        (Literal["yes", "no"], '"yes"'),
    ],
)
def test_json_of_the_type_passes(desk: Desk, kind: object, text: str) -> None:
    assert AnswerSchema(kind).check_output(desk.answer(text)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"number": "x", "state": "sent"}', "number"),
        ('{"number": 1, "state": "lost"}', "state"),
        ("It was sent.", "the answer"),
        ("", "the answer"),
    ],
)
def test_another_form_is_blocked_with_the_place_of_the_problem(
    desk: Desk, text: str, place: str
) -> None:
    verdict = AnswerSchema(Order).check_output(desk.answer(text))
    assert verdict.outcome is Outcome.BLOCK
    assert verdict.reason.startswith(f"{place}: ")


def test_a_type_that_is_no_data_is_refused() -> None:
    with pytest.raises(ConfigError, match="type"):
        AnswerSchema(Opaque)
