from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.counting import (
    BATCH,
    CHUNK,
    LEGAL,
    PLAIN,
    TOO_LONG,
    Listener,
    Room,
    Service,
    Wish,
    counting,
)

from smallhold.engine.batch import linear_batch
from smallhold.engine.program import Program, Step, Wait
from smallhold.exceptions import DeadlineExceededError, DecodeError, QueueFullError


def after(number: int, count: int = 3) -> list[int]:
    return list(range(number + 1, number + 1 + count))


def failing(*, steps: int) -> Program:
    """Take some steps, then find that something cannot be done."""
    for place in range(steps):
        yield Step(batch=linear_batch([1], start=place, sequence=99, outputs=1), mode=PLAIN)
    raise TOO_LONG


def test_a_request_is_answered() -> None:
    service = Service()
    listener = service.ask(Wish(answer=3))
    service.finish()
    assert listener.answer == after(0)
    assert (listener.errors, listener.closed) == ([], 1)


def test_a_scheduler_without_tasks_has_nothing_to_compute() -> None:
    service = Service()
    assert service.scheduler.is_idle
    assert not service.scheduler.run_pass()


def test_requests_share_passes_and_get_their_own_outputs() -> None:
    service = Service()
    listeners = [service.ask(Wish(prompt=3, answer=5)) for _ in range(4)]
    service.finish()
    assert service.sizes == [12, 4, 4, 4, 4]
    assert [listener.answer for listener in listeners] == [after(n, 5) for n in range(4)]


def test_a_prompt_longer_than_a_pass_is_read_in_several() -> None:
    service = Service()
    listener = service.ask(Wish(prompt=70, answer=2))
    service.finish()
    assert service.sizes == [32, 32, 6, 1]
    assert listener.answer == after(0, 2)


def test_a_long_prompt_never_stalls_an_answer_for_more_than_a_chunk() -> None:
    service = Service()
    stream = service.ask(Wish(answer=30))
    service.run(2)
    service.ask(Wish(prompt=100))
    service.run(10)
    assert len(stream.answer) == 12
    assert service.sizes[2:] == [1 + CHUNK] * 10


def test_a_short_prompt_overtakes_a_long_one_that_is_being_read() -> None:
    service = Service()
    long = service.ask(Wish(prompt=300))
    service.run(2)
    short = service.ask(Wish(prompt=10, answer=1))
    service.run(1)
    assert short.answer == after(1, 1)
    service.finish()
    assert long.answer == after(0)


def test_equal_prompts_are_read_in_the_order_of_their_arrival() -> None:
    service = Service()
    for _ in range(3):
        service.ask(Wish(prompt=64))
    service.finish()
    first_pass = [next(at for at, n in enumerate(service.tokens_of(who)) if n) for who in range(3)]
    assert first_pass == sorted(set(first_pass))


def test_requests_of_another_mode_take_turns() -> None:
    service = Service()
    plain, other = service.ask(Wish(answer=20)), service.ask(Wish(answer=20, mode=LEGAL))
    service.run(20)
    assert abs(len(plain.answer) - len(other.answer)) <= 1
    assert service.evaluator.modes.count(LEGAL) == pytest.approx(10, abs=1)


def test_the_better_priority_starts_first_and_equals_in_order_of_arrival() -> None:
    service = Service(concurrent=1)
    listeners = [service.ask(Wish(answer=1), priority=priority) for priority in (2, 1, 0, 1)]
    order: list[int] = []
    while not service.scheduler.is_idle:
        service.run()
        order += [n for n, who in enumerate(listeners) if who.closed and n not in order]
    assert order == [2, 1, 3, 0]


def test_the_prompt_of_the_better_priority_is_read_first() -> None:
    service = Service()
    service.ask(Wish(prompt=200), priority=2)
    service.run()
    service.ask(Wish(prompt=200), priority=0)
    service.run(3)
    assert service.tokens_of(0) == [BATCH, 0, 0, 0]


def test_no_more_requests_run_than_may() -> None:
    service = Service(concurrent=2)
    for _ in range(5):
        service.ask(Wish(answer=4))
    service.run()
    assert service.sizes == [2]


