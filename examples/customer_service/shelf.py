"""What does not depend on the seed: this file holds the readers of the shop's own files."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from pathlib import Path

from customer_service.records import Article, Product

FOLDER = Path(__file__).parent
"""Where the shop's own files lie, in a checkout as well as in an installed package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Raw material for invented customers."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]
    """Towns with the first half of their postcode."""


def read_words() -> Words:
    """Read the names and places that customers are made of."""
    words = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
    return Words(
        first_names=tuple(words["first_names"]),
        last_names=tuple(words["last_names"]),
        streets=tuple(words["streets"]),
        towns=tuple(words["towns"].items()),
    )


def read_products() -> tuple[Product, ...]:
    """Read the range, which is the same for every seed."""
    with (FOLDER / "products.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Product(
                product_id=row["product_id"],
                name=row["name"],
                category=row["category"],
                price_pence=int(row["price_pence"]),
                stock=int(row["stock"]),
                warranty_months=int(row["warranty_months"]),
            )
            for row in csv.DictReader(file)
        )


def read_articles() -> tuple[Article, ...]:
    """Read the knowledge articles in the order of their topics' names."""
    files = sorted((FOLDER / "knowledge").glob("*.md"))
    return tuple(
        article
        for file in files
        for article in parse_articles(file.read_text(encoding="utf-8"), topic=file.stem)
    )


def parse_articles(text: str, *, topic: str) -> tuple[Article, ...]:
    """Cut a topic's text into articles, one for each line that starts with `# `."""
    sections = ("\n" + text).split("\n# ")[1:]
    return tuple(
        _article(section, topic=topic, number=number)
        for number, section in enumerate(sections, start=1)
    )


def _article(section: str, *, topic: str, number: int) -> Article:
    title, _, body = section.partition("\n")
    return Article(
        article_id=f"{topic}-{number}",
        topic=topic,
        title=title.strip(),
        body=" ".join(body.split()),
    )
