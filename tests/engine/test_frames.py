from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.frames import FrameAssembly, PeerGoneError, is_closed, read_frame
from smallhold.engine.wire import LENGTH, MAX_FRAME_BYTES, TextDelta, decode_reply, encode_frame

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@given(body=st.binary(max_size=40), cuts=st.lists(st.integers(1, 9), min_size=1))
def test_a_frame_is_the_same_however_it_was_cut(body: bytes, cuts: list[int]) -> None:
    following = b"\0\0\0\1x"
    stream = LENGTH.pack(len(body)) + body + following
    assembly = FrameAssembly()
    turn = 0
    while assembly.body is None:
        size = min(cuts[turn % len(cuts)], assembly.missing_bytes)
        assembly.feed(stream[:size])
        stream = stream[size:]
        turn += 1
    assert assembly.body == body
    assert stream == following
    assert assembly.missing_bytes == 0


def test_a_frame_arrives_as_it_was_written(pair: Pair) -> None:
    pair[0].sendall(encode_frame(TextDelta(text="héllo")))
    assert decode_reply(read_frame(pair[1])) == TextDelta(text="héllo")


def test_frames_arrive_one_by_one_and_in_order(pair: Pair) -> None:
    for text in "abc":
        pair[0].sendall(encode_frame(TextDelta(text=text)))
    assert [decode_reply(read_frame(pair[1])) for _ in range(3)] == [
        TextDelta(text=text) for text in "abc"
    ]


def test_a_frame_may_arrive_in_many_pieces(pair: Pair) -> None:
    message = TextDelta(text="x" * 1_000_000)
    writer = threading.Thread(target=pair[0].sendall, args=(encode_frame(message),))
    writer.start()
    body = read_frame(pair[1])
    writer.join()
    assert decode_reply(body) == message


def test_a_socket_that_does_not_block_is_read_in_several_goes(pair: Pair) -> None:
    frame = encode_frame(TextDelta(text="in pieces"))
    pair[1].settimeout(0.0)
    assembly = FrameAssembly()
    for piece in (frame[:2], frame[2:7]):
        pair[0].sendall(piece)
        with pytest.raises(BlockingIOError):
            read_frame(pair[1], assembly)
    pair[0].sendall(frame[7:])
    assert decode_reply(read_frame(pair[1], assembly)) == TextDelta(text="in pieces")


@pytest.mark.parametrize("sent", [b"", b"\0\0", LENGTH.pack(5) + b"1234"])
def test_an_end_in_the_middle_of_a_frame_is_the_peer_leaving(pair: Pair, sent: bytes) -> None:
    pair[0].sendall(sent)
    pair[0].close()
    with pytest.raises(PeerGoneError):
        read_frame(pair[1])


def test_an_absurd_length_is_not_waited_for(pair: Pair) -> None:
    pair[0].sendall(LENGTH.pack(MAX_FRAME_BYTES + 1))
    with pytest.raises(PeerGoneError):
        read_frame(pair[1])


def test_an_open_peer_is_open_whether_or_not_it_has_written(pair: Pair) -> None:
    assert not is_closed(pair[1])
    pair[0].sendall(encode_frame(TextDelta(text="x")))
    assert not is_closed(pair[1])
    assert decode_reply(read_frame(pair[1])) == TextDelta(text="x")


def test_a_closed_peer_is_seen_without_waiting(pair: Pair) -> None:
    pair[0].close()
    assert is_closed(pair[1])


def test_a_socket_of_ones_own_that_is_closed_counts_as_closed(pair: Pair) -> None:
    pair[1].close()
    assert is_closed(pair[1])
