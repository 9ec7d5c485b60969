"""Tests of the matching of words to products."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customer_service.product_search import find_product
from customer_service.records import Product
from customer_service.shelf import read_products

PRODUCTS = read_products()


@given(product=st.sampled_from(PRODUCTS), is_shouted=st.booleans())
def test_a_full_name_finds_its_product_in_any_case(product: Product, is_shouted: bool) -> None:  # noqa: FBT001 - hypothesis passes by name
    query = product.name.upper() if is_shouted else product.name.lower()
    assert find_product(query, products=PRODUCTS).product == product


@pytest.mark.parametrize(
    ("query", "product_id"),
    [
        ("Auralis Wave 2", "P001"),
        ("Auralis Wave headphones", "P001"),
        ("the Auralis Wave 2 headphones in black", "P001"),
        ("auralis wvae 2 headphone", "P001"),
        ("Voltane 20K power bank", "P058"),
        ("Glimmer desk lamps", "P064"),
        ("Clackwell TK87", "P015"),
        ("p064", "P064"),
    ],
)
def test_a_distinctive_part_of_a_name_is_enough(query: str, product_id: str) -> None:
    match = find_product(query, products=PRODUCTS)
    assert match.product is not None
    assert match.product.product_id == product_id


@pytest.mark.parametrize("query", ["Auralis Wave 3 headphones", "Voltane 50K power bank"])
def test_another_model_number_never_finds_a_neighbour(query: str) -> None:
    assert find_product(query, products=PRODUCTS).product is None


@pytest.mark.parametrize("query", ["headphones", "Auralis headphones", "power bank"])
def test_a_text_that_fits_several_products_lists_them(query: str) -> None:
    match = find_product(query, products=PRODUCTS)
    assert match.product is None
    assert len(match.near) > 1


@pytest.mark.parametrize("query", ["toaster", "", "???"])
def test_a_text_that_fits_nothing_finds_nothing(query: str) -> None:
    match = find_product(query, products=PRODUCTS)
    assert match.product is None
    assert match.near == ()


@given(query=st.text(max_size=60))
def test_any_text_gives_one_product_or_candidates_never_both(query: str) -> None:
    match = find_product(query, products=PRODUCTS)
    assert match.product is None or match.near == ()
