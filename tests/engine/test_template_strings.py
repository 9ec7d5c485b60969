"""Promises about the string methods of templates: Python's results, authors kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.template_budget import Budget, Rendering, TemplateLimits, current, entered
from smallhold.engine.template_strings import STRING_METHODS, TextMethod
from smallhold.engine.template_text import MarkedText

texts = st.text(st.sampled_from("ab \n\rßİ\u2028."), max_size=10)
parts = st.lists(st.tuples(texts, st.booleans()), max_size=4)
SEARCHES = [
    "partition", "rpartition", "removeprefix", "removesuffix", "startswith", "endswith", "find",
    "rfind", "index", "count",
]  # fmt: skip
CALLS = st.one_of(
    st.tuples(st.sampled_from(["strip", "lstrip", "rstrip"]), st.tuples() | st.tuples(texts)),
    st.tuples(
        st.sampled_from(["split", "rsplit"]),
        st.tuples() | st.tuples(texts | st.none(), st.integers(-1, 3)),
    ),
    st.tuples(st.just("splitlines"), st.tuples() | st.tuples(st.booleans())),
    st.tuples(st.sampled_from(SEARCHES), st.tuples(texts)),
    st.tuples(
        st.just("replace"), st.tuples(texts, texts) | st.tuples(texts, texts, st.integers(-1, 3))
    ),
    st.tuples(st.just("join"), st.tuples(st.lists(texts, max_size=3))),
    st.tuples(
        st.sampled_from(["upper", "lower", "title", "capitalize", "isspace", "isupper"]),
        st.tuples(),
    ),
)


@pytest.fixture(autouse=True)
def rendering() -> Iterator[Rendering]:
    state = Rendering(budget=Budget(TemplateLimits(time_s=3_600)))
    with entered(state):
        yield state


def plain(value: object) -> object:
    if isinstance(value, str):
        return current().marks.plain(value)
    if isinstance(value, (list, tuple)):
        items = [plain(item) for item in cast("list[object]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


def build(pieces: list[tuple[str, bool]]) -> MarkedText:
    marks = current().marks
    return marks.adopt("".join(marks.mark(text) if said else text for text, said in pieces))


@given(pieces=parts, call=CALLS)
def test_every_method_does_what_pythons_own_does(
    pieces: list[tuple[str, bool]], call: tuple[str, tuple[object, ...]]
) -> None:
    name, args = call
    with entered(Rendering(budget=Budget(TemplateLimits(time_s=3_600)))):
        text = build(pieces)
        method = getattr(text.plain, name)
        try:
            expected = method(*args)
        except ValueError as error:
            with pytest.raises(type(error)):
                TextMethod(text, name)(*args)
            return
        assert plain(TextMethod(text, name)(*args)) == expected


@given(text=texts.filter(bool), call=CALLS)
def test_what_was_said_stays_untrusted(text: str, call: tuple[str, tuple[object, ...]]) -> None:
    name, args = call
    with entered(Rendering(budget=Budget(TemplateLimits(time_s=3_600)))):
        marks = current().marks
        quoted = [[marks.mark(text)] if isinstance(arg, list) else arg for arg in args]
        try:
            result = TextMethod(marks.mark(text), name)(*quoted)
        except ValueError:
            return
        is_many = isinstance(result, (list, tuple))
        pieces = cast("list[object]", result) if is_many else [result]
        trusted = [
            part.text
            for piece in pieces
            if isinstance(piece, str)
            for part in marks.segments(piece)
            if part.is_trusted
        ]
        given_texts = [arg for arg in args if isinstance(arg, str)]
        assert name == "replace" or not trusted
        assert all(any(part in arg * 12 for arg in given_texts) for part in trusted)


def test_methods_that_pad_or_format_do_not_exist() -> None:
    assert not {"format", "format_map", "center", "ljust", "rjust", "zfill"} & set(STRING_METHODS)
