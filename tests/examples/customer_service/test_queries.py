"""Tests of the look-ups in the shop's database."""

from __future__ import annotations

from pathlib import Path

from customer_service import queries
from customer_service.data import reading
from customer_service.shelf import read_products


def test_the_range_comes_back_as_it_was_stored(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        assert queries.products(connection) == read_products()


def test_every_order_of_the_shop_can_be_read(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        for number in range(401, 1061):
            facts = queries.order(connection, order_id=str(number))
            assert facts is not None
            assert facts["items"], number


def test_recent_orders_are_the_newest_first(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        for number in range(1, 241):
            texts = queries.recent_orders(connection, customer_id=f"C{number:04d}", limit=3)
            numbers = [int(text.split()[0]) for text in texts]
            assert len(numbers) <= 3
            assert numbers == sorted(numbers, reverse=True)


def test_part_of_a_word_in_a_name_is_no_match(pristine_shop: Path) -> None:
    with reading(pristine_shop) as connection:
        assert queries.customers(connection, text="Lindq") == ()
