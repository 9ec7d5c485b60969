from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails.evidence import Evidence

TRUE = [
    (
        "Your order 1042 arrives on Friday 20 November, between 9:00 and 12:00.",
        '{"order":"1042","arrives":"2026-11-20","window":"09:00-12:00"}',
    ),
    ("It costs \u00a31,299.00 and there are 3 in stock.", '{"price_pence":129900,"pieces":3}'),
    ("Das kostet 1.299,00 \u20ac.", '{"price":1299}'),
    ("Your ticket is T12 for order 100234.", '{"ticket":"T12","order":"100234"}'),
    ("Call us at +44 161 496 0321.", "Our phone is 0161 496 0321."),
    (
        "Write to Help@Shop.example or see https://shop.example/returns.",
        "help@shop.example, shop.example/returns",
    ),
    ("You have 2 orders, 60 in total.", '{"orders":[{"total":40},{"total":20}]}'),
    ("That is 25% off.", '{"discount":0.25}'),
    ("Am 3. M\u00e4rz um 14 Uhr.", "2026-03-03T14:00:00"),
    ('The "Nordlicht Lamp" is sold out.', '{"name":"Nordlicht Lamp"}'),
    ("It has 4.6 of 5 stars.", "rating 4.57, scale 5"),
    ("Each costs 19.99, so 2 come to 39.98.", "price 19.99, wanted: two"),
    ("The call is at 10:00.", "Please call me at ten."),
    ("Order ord-1042 is here.", "ORD 1042"),
    ("Between 2024 - 2026 there were 3.", "2024 2026 three"),
]
FALSE = [
    ("Your order 1043 is here.", '{"order":"1042"}', "1043"),
    ("Your order 104 is here.", '{"order":"1042"}', "104"),
    ("It arrives on 21 November.", '{"arrives":"2026-11-20"}', "21 November"),
    ("It costs $20.", "It costs 20 EUR.", "20"),
    ("It costs \u00a320.", '{"price_pence":1999}', "20"),
    ("Call 0800 123 4567.", "Call us.", "0800 123 4567"),
    ("Ask bob@x.example.", "Ask us.", "bob@x.example"),
    ('The "Blue Moon" lamp', "a lamp", "Blue Moon"),
    ("The call is at 3 pm.", '{"time":"10:00"}', "3 pm"),
    ("There are 7 left.", '{"left":3}', "7"),
    ("Ticket T13 is open.", '{"ticket":"T12"}', "T13"),
]


@pytest.mark.parametrize(("answer", "told"), TRUE)
def test_what_was_told_is_borne_out_in_any_form(answer: str, told: str) -> None:
    assert Evidence([told]).unfounded(answer) == ()


@pytest.mark.parametrize(("answer", "told", "value"), FALSE)
def test_what_nobody_told_is_unfounded(answer: str, told: str, value: str) -> None:
    assert [found.text.rstrip(".") for found in Evidence([told]).unfounded(answer)] == [value]


def test_the_end_of_a_text_and_the_beginning_of_the_next_make_no_number() -> None:
    assert Evidence(["ends in 55501", "42333 begins"]).unfounded("Call 555 014 2333.")


def test_a_number_may_be_worked_out_from_those_that_are_borne_out() -> None:
    told = ["a 40, b 25"]
    assert Evidence(told).unfounded("a is 40, b is 25: together 65.") == ()
    assert Evidence(told).unfounded("a is 40, b is 25: together 66.")
    # Both must be stated: a bare sum could be of anything.
    assert Evidence(told).unfounded("Together 65.")


@given(numbers=st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_an_answer_that_repeats_what_was_told_is_borne_out(numbers: list[int]) -> None:
    answer = " ".join(f"It is {number}." for number in numbers)
    assert Evidence([json.dumps(numbers)]).unfounded(answer) == ()


@given(text=st.text(alphabet='abcT1 2-.:/$%"\n,@#€{}[]', max_size=80))
def test_every_text_bears_itself_out(text: str) -> None:
    assert Evidence([text]).unfounded(text) == ()


@given(text=st.text(alphabet="ab1 2-.:/$", max_size=60), more=st.text(max_size=30))
def test_more_evidence_never_makes_more_unfounded_but_for_currencies(text: str, more: str) -> None:
    without = Evidence([""]).unfounded(text)
    assert len(Evidence(["", more]).unfounded(text)) <= len(without)


@pytest.mark.parametrize("told", ["[" * 3_000, "{}", "[1,", '{"a":' * 500])
def test_odd_results_are_no_trouble(told: str) -> None:
    assert Evidence([told]).unfounded("Hello.") == ()