def test_traffic_tells_how_many_tokens_of_answers_the_last_pass_carried() -> None:
    service = Service()
    service.ask(Wish(prompt=5, answer=9))
    service.run()
    assert service.scheduler.traffic.rows == 0
    service.ask(Wish(prompt=5, answer=9))
    service.run(2)
    assert service.scheduler.traffic.rows == 2


@pytest.mark.parametrize("passes", [0, 1, 3], ids=["queued", "reading", "answering"])
def test_nothing_is_computed_for_a_client_that_is_gone(passes: int) -> None:
    service = Service(concurrent=1)
    listener = service.ask(Wish(prompt=40, answer=9))
    service.run(passes)
    listener.gone = True
    service.run()
    assert service.scheduler.is_idle
    assert (len(service.sizes), listener.closed, listener.errors) == (passes, 1, [])


def test_traffic_is_over_when_the_last_request_has_ended() -> None:
    service = Service()
    service.ask(Wish(answer=3))
    service.finish()
    assert service.scheduler.is_idle
    assert service.scheduler.traffic.rows == 0


def test_the_place_of_a_client_that_is_gone_is_taken_at_once() -> None:
    service = Service(concurrent=1)
    gone, next_one = service.ask(Wish(answer=9)), service.ask()
    service.run(2)
    gone.gone = True
    service.run()
    assert next_one.answer == after(1, 1)


@pytest.mark.parametrize("concurrent", [1, 2], ids=["queued", "running"])
def test_a_request_ends_when_its_time_is_up(concurrent: int) -> None:
    service = Service(concurrent=concurrent)
    service.ask(Wish(answer=50))
    late = service.ask(Wish(answer=50), timeout_s=5.0)
    service.run(6)
    assert not late.closed
    service.run()
    (error,) = late.errors
    assert isinstance(error, DeadlineExceededError)
    assert (error.limit_s, late.closed) == (5.0, 1)


def test_a_client_that_does_not_read_is_left_out_until_it_does() -> None:
    service = Service()
    slow, other = service.ask(Wish(answer=9)), service.ask(Wish(answer=9))
    service.run(2)
    slow.ready = False
    service.run(3)
    assert (len(slow.answer), len(other.answer)) == (2, 5)
    slow.ready = True
    service.finish()
    assert slow.answer == after(0, 9)


def test_nothing_is_computed_while_no_client_reads() -> None:
    service = Service()
    service.ask().ready = False
    assert not service.scheduler.run_pass()
    assert not service.scheduler.is_idle


def test_a_request_beyond_the_queue_is_refused_with_a_time_to_come_again() -> None:
    service = Service(concurrent=1, queue_limit=2)
    for _ in range(3):
        service.ask(Wish(answer=9))
        service.run()
    refused = service.ask()
    (error,) = refused.errors
    assert isinstance(error, QueueFullError)
    assert (error.limit, refused.closed) == (2, 1)
    assert error.retry_after_s >= 1


def test_the_time_to_come_again_grows_with_what_requests_take() -> None:
    def advised_s(answer: int) -> float:
        service = Service(concurrent=1, queue_limit=1)
        for _ in range(5):
            service.ask(Wish(answer=answer))
            service.run(answer)
        refused = [service.ask() for _ in range(3)][-1]
        (error,) = refused.errors
        assert isinstance(error, QueueFullError)
        return error.retry_after_s

    assert advised_s(20) > 2 * advised_s(2) > 2


def test_requests_that_come_between_two_passes_are_bounded_too() -> None:
    service = Service(concurrent=1, queue_limit=2)
    listeners = [service.ask() for _ in range(10)]
    assert [bool(listener.errors) for listener in listeners] == [False] * 3 + [True] * 7


def test_the_queue_is_bounded_while_places_are_free_but_no_room() -> None:
    service = Service(concurrent=4, queue_limit=2)
    room = Room(free=0)
    for _ in range(20):
        service.ask(Wish(room=room))
        service.run()
    refused = service.ask()
    assert isinstance(refused.errors[0], QueueFullError)


def test_without_a_queue_a_free_place_still_serves() -> None:
    service = Service(concurrent=1, queue_limit=0)
    assert not service.ask().errors
    service.finish()
    assert not service.ask().errors


def test_the_canary_starts_although_everything_is_full() -> None:
    service = Service(concurrent=1, queue_limit=1)
    service.ask(Wish(answer=9))
    service.run()
    service.ask(Wish(answer=9))
    canary = service.ask(Wish(answer=1), priority=-1)
    service.run()
    assert (canary.answer, canary.closed) == (after(2, 1), 1)


