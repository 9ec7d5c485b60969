from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.engine.text_stream import TextStream

texts = st.text(alphabet="ab<|é日😀\n", max_size=30)
stops = st.lists(st.text(alphabet="ab<|é", max_size=4), max_size=3).map(tuple)


def streamed(chunks: list[bytes], stop: tuple[str, ...] = ()) -> tuple[list[str], bool]:
    stream = TextStream(stop=stop)
    shown = [stream.push(chunk) for chunk in chunks]
    return [*shown, stream.close()], stream.stopped


def cut(data: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({min(place, len(data)) for place in places} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@pytest.mark.parametrize("place", range(1, 4))
def test_half_a_character_waits_for_its_other_half(place: int) -> None:
    data = "😀".encode()
    stream = TextStream()
    assert not stream.push(data[:place])
    assert stream.push(data[place:]) == "😀"


def test_a_character_that_never_ends_is_replaced_at_the_end() -> None:
    shown, _ = streamed([b"ab\xf0\x9f"])
    assert shown == ["ab", "\ufffd"]


def test_a_stop_string_and_all_after_it_are_not_shown() -> None:
    assert streamed([b"yes<end>no"], ("<end>",)) == (["yes", ""], True)


def test_a_stop_string_is_found_across_pieces() -> None:
    assert streamed([b"yes<", b"en", b"d>", b"no"], ("<end>",)) == (["yes", "", "", "", ""], True)


def test_what_only_looked_like_a_stop_string_is_shown_in_the_end() -> None:
    assert streamed([b"a<en", b"try>"], ("<end>",)) == (["a", "<entry>", ""], False)
    assert streamed([b"a<en"], ("<end>",)) == (["a", "<en"], False)


def test_text_that_cannot_begin_a_stop_string_is_shown_at_once() -> None:
    stream = TextStream(stop=("<end>",))
    assert stream.push(b"hello") == "hello"


def test_of_two_stop_strings_the_one_that_is_whole_first_counts() -> None:
    assert streamed([b"xabc"], ("abc", "b"))[0] == ["xa", ""]


def test_of_stop_strings_that_end_together_the_longest_counts() -> None:
    assert streamed([b"xabc"], ("bc", "abc"))[0] == ["x", ""]


def test_an_empty_stop_string_stops_nothing() -> None:
    assert streamed([b"text"], ("",)) == (["text", ""], False)


@given(text=texts, stop=stops, places=st.lists(st.integers(0, 60), max_size=8))
@example(text="abc", stop=("abc", "b"), places=[1, 2])
def test_however_the_bytes_arrive_the_text_is_the_same(
    text: str, stop: tuple[str, ...], places: list[int]
) -> None:
    data = text.encode()
    pieces, stopped = streamed(cut(data, places), stop)
    singles, stopped_at_once = streamed([data], stop)
    assert "".join(pieces) == "".join(singles)
    assert stopped == stopped_at_once


@given(text=texts, places=st.lists(st.integers(0, 60), max_size=8))
def test_without_stop_strings_nothing_is_lost(text: str, places: list[int]) -> None:
    pieces, stopped = streamed(cut(text.encode(), places))
    assert "".join(pieces) == text
    assert not stopped


@given(data=st.binary(max_size=30), places=st.lists(st.integers(0, 30), max_size=6))
def test_bytes_that_are_no_text_at_all_do_no_harm(data: bytes, places: list[int]) -> None:
    pieces, _ = streamed(cut(data, places))
    assert "".join(pieces) == data.decode("utf-8", "replace")


@given(text=texts, stop=stops)
def test_no_stop_string_is_ever_shown(text: str, stop: tuple[str, ...]) -> None:
    pieces, stopped = streamed([bytes([byte]) for byte in text.encode()], stop)
    shown = "".join(pieces)
    assert not any(word in shown for word in stop if word)
    assert stopped == any(word in text for word in stop if word)
