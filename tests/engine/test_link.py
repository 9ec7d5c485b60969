from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import anyio
import pytest

from smallhold.engine.frames import read_frame
from smallhold.engine.link import BrokenFrameError, Link, LinkLostError, open_link
from smallhold.engine.wire import (
    LENGTH,
    Counted,
    Describe,
    TextDelta,
    decode_command,
    decode_reply,
    encode_frame,
)

Ends = tuple[Link, socket.socket]
QUESTION = encode_frame(Describe())


@pytest.fixture
def ends() -> Iterator[Ends]:
    link, theirs = open_link(QUESTION)
    theirs.settimeout(5)
    with theirs:
        yield link, theirs
    link.close()


def test_the_request_is_there_before_anybody_has_waited(ends: Ends) -> None:
    assert decode_command(read_frame(ends[1])) == Describe()


async def test_replies_arrive_one_by_one_however_they_were_cut(ends: Ends) -> None:
    link, theirs = ends
    first, second = encode_frame(TextDelta(text="a")), encode_frame(Counted(tokens=2))
    theirs.sendall(first + second[:3])
    assert decode_reply(await link.receive()) == TextDelta(text="a")
    theirs.sendall(second[3:])
    assert decode_reply(await link.receive()) == Counted(tokens=2)


async def test_giving_up_waiting_loses_nothing(ends: Ends) -> None:
    link, theirs = ends
    frame = encode_frame(Counted(tokens=3))
    theirs.sendall(frame[:5])
    with anyio.move_on_after(0.05) as scope:
        await link.receive()
    assert scope.cancelled_caught
    theirs.sendall(frame[5:])
    assert decode_reply(await link.receive()) == Counted(tokens=3)


async def test_a_request_larger_than_the_buffer_is_sent_in_several_goes() -> None:
    frame = encode_frame(TextDelta(text="x" * 3_000_000))
    link, theirs = open_link(frame)
    theirs.settimeout(5)
    received: list[bytes] = []
    with theirs:
        with anyio.move_on_after(0.05) as scope:
            await link.finish_sending()
        assert scope.cancelled_caught
        reader = threading.Thread(target=lambda: received.append(read_frame(theirs)))
        reader.start()
        await link.finish_sending()
        reader.join()
    link.close()
    assert received == [frame[LENGTH.size :]]


async def test_an_end_after_the_request_was_read_says_so(ends: Ends) -> None:
    link, theirs = ends
    read_frame(theirs)
    theirs.close()
    with pytest.raises(LinkLostError) as caught:
        await link.receive()
    assert caught.value.was_read


@pytest.mark.parametrize("read_bytes", [0, 5])
async def test_an_end_before_the_request_was_read_says_so(ends: Ends, read_bytes: int) -> None:
    link, theirs = ends
    theirs.recv(read_bytes)
    theirs.close()
    with pytest.raises(LinkLostError) as caught:
        await link.receive()
    assert not caught.value.was_read


async def test_an_end_on_the_way_to_the_worker_is_an_end_before_it_was_read() -> None:
    link, theirs = open_link(QUESTION)
    control, worker = socket.socketpair()
    with theirs:
        socket.send_fds(control, [b"r"], [theirs.fileno()])
    control.close()
    worker.close()
    with pytest.raises(LinkLostError) as caught:
        await link.receive()
    assert not caught.value.was_read
    link.close()


async def test_a_request_that_cannot_be_finished_was_not_read() -> None:
    link, theirs = open_link(encode_frame(TextDelta(text="x" * 3_000_000)))
    theirs.close()
    with pytest.raises(LinkLostError) as caught:
        await link.finish_sending()
    assert not caught.value.was_read
    link.close()


async def test_an_absurd_length_is_not_waited_for(ends: Ends) -> None:
    link, theirs = ends
    theirs.sendall(LENGTH.pack(2**32 - 1))
    with pytest.raises(BrokenFrameError):
        await link.receive()