def test_the_canary_does_not_wait_behind_requests_that_wait_for_room() -> None:
    service = Service()
    service.ask(Wish(room=Room(free=0)))
    canary = service.ask(Wish(answer=1), priority=-1)
    service.run()
    assert canary.answer == after(1, 1)


def test_nobody_overtakes_a_request_that_waits_for_room() -> None:
    service = Service()
    room = Room(free=2)
    service.ask(Wish(answer=4, room=room))
    large = service.ask(Wish(answer=1, room=room, room_needed=2))
    small = service.ask(Wish(answer=1, room=room), priority=0)
    service.scheduler.run_pass()
    # What is there already when the pass begins goes by priority.
    assert small.answer == after(2, 1)
    smaller = service.ask(Wish(answer=1, room=room))
    service.run(3)
    assert (large.answer, smaller.answer) == ([], [])
    service.run()
    assert large.answer == after(1, 1)
    service.finish()
    assert smaller.answer == after(3, 1)


@pytest.mark.parametrize("waiting", [0, 1, 2])
@pytest.mark.parametrize("later", [0, 1, 2])
def test_only_a_more_urgent_request_overtakes_one_that_waits_for_room(
    waiting: int, later: int
) -> None:
    service = Service()
    room = Room(free=0)
    blocked = service.ask(Wish(answer=1, room=room), priority=waiting)
    service.run()
    other = service.ask(Wish(answer=1), priority=later)
    service.run(3)
    assert (other.answer != []) == (later < waiting)
    room.free = 1
    service.finish()
    assert (blocked.answer, other.answer) == (after(0, 1), after(1, 1))


def test_behind_the_urgent_one_that_overtakes_the_others_wait_on() -> None:
    service = Service()
    room = Room(free=0)
    service.ask(Wish(answer=1, room=room), priority=1)
    service.run()
    late, equal, urgent = (service.ask(Wish(answer=1), priority=given) for given in (2, 1, 0))
    service.run(3)
    assert urgent.answer == after(3, 1)
    assert (late.answer, equal.answer) == ([], [])


def test_an_urgent_request_does_not_overtake_where_every_place_is_taken() -> None:
    service = Service(concurrent=1)
    service.ask(Wish(answer=1, room=Room(free=0)), priority=2)
    service.run()
    urgent = service.ask(Wish(answer=1), priority=0)
    service.run(3)
    assert urgent.answer == []


def test_an_urgent_request_that_waits_for_room_itself_holds_up_the_less_urgent() -> None:
    service = Service()
    room = Room(free=0)
    for priority in (1, 0):
        service.ask(Wish(answer=1, room=room), priority=priority)
        service.run()
    later = service.ask(Wish(answer=1), priority=1)
    service.run(3)
    assert later.answer == []


def test_a_request_that_waits_for_another_ones_progress_holds_nobody_up() -> None:
    def waiting() -> Program:
        while len(leader.answer) < 3:
            yield Wait(for_room=False)

    service = Service()
    leader, follower = service.ask(Wish(answer=5)), Listener()
    service.add(waiting(), follower)
    later = service.ask(Wish(answer=1))
    service.run()
    assert later.answer == after(1, 1)
    service.run(3)
    assert (follower.closed, leader.closed) == (1, 0)


@pytest.mark.parametrize("steps", [0, 2])
def test_an_error_of_a_program_ends_that_request_alone(steps: int) -> None:
    service = Service()
    bad, good = Listener(), service.ask(Wish(answer=5))
    service.add(failing(steps=steps), bad)
    service.finish()
    assert (bad.errors, bad.closed) == ([TOO_LONG], 1)
    assert good.answer == after(0, 5)


def test_a_failed_pass_reaches_every_program_in_it_and_no_other() -> None:
    service = Service(concurrent=3)
    inside = [service.ask(Wish(answer=9)) for _ in range(2)]
    slow, queued = service.ask(Wish(answer=9)), service.ask(Wish(answer=9))
    service.run(2)
    slow.ready = False
    service.evaluator.is_broken = True
    service.run()
    service.evaluator.is_broken, slow.ready = False, True
    for listener in inside:
        assert isinstance(listener.errors[0], DecodeError)
        assert listener.seen_by_program == listener.errors
        assert listener.closed == 1
    service.finish()
    assert slow.answer == after(2, 9)
    assert queued.answer == after(3, 9)


