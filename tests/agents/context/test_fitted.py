from __future__ import annotations

from smallhold.agents.context.fitted import DropKind, Dropped, Fitted, PartTokens
from smallhold.generation import Prompt
from smallhold.messages import Usage


def test_parts_add_up_to_the_whole() -> None:
    parts = PartTokens(form=50_000, instructions=1, tools=20, examples=300, conversation=4_000)
    assert parts.total == 54_321


def test_where_all_fits_nothing_was_dropped_and_nothing_was_spent() -> None:
    fitted = Fitted(conversation=(), prompt=Prompt(messages=()), prompt_tokens=0)
    assert fitted.dropped == ()
    assert fitted.summary is None
    assert fitted.usage == Usage()


def test_a_part_that_was_only_shortened_takes_no_message_with_it() -> None:
    assert Dropped(kind=DropKind.RESULT_CUT, what="look", tokens=5).messages == 0
