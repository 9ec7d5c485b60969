"""Which product a customer means: this file holds the matching of words to the range."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from customer_service.records import Product

ENOUGH_RATIO = 0.5
"""At least this share of a product's name must be said for it to be meant. Source: the shortest
distinctive call of a product here is two words of four, as in "Auralis Wave"."""
SPELLING_RATIO = 0.8
"""Likeness from which a word counts as a misspelling, in the measure of `difflib`."""

_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMatch:
    """What a search found."""

    product: Product | None
    """The one product that is meant, if the words single it out."""
    near: tuple[Product, ...]
    """Else the products that the words fit equally well, in the order of the range."""


def find_product(query: str, *, products: Sequence[Product]) -> ProductMatch:
    """Find the product that a text names, by number, by name or by part of its name.

    The product that shares most words with the text is meant, provided no other shares as many. A
    number in the text must be a number of the product: "Wave 3" never finds "Wave 2".
    """
    exact = _exact(query, products=products)
    if exact is not None:
        return ProductMatch(product=exact, near=())
    names = {product.product_id: _words(product.name) for product in products}
    said = _mend(_words(query), vocabulary=_vocabulary(products))
    shared = {product_id: len(said & name) for product_id, name in names.items()}
    most = max(shared.values(), default=0)
    category = _of_category(said, products=products)
    if most == 0:
        return ProductMatch(product=None, near=category)
    leaders = tuple(product for product in products if shared[product.product_id] == most)
    if len(leaders) == 1 and _is_meant(said, name=names[leaders[0].product_id]):
        return ProductMatch(product=leaders[0], near=())
    return ProductMatch(product=None, near=category or leaders)


def _exact(query: str, *, products: Sequence[Product]) -> Product | None:
    wanted = query.strip().casefold()
    for product in products:
        if wanted in {product.name.casefold(), product.product_id.casefold()}:
            return product
    return None


def _words(text: str) -> frozenset[str]:
    return frozenset(_singular(word) for word in _WORD.findall(text.casefold()))


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > len("bus") else word


def _vocabulary(products: Sequence[Product]) -> list[str]:
    return sorted({word for product in products for word in _words(product.name)})


def _mend(words: frozenset[str], *, vocabulary: Sequence[str]) -> frozenset[str]:
    return frozenset(
        word
        if word in vocabulary or any(letter.isdigit() for letter in word)
        else next(iter(get_close_matches(word, vocabulary, n=1, cutoff=SPELLING_RATIO)), word)
        for word in words
    )


def _is_meant(said: frozenset[str], *, name: frozenset[str]) -> bool:
    numbers = _numbers(said)
    if numbers and not numbers & name:
        return False
    return len(said & name) >= ENOUGH_RATIO * len(name)


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if any(letter.isdigit() for letter in word))


def _of_category(said: frozenset[str], *, products: Sequence[Product]) -> tuple[Product, ...]:
    return tuple(product for product in products if _words(product.category) <= said)
