from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.generation import Embedding, Prompt
from smallhold.messages import Message, Role, Usage
from smallhold.testing.bag_of_words import DIMENSIONS, bag_of_words


def said(*texts: str, system: str = "") -> Prompt:
    users = tuple(Message(role=Role.USER, content=text) for text in texts)
    return Prompt(messages=(Message(role=Role.SYSTEM, content=system), *users))


@given(st.lists(st.text(max_size=40), max_size=4))
def test_every_text_has_a_vector_of_length_one(texts: list[str]) -> None:
    vector = bag_of_words(said(*texts))
    assert len(vector) == DIMENSIONS
    assert math.hypot(*vector) == pytest.approx(1.0)


@given(st.permutations(["where", "is", "my", "parcel"]))
def test_words_have_no_order(words: list[str]) -> None:
    assert bag_of_words(said(" ".join(words))) == bag_of_words(said("where is my parcel"))


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_every_prompt_begins_with_is_left_out(system: str, example: str) -> None:
    whole = replace(said(example, "where is it", system=system), fixed_messages=1)
    assert bag_of_words(whole) == bag_of_words(said("where is it"))


def test_texts_that_share_words_are_close() -> None:
    parcel, late, jazz = [
        Embedding(vector=bag_of_words(said(text)), usage=Usage())
        for text in ("where is my parcel", "where is my late parcel", "play some jazz")
    ]
    assert parcel.similarity(late) > 0.8
    assert parcel.similarity(jazz) < 0.5


def test_another_process_gives_the_same_vector() -> None:
    program = (
        "from smallhold.generation import Prompt; from smallhold.messages import Message, Role;"
        "from smallhold.testing.bag_of_words import bag_of_words;"
        "message = Message(role=Role.USER, content='where is my parcel');"
        "print(bag_of_words(Prompt(messages=(message,))))"
    )
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    assert told == str(bag_of_words(said("where is my parcel")))
