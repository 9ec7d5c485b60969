"""Promises of `smallhold.evals.knowledge.wording`: this file holds tests of comparing texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.knowledge.wording import has_phrase, plain_heading, plain_words


@pytest.mark.parametrize(
    ("heading", "plain"),
    [
        ("8.1.4. Serial Types", "serial types"),
        ("8.1.4.\N{NO-BREAK SPACE}Serial Types", "serial types"),
        ("F.28.1.2. hmac()", "hmac"),
        ("Chapter 35. Large Objects", "large objects"),
        ("Appendix B. Date/Time Support", "date time support"),
        ("COPY", "copy"),
        ("Sorting Rows (ORDER BY)", "sorting rows order by"),
        ("24.2.2.2.1. libc Collations", "libc collations"),
    ],
)
def test_a_heading_is_compared_without_its_number(heading: str, plain: str) -> None:
    assert plain_heading(heading) == plain


def test_marks_of_code_and_borders_of_tables_do_not_count() -> None:
    assert has_phrase("| `USER` | **reserved** |", phrase="user reserved")
    assert has_phrase("may \N{LEFT DOUBLE QUOTATION MARK}hang\N{RIGHT DOUBLE QUOTATION MARK} for",
                      phrase='"hang" for')  # fmt: skip


def test_only_whole_words_are_a_phrase() -> None:
    assert not has_phrase("ephemeral joins", phrase="ephemeral join")
    assert not has_phrase("a join is ephemeral", phrase="ephemeral join")


@given(st.text())
def test_plain_words_stay_as_they_are(text: str) -> None:
    plain = plain_words(text)
    assert plain_words(plain) == plain
    assert plain == " ".join(plain.split())


@given(st.text(), st.text(), st.text())
def test_a_text_has_every_phrase_that_was_put_into_it(before: str, phrase: str, after: str) -> None:
    assert has_phrase(f"{before} {phrase} {after}", phrase=phrase) or not plain_words(phrase)


@given(st.text(alphabet="abc XYZ().", min_size=1))
def test_a_numbered_heading_is_the_same_as_without_the_number(heading: str) -> None:
    plain = plain_words(heading)
    if plain and plain_heading(heading) == plain:
        assert plain_heading(f"20.5.1. {heading}") == plain
