from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails.stated_values import ValueKind, stated_values


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to help@shop.example.", ValueKind.ADDRESS, "help@shop.example"),
        ("See https://shop.example/a?b=1.", ValueKind.ADDRESS, "https://shop.example/a?b=1"),
        ("It comes on 20 November.", ValueKind.DATE, "20 November"),
        ("It comes at 3 pm.", ValueKind.TIME, "3 pm"),
        ("Your order 1042 is here.", ValueKind.IDENTIFIER, "1042"),
        ("Ticket T12 is open.", ValueKind.IDENTIFIER, "T12"),
        ("Parcel ORD-1042-B is here.", ValueKind.IDENTIFIER, "ORD-1042-B"),
        ("Call +44 161 496 0321 now.", ValueKind.IDENTIFIER, "+44 161 496 0321"),
        ("It costs $20.", ValueKind.MONEY, "20"),
        ("Das kostet 1.299,00 \u20ac.", ValueKind.MONEY, "1.299,00"),
        ("It costs 1500 euros.", ValueKind.MONEY, "1500"),
        ("There are 7 left.", ValueKind.NUMBER, "7"),
        ("It is 25% off.", ValueKind.NUMBER, "25"),
        ('The "Blue Moon" lamp', ValueKind.NAME, "Blue Moon"),
        ("Die \u201eBlaue Lampe\u201c ist da.", ValueKind.NAME, "Blaue Lampe"),
        ("La \u00ab Lune bleue \u00bb est l\u00e0.", ValueKind.NAME, "Lune bleue"),
    ],
)
def test_a_value_is_found_with_its_kind(text: str, kind: ValueKind, value: str) -> None:
    (found,) = stated_values(text)
    assert (found.kind, found.text) == (kind, value)
    assert text[found.start :].startswith(value)


@pytest.mark.parametrize(
    "text",
    [
        "Your order is on its way.",
        "1. Open the box.\n2. Press the button.",
        "1) First\n2) Second",
        "We are here 24/7.",
        "It's the customer's choice, isn't it?",
        "",
    ],
)
def test_words_list_marks_and_apostrophes_state_no_value(text: str) -> None:
    assert stated_values(text) == ()


def test_values_are_told_in_order_and_do_not_overlap() -> None:
    text = "Order 1042 of 3 lamps at $20.50 each comes on 2026-11-20 at 10:00 to a@b.example."
    found = stated_values(text)
    assert [value.kind.value for value in found] == [
        "identifier", "number", "money", "date", "time", "address",
    ]  # fmt: skip
    ends = [value.start + len(value.text) for value in found]
    assert all(end <= later.start for end, later in zip(ends, found[1:], strict=False))


@pytest.mark.parametrize("piece", ["a", "A", "1", "A1-", "1 2 ", "12 of ", "1:1:", "a@", "a.", '"'])
def test_no_answer_takes_long_to_read(piece: str) -> None:
    started_s = time.process_time()
    stated_values(piece * (50_000 // len(piece)))
    assert time.process_time() - started_s < 5.0


@given(text=st.text(alphabet="aT1 2-.:/$%'\"\n,@#€", max_size=60))
def test_every_value_stands_in_the_text_at_its_place(text: str) -> None:
    for value in stated_values(text):
        assert text[value.start : value.start + len(value.text)] == value.text
        assert value.text
