"""What tests of documents share: this file holds embedders without a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from smallhold.generation import Embedding, EmbedRequest
from smallhold.messages import Usage
from smallhold.state import State
from smallhold.state.knowledge import Knowledge
from smallhold.testing.bag_of_words import bag_of_words


class BagEmbedder:
    """Embeds texts by their words, and counts the texts."""

    def __init__(self, *, turned: bool = False) -> None:
        self.texts: list[str] = []
        self._turned = turned

    async def embed(self, request: EmbedRequest) -> Embedding:
        self.texts.append(request.prompt.messages[-1].content)
        vector = bag_of_words(request.prompt)
        return Embedding(vector=vector[::-1] if self._turned else vector, usage=Usage())


@pytest.fixture
def embedder() -> BagEmbedder:
    return BagEmbedder()


@pytest.fixture
def other_embedder() -> BagEmbedder:
    """A model of as many dimensions whose vectors mean something else."""
    return BagEmbedder(turned=True)


@pytest.fixture
def knowledge(state: State, embedder: BagEmbedder) -> Knowledge:
    return Knowledge(state, embedder=embedder)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder of a few documents."""
    folder = tmp_path / "shop"
    folder.mkdir()
    write(folder / "shop.md", SHOP)
    write(folder / "espresso.txt", "Descale the espresso machine every two weeks with citric acid.")
    return folder


SHOP = """# Shop
## Opening hours
We open at nine and close at six.
## Returns
Bring the receipt within 30 days.
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def places(hits: Sequence[object]) -> list[str]:
    return [getattr(hit, "place", "") for hit in hits]
