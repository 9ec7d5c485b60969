from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.frames import PeerGoneError, read_frame
from smallhold.engine.outbox import MAX_UNSENT_BYTES, Outbox, Outboxes
from smallhold.engine.wire import Counted, Failed, Reply, TextDelta, decode_reply
from smallhold.exceptions import DecodeError

LONG = "x" * 50_000


@pytest.fixture
def peer() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    with ours, theirs:
        yield ours, theirs


Pair = tuple[socket.socket, socket.socket]


def reply_on(connection: socket.socket) -> Reply:
    return decode_reply(read_frame(connection))


def fill(outbox: Outbox) -> int:
    """Emit text until no more is wanted; give how many pieces that took."""
    pieces = 0
    while outbox.is_ready():
        outbox.emit(TextDelta(text=LONG))
        outbox.flush()
        pieces += 1
    return pieces


def test_text_of_one_pass_travels_as_one_reply(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    for text in ("Once", " upon", " a"):
        outbox.emit(TextDelta(text=text))
    outbox.flush()
    outbox.emit(TextDelta(text=" time"))
    outbox.flush()
    assert reply_on(peer[0]) == TextDelta(text="Once upon a")
    assert reply_on(peer[0]) == TextDelta(text=" time")


def test_text_comes_before_what_was_said_after_it(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    outbox.emit(TextDelta(text="a"))
    outbox.emit(TextDelta(text="b"))
    outbox.fail(DecodeError(problem="no"))
    outbox.flush()
    assert reply_on(peer[0]) == TextDelta(text="ab")
    failed = reply_on(peer[0])
    assert isinstance(failed, Failed)
    assert failed.kind == "DecodeError"


def test_a_client_that_does_not_read_makes_nobody_wait(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    begun_s = time.monotonic()
    pieces = fill(outbox)
    assert time.monotonic() - begun_s < 2
    assert pieces * len(LONG) < MAX_UNSENT_BYTES + 2_000_000
    assert outbox.is_blocked
    assert not outbox.is_gone()


def test_a_client_that_reads_again_gets_all_and_may_have_more(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    pieces = fill(outbox)
    outbox.close()
    text = ""
    while len(text) < pieces * len(LONG):
        reply = reply_on(peer[0])
        assert isinstance(reply, TextDelta)
        text += reply.text
        outbox.flush()
    assert text == LONG * pieces
    with pytest.raises(PeerGoneError):
        read_frame(peer[0])


def test_an_outbox_is_ready_again_once_its_client_has_read(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    fill(outbox)
    for _ in range(20):
        reply_on(peer[0])
        outbox.flush()
        if outbox.is_ready():
            return
    pytest.fail("it never became ready")


def test_it_closes_when_everything_has_been_sent_and_not_before(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    outbox.emit(Counted(tokens=1))
    assert not outbox.flush()
    outbox.close()
    assert outbox.flush()
    assert reply_on(peer[0]) == Counted(tokens=1)
    assert peer[0].recv(1) == b""


def test_a_client_that_left_is_seen_and_what_it_did_not_read_is_dropped(peer: Pair) -> None:
    outbox = Outbox(peer[1])
    fill(outbox)
    assert not outbox.is_gone()
    peer[0].close()
    assert outbox.is_gone()
    outbox.flush()
    assert not outbox.is_blocked
    outbox.close()
    assert outbox.flush()


@given(
    st.lists(
        st.one_of(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            st.integers(0, 9),
            st.just(value=None),
        ),
        max_size=20,
    )
)
def test_whatever_the_order_all_arrives_in_it(steps: list[str | int | None]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        outbox = Outbox(theirs)
        for step in steps:
            match step:
                case str():
                    outbox.emit(TextDelta(text=step))
                case int():
                    outbox.emit(Counted(tokens=step))
                case None:
                    outbox.flush()
        outbox.close()
        assert outbox.flush()
        received = ""
        while ours.recv(1, socket.MSG_PEEK):
            reply = reply_on(ours)
            received += reply.text if isinstance(reply, TextDelta) else f"<{reply}>"
    said = (f"<{Counted(tokens=s)}>" if isinstance(s, int) else s or "" for s in steps)
    assert received == "".join(said)


def test_a_slow_client_delays_no_other(peer: Pair) -> None:
    outboxes = Outboxes()
    fill(outboxes.open(peer[1]))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        quick = outboxes.open(theirs)
        quick.emit(Counted(tokens=7))
        quick.close()
        outboxes.flush()
        assert reply_on(ours) == Counted(tokens=7)
        assert ours.recv(1) == b""


def test_sleeping_ends_when_the_bell_rings(peer: Pair) -> None:
    peer[0].sendall(b"!")
    Outboxes().wait(peer[1])


def test_sleeping_ends_when_a_slow_client_reads(peer: Pair) -> None:
    outboxes = Outboxes()
    fill(outboxes.open(peer[1]))
    begun_s = time.monotonic()
    outboxes.wait(limit_s=0.05)
    assert time.monotonic() - begun_s >= 0.04
    while select.select([peer[0]], [], [], 0)[0]:
        peer[0].recv(len(LONG))
    outboxes.wait()


def test_saying_farewell_takes_no_longer_than_allowed(peer: Pair) -> None:
    outboxes = Outboxes()
    outbox = outboxes.open(peer[1])
    fill(outbox)
    outbox.close()
    begun_s = time.monotonic()
    outboxes.drain(limit_s=0.2)
    assert 0.15 < time.monotonic() - begun_s < 2
