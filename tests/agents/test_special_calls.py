from __future__ import annotations

from smallhold.agents.special_calls import (
    ANSWER_NAME,
    ASK_NAME,
    CANNOT_NAME,
    DONE_NAME,
    INSTEAD_OF_A_CALL,
    RESERVED_NAMES,
)
from smallhold.runtimes.dialects import JSON_LINES


def test_no_tool_may_have_the_name_of_any_special_call() -> None:
    assert {ANSWER_NAME, ASK_NAME, CANNOT_NAME, DONE_NAME} == RESERVED_NAMES


def test_each_way_of_not_calling_is_scored_once_and_done_is_none_of_them() -> None:
    assert len(set(INSTEAD_OF_A_CALL)) == len(INSTEAD_OF_A_CALL)
    assert {*INSTEAD_OF_A_CALL, DONE_NAME} == RESERVED_NAMES
    assert DONE_NAME not in INSTEAD_OF_A_CALL


def test_no_special_name_begins_as_another_when_it_is_scored() -> None:
    scored = [JSON_LINES.scored_name(name) for name in RESERVED_NAMES]
    assert not any(one is not other and one.startswith(other) for one in scored for other in scored)