def swallowing(*, goes_on: bool) -> Program:
    step = Step(batch=linear_batch([1], start=0, sequence=99, outputs=1), mode=PLAIN)
    try:
        yield step
    except DecodeError:
        if goes_on:
            yield step


@pytest.mark.parametrize("goes_on", [False, True])
def test_a_request_ends_with_a_failed_pass_whatever_its_program_does(*, goes_on: bool) -> None:
    service = Service()
    listener = Listener()
    service.add(swallowing(goes_on=goes_on), listener)
    service.evaluator.is_broken = True
    service.run()
    assert service.scheduler.is_idle
    assert (len(listener.errors), listener.closed) == (int(goes_on), 1)


def test_a_program_is_closed_when_its_client_goes() -> None:
    service = Service()
    room, listener = Room(free=1), Listener()
    program = counting(Wish(answer=9, room=room), listener, sequence=0)
    service.add(program, listener)
    service.run(2)
    assert room.free == 0
    listener.gone = True
    service.run()
    # Although somebody still holds the program itself.
    assert room.free == 1
    assert next(program, None) is None


def test_all_can_be_failed_at_once() -> None:
    service = Service(concurrent=2)
    listeners = [service.ask(Wish(answer=9)) for _ in range(4)]
    service.run(2)
    service.scheduler.fail_all(TOO_LONG)
    assert service.scheduler.is_idle
    assert [(who.errors, who.closed) for who in listeners] == [([TOO_LONG], 1)] * 4


@pytest.mark.parametrize("steps", [0, 1])
def test_after_a_fault_in_the_middle_of_a_pass_each_client_is_told_once(steps: int) -> None:
    def without_memory() -> Program:
        for place in range(steps):
            yield Step(batch=linear_batch([1], start=place, sequence=99, outputs=1), mode=PLAIN)
        raise MemoryError

    service = Service()
    done, unlucky = service.ask(Wish(answer=1)), Listener()
    service.add(without_memory(), unlucky)
    going = service.ask(Wish(answer=9))
    with pytest.raises(MemoryError):
        service.run()
    service.scheduler.fail_all(TOO_LONG)
    told = [TOO_LONG]
    assert (unlucky.errors, going.errors) == (told, told)
    assert done.errors == ([] if done.answer else told)
    assert [who.closed for who in (done, unlucky, going)] == [1, 1, 1]


@st.composite
def days(draw: st.DrawFn) -> list[tuple[str, int]]:
    """What happens, one after the other: an event and a number that says more about it."""
    kinds = st.sampled_from(["ask", "ask", "ask", "pass", "pass", "leave", "slow", "read", "break"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 100)), max_size=60))


def happens(service: Service, listeners: list[Listener], *, kind: str, number: int) -> None:
    someone = listeners[number % len(listeners)] if listeners else Listener()
    if kind == "ask":
        wish = Wish(
            prompt=1 + number,
            answer=1 + number % 7,
            mode=LEGAL if number % 3 == 0 else PLAIN,
        )
        timeout_s = 9.0 if number % 5 == 0 else None
        listeners.append(service.ask(wish, priority=number % 4 - 1, timeout_s=timeout_s))
    elif kind == "leave":
        someone.gone = True
    elif kind in {"slow", "read"}:
        someone.ready = kind == "read"
    service.evaluator.is_broken = kind == "break" and number % 4 == 0
    service.run()
    service.evaluator.is_broken = False


@given(day=days())
def test_whatever_happens_each_client_is_closed_once_and_hears_only_its_own(
    day: list[tuple[str, int]],
) -> None:
    service = Service(concurrent=3, queue_limit=2)
    listeners: list[Listener] = []
    for kind, number in day:
        happens(service, listeners, kind=kind, number=number)
        assert all(who.closed <= 1 and len(who.errors) <= who.closed for who in listeners)
    for who in listeners:
        who.ready = True
    service.finish()
    for number, who in enumerate(listeners):
        assert who.closed == 1
        assert who.answer == after(number, len(who.answer))
        assert who.answer or who.errors or who.gone
