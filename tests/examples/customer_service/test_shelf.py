"""Tests of the readers of the shop's own files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from customer_service.shelf import parse_articles, read_articles, read_products, read_words

LINE = st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1)


def test_every_article_has_a_title_and_a_text_of_some_length() -> None:
    for article in read_articles():
        assert article.title, article.article_id
        assert 40 <= len(article.body.split()) <= 120, article.article_id


def test_the_articles_cover_returns_warranty_and_pairing() -> None:
    titles = {article.title for article in read_articles()}
    assert {
        "How to return an item",
        "What the warranty covers",
        "Pairing wireless headphones",
    } <= titles


def test_prices_are_believable() -> None:
    assert all(1_000 <= product.price_pence <= 200_000 for product in read_products())


def test_there_are_enough_words_for_distinct_customers() -> None:
    words = read_words()
    assert len(words.first_names) * len(words.last_names) > 1_000
    assert len(set(words.first_names)) == len(words.first_names)
    assert len(set(words.last_names)) == len(words.last_names)


@given(sections=st.lists(st.tuples(LINE, st.lists(LINE, min_size=1))))
def test_articles_come_back_as_they_were_written(sections: list[tuple[str, list[str]]]) -> None:
    text = "\n\n".join(f"# {title}\n{' '.join(body)}" for title, body in sections)
    articles = parse_articles(text, topic="demo")
    assert [(a.title, a.body) for a in articles] == [(t, " ".join(b)) for t, b in sections]
    assert [a.article_id for a in articles] == [f"demo-{n + 1}" for n in range(len(sections))]
