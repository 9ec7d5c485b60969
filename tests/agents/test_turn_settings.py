from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from smallhold.agents.turn_settings import TurnRequest


def test_a_turn_asks_for_prose_outside_any_session_unless_told_otherwise() -> None:
    request = TurnRequest()
    assert (request.session, request.context, request.output) == (None, None, None)


def test_what_a_turn_is_for_cannot_be_changed_on_the_way() -> None:
    request = TurnRequest(session="kiosk")
    with pytest.raises(FrozenInstanceError):
        request.session = "counter"  # pyright: ignore[reportAttributeAccessIssue] - what the test is about
