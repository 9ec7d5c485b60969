from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.agents.context.facts import FactKind, Worth, facts_of, merged, worth_of

TEXTS = st.text(max_size=200) | st.text(
    alphabet=st.sampled_from("aB1 2.,:-/@\"'|\n€$+() =#{}\u201cé"), max_size=200
)


def found(text: str) -> list[tuple[FactKind, str]]:
    return [(fact.kind, fact.value) for fact in facts_of(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("order 1042 please", FactKind.NUMBER, "1042"),
        ("it costs 1,500.00 now", FactKind.NUMBER, "1,500.00"),
        ("it costs $1,500.00.", FactKind.NUMBER, "$1,500.00"),
        ("12 % less", FactKind.NUMBER, "12 %"),
        ("my parcel ORD-77/A.", FactKind.IDENTIFIER, "ORD-77/A"),
        ("the file a_1.txt", FactKind.IDENTIFIER, "a_1.txt"),
        ("on 2025-05-03", FactKind.DATE, "2025-05-03"),
        ("at 2025-05-03T14:30:00Z sharp", FactKind.DATE, "2025-05-03T14:30:00Z"),
        ("on 3.5.2025, then", FactKind.DATE, "3.5.2025"),
        ("by 5 May 2025", FactKind.DATE, "5 May 2025"),
        ("by March 3rd, 2025", FactKind.DATE, "March 3rd, 2025"),
        ("am 3. Mai", FactKind.DATE, "3. Mai"),
        ("at 14:30 sharp", FactKind.DATE, "14:30"),
        ("at 7 pm sharp", FactKind.DATE, "7 pm"),
        ("to anna.b+shop@mail.example.org.", FactKind.EMAIL, "anna.b+shop@mail.example.org"),
        ("call +43 660 1234567 now", FactKind.PHONE, "+43 660 1234567"),
        ("call 555-123-4567 now", FactKind.PHONE, "555-123-4567"),
        ("see https://example.org/a?b=1 there", FactKind.URL, "https://example.org/a?b=1"),
        ('she said "never again" twice', FactKind.QUOTE, '"never again"'),
        ("er sagte „nie wieder“ laut", FactKind.QUOTE, "„nie wieder“"),
        ("it's called 'Blue Lamp' there", FactKind.QUOTE, "'Blue Lamp'"),
        ('{"eta":"in May"}', FactKind.PAIR, '"eta":"in May"'),
        ('{"price": 12.5, "x": []}', FactKind.PAIR, '"price": 12.5'),
        ("my name is Anna Berger.", FactKind.NAME, "Anna Berger"),
    ],
)
def test_a_fact_is_found_whole(text: str, kind: FactKind, value: str) -> None:
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text", ["Where is it?", "It's fine, don't worry.", "I think so too.", "", "???"]
)
def test_plain_words_are_no_facts(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Where is my order 1042?", "my order 1042"),
        ("Where is order #1042?", "is order #1042"),
        ("Total: 30 EUR", "Total: 30 EUR"),
        ("I want 3 blue lamps", "I want 3 blue"),
        ("1042 it is", "1042"),
        ("It came. 1042 did not.", "1042"),
    ],
)
def test_a_fact_keeps_the_words_that_say_what_it_is(text: str, shown: str) -> None:
    assert [fact.text for fact in facts_of(text)] == [shown]


def test_two_facts_never_share_words() -> None:
    texts = [fact.text for fact in facts_of("order 1042 and 3 chairs at 14:30")]
    assert texts == ["order 1042", "and 3 chairs", "at 14:30"]


@given(text=TEXTS)
@example(text='"a|b" 12|13 "c":"d|e"')
def test_every_fact_stands_in_the_text_word_for_word(text: str) -> None:
    position = 0
    for fact in facts_of(text):
        position = text.index(fact.text, position) + len(fact.text)
        assert fact.value in fact.text


@given(text=TEXTS)
def test_a_fact_can_be_written_on_a_line_and_told_from_its_neighbours(text: str) -> None:
    for fact in facts_of(text):
        assert fact.text == fact.text.strip()
        assert "\n" not in fact.text
        assert "|" not in fact.text


@given(number=st.integers(min_value=1_000, max_value=10**30), before=st.text(max_size=20))
def test_no_number_is_missed(number: int, before: str) -> None:
    text = f"{before.replace(chr(34), '')} order {number} now"
    assert any(str(number) in fact.text for fact in facts_of(text))


@pytest.mark.parametrize(
    "text",
    [
        '"' * 20_000,
        "a@" * 10_000,
        "1-" * 10_000,
        '"a":' * 5_000,
        "aA " * 7_000,
        "1 " * 10_000,
        " ".join(map(str, range(5_000, 15_000))),
    ],
    ids=["quotes", "at", "dashes", "pairs", "names", "digits", "numbers"],
)
def test_a_text_that_is_hard_to_search_is_searched_fast(text: str) -> None:
    started_s = time.process_time()
    known = merged((), facts_of(text))
    assert merged(known, facts_of(text)) == known
    assert time.process_time() - started_s < 3.0


@pytest.mark.parametrize(
    ("fact", "worth"),
    [
        ("name is Anna", Worth.LASTING),
        ("Anna", Worth.LASTING),
        ("to a@example.org", Worth.LASTING),
        ("call +43 660 1234567", Worth.LASTING),
        ("order 1042", Worth.PLAIN),
        ("ref ORD-7", Worth.PLAIN),
        ("for 3 chairs", Worth.LITTLE),
    ],
)
def test_who_somebody_is_is_worth_more_than_a_short_number(fact: str, worth: Worth) -> None:
    assert worth_of(fact) is worth


def test_a_value_is_kept_once() -> None:
    known = merged((), facts_of("my order 1042"))
    assert merged(known, facts_of("is order 1042 here, and 10421?")) == (
        "my order 1042",
        "and 10421",
    )


def test_a_short_number_is_another_fact_beside_other_words() -> None:
    assert merged((), facts_of("for 3 chairs, for 3 lamps")) == ("for 3 chairs", "for 3 lamps")


def test_what_is_kept_elsewhere_is_not_kept_again() -> None:
    assert merged((), facts_of("your order 1042"), elsewhere=("my order 1042",)) == ()


@given(texts=st.lists(TEXTS, max_size=4))
def test_merging_loses_no_value_and_keeps_the_order(texts: list[str]) -> None:
    known: tuple[str, ...] = ()
    for text in texts:
        before = known
        known = merged(known, facts_of(text))
        assert known[: len(before)] == before
    for text in texts:
        assert all(any(fact.value in one for one in known) for fact in facts_of(text))
