from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.tiny_models import write_llama, write_lora, write_recurrent, write_sliding_window

from smallhold.engine.config import ModelConfig
from smallhold.engine.lease import MIN_KEPT_TOKENS, segment_ends, take_lease
from smallhold.engine.llama import SEGMENT_TOKENS
from smallhold.engine.program import Wait
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.exceptions import UnknownAdapterError
from smallhold.generation import GenerationRequest, LarkConstraint, Prompt, ScoreRequest
from smallhold.messages import FinishReason, Message, Role

if TYPE_CHECKING:
    from tests.engine.conftest import Answer, Asking, Driver, Start

SYSTEM = "You serve the guests of a small hotel by the sea, briefly and with kindness. " * 8
QUESTIONS = (
    "Is there a room with a view?",
    "When is breakfast?",
    "May I bring my dog?",
    "How far is the beach?",
    "Is there a lift?",
    "Do you take cards?",
    "Where can I park?",
    "Is the sea warm in May?",
)
LONGWINDED = QUESTIONS[-1]
"""What none of the small models answers in less than fifty tokens."""
CHOICES = ("yes", "no", "no dogs", "perhaps in the morning")
EXACT_NATS = 1e-3
"""The random weights are float32, so a log-probability hardly depends on the batch's shape."""
TINY_WRITERS = {
    "llama": write_llama, "sliding window": write_sliding_window, "recurrent": write_recurrent,
}  # fmt: skip
DIVISIBLE = pytest.mark.parametrize("tiny_path", ["llama"], indirect=True)
"""Memory that can be shared and put together position by position."""
WHOLE = pytest.mark.parametrize("tiny_path", ["sliding window", "recurrent"], indirect=True)
"""Memory whose states can be continued only where they end."""
ANY_MEMORY = pytest.mark.parametrize("tiny_path", TINY_WRITERS, indirect=True)


@pytest.fixture(scope="module")
def tiny_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return TINY_WRITERS[request.param](tmp_path_factory.mktemp("models") / "model.gguf")


@pytest.fixture
def tiny_config(tiny_path: Path) -> ModelConfig:
    return ModelConfig(
        path=tiny_path, name="tiny", context_tokens=2048, cache_bytes=64 * 1024 * 1024,
        batch_tokens=256, chunk_tokens=64, threads=1,
    )  # fmt: skip


def asked(ask: Asking, text: str = QUESTIONS[0], *, tokens: int = 8) -> GenerationRequest:
    return GenerationRequest(prompt=ask(text, system=SYSTEM), max_tokens=tokens)


def sizes(driver: Driver, request: GenerationRequest) -> tuple[int, int]:
    """Tokens in a prompt, and in its unchanging beginning."""
    encoded = driver.loaded.encoder.encode(request.prompt, splits_tail=False)
    return len(encoded.tokens), encoded.stable_tokens


def answered(answers: list[Answer]) -> list[str]:
    assert [answer.error for answer in answers] == [None] * len(answers)
    return [answer.text for answer in answers]


def prompt_tokens_computed(answers: list[Answer]) -> int:
    usages = [answer.finished.usage for answer in answers]
    return sum(usage.prompt_tokens - usage.cached_tokens for usage in usages)


@st.composite
def unknown_runs(draw: st.DrawFn) -> tuple[int, int, int]:
    """What is known, where the unchanging beginning ends, and where all that is held does."""
    known = draw(st.integers(0, 3000))
    return known, draw(st.integers(0, 4000)), draw(st.integers(known, 4000))


@given(unknown_runs())
@example((0, 0, 0))
@example((0, SEGMENT_TOKENS, 2 * SEGMENT_TOKENS))
def test_segments_reach_from_what_is_known_to_the_end_in_order(run: tuple[int, int, int]) -> None:
    known, stable, end = run
    ends = segment_ends(known, stable=stable, end=end)
    assert ends == sorted(set(ends))
    assert all(known < cut <= end for cut in ends)
    assert ends[-1:] == ([end] if end > known else [])


@given(unknown_runs())
def test_no_segment_is_longer_than_may_be_serialised_together(run: tuple[int, int, int]) -> None:
    known, stable, end = run
    ends = segment_ends(known, stable=stable, end=end)
    lengths = [cut - before for before, cut in pairwise([known, *ends])]
    assert max(lengths, default=0) <= SEGMENT_TOKENS


@given(unknown_runs())
def test_a_segment_ends_where_the_unchanging_beginning_does(run: tuple[int, int, int]) -> None:
    known, stable, end = run
    is_new = known < stable <= end
    assert (stable in segment_ends(known, stable=stable, end=end)) or not is_new


@given(unknown_runs())
def test_no_more_segments_are_made_than_are_needed(run: tuple[int, int, int]) -> None:
    known, stable, end = run
    most = -(-(end - known) // SEGMENT_TOKENS) + 1
    assert len(segment_ends(known, stable=stable, end=end)) <= most


@ANY_MEMORY
def test_a_second_session_computes_only_its_own_text(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    driver.finish(asked(ask))
    second = asked(ask, QUESTIONS[1])
    total, stable = sizes(driver, second)
    _, finished = driver.finish(second)
    assert stable <= finished.usage.cached_tokens <= stable + MIN_KEPT_TOKENS
    computed = total - finished.usage.cached_tokens
    ends = finished.finish_reason is FinishReason.STOP
    assert sum(driver.batch_sizes) == computed + finished.usage.completion_tokens - 1 + ends


@DIVISIBLE
def test_the_next_turn_of_a_conversation_computes_only_what_is_new(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    first = asked(ask)
    text, end = driver.finish(first)
    messages = (
        *first.prompt.messages,
        Message(role=Role.ASSISTANT, content=text),
        Message(role=Role.USER, content=QUESTIONS[1]),
    )
    _, finished = driver.finish(GenerationRequest(prompt=Prompt(messages=messages), max_tokens=1))
    assert finished.usage.cached_tokens >= end.usage.prompt_tokens


@ANY_MEMORY
def test_a_herd_of_sessions_computes_the_beginning_they_share_once(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    requests = [asked(ask, text) for text in QUESTIONS]
    answers = driver.together(requests)
    everybody = [sizes(driver, request) for request in requests]
    stable = everybody[0][1]
    own = sum(total - stable for total, _ in everybody)
    assert prompt_tokens_computed(answers) <= stable + own
    herd = answered(answers)
    driver.forget_all()
    assert herd == [driver.finish(request)[0] for request in requests]


def test_a_herd_on_a_real_model_computes_the_beginning_once_too(
    driver: Driver, ask: Asking
) -> None:
    requests = [asked(ask, text, tokens=2) for text in QUESTIONS]
    answers = driver.together(requests)
    everybody = [sizes(driver, request) for request in requests]
    own = sum(total - stable for total, stable in everybody)
    assert prompt_tokens_computed(answers) <= everybody[0][1] + own


@ANY_MEMORY
def test_a_herd_whose_first_one_leaves_is_served_all_the_same(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    first, *others = [driver.ask(asked(ask, text)) for text in QUESTIONS[:4]]
    driver.serve(passes=1)
    assert driver.batch_sizes == [256]
    first.has_left = True
    driver.serve()
    assert all(answered(others))
    assert max(answer.finished.usage.cached_tokens for answer in others) >= 256


@DIVISIBLE
def test_a_request_forks_from_one_that_is_still_running(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, cache_bytes=0))
    requests = [asked(ask, text, tokens=30) for text in (LONGWINDED, "How far is the beach?")]
    alone = [driver.finish(request)[0] for request in requests]
    first = driver.ask(requests[0])
    driver.serve(passes=10)
    assert not first.is_closed
    second = driver.ask(requests[1])
    driver.serve()
    assert answered([first, second]) == alone
    # Nothing is parked in memory, so what is known can only come from the running one.
    assert second.finished.usage.cached_tokens >= sizes(driver, requests[0])[1]


@DIVISIBLE
def test_a_fork_goes_on_when_the_one_it_came_from_has_ended(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, cache_bytes=0))
    request = asked(ask, LONGWINDED, tokens=30)
    alone = driver.finish(request)[0]
    first = driver.ask(asked(ask, QUESTIONS[1], tokens=4))
    second = driver.ask(request)
    driver.serve(passes=8)
    assert (first.is_closed, second.is_closed) == (True, False)
    driver.serve()
    assert second.text == alone
    assert second.finished.usage.cached_tokens > 0


@DIVISIBLE
def test_a_conversation_that_branches_off_in_the_middle_uses_what_it_shares(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    shared = "The room was cold and the bed was hard. " * 10
    driver.finish(asked(ask, shared + "I want my money back."))
    other = asked(ask, shared + "But the soup was good, thank you.")
    total, stable = sizes(driver, other)
    text, finished = driver.finish(other)
    assert stable + 200 < finished.usage.cached_tokens < total
    again, end = driver.finish(other)
    assert (again, end.usage.cached_tokens) == (text, total - FRESH_TOKENS)
    driver.forget_all()
    assert driver.finish(other)[0] == text


@ANY_MEMORY
def test_without_a_cache_all_is_computed_and_answers_are_the_same(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    requests = [asked(ask, text, tokens=20) for text in QUESTIONS[:3]]
    with_cache, without = start(tiny_config), start(replace(tiny_config, cache_bytes=0))
    expected = [with_cache.finish(request)[0] for request in requests]
    assert [with_cache.finish(request)[0] for request in requests] == expected
    for _ in range(2):
        ours = [without.finish(request) for request in requests]
        assert [text for text, _ in ours] == expected
        assert [end.usage.cached_tokens for _, end in ours] == [0, 0, 0]


@ANY_MEMORY
def test_a_cache_too_small_for_everybody_changes_no_answer(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    requests = [
        GenerationRequest(prompt=ask(text, system=f"{number}. {SYSTEM}"), max_tokens=10)
        for number in range(4)
        for text in QUESTIONS[:2]
    ]
    expected = [driver.finish(request)[0] for request in requests]
    small = start(replace(tiny_config, cache_bytes=driver.loaded.prefixes.bytes // 3))
    for _ in range(2):
        assert [small.finish(request)[0] for request in requests] == expected
        assert 0 < small.loaded.prefixes.bytes <= small.loaded.prefixes.limit_bytes


@ANY_MEMORY
def test_answers_are_the_same_alone_together_and_again(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    requests = [asked(ask, text, tokens=16) for text in QUESTIONS]
    alone: list[str] = []
    for request in requests:
        driver.forget_all()
        alone.append(driver.finish(request)[0])
    driver.forget_all()
    for _ in range(2):
        assert answered(driver.together(requests)) == alone
    assert [driver.finish(request)[0] for request in requests] == alone


@WHOLE
def test_a_state_is_reused_only_where_it_was_kept_whole(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    driver.finish(asked(ask))
    _, stable = sizes(driver, asked(ask))
    _, again = driver.finish(asked(ask))
    _, other = driver.finish(asked(ask, QUESTIONS[1]))
    assert again.usage.cached_tokens == other.usage.cached_tokens == stable
    # Instructions that merely begin alike share nothing.
    changed = GenerationRequest(prompt=ask("Hello!", system=SYSTEM[:-20]), max_tokens=1)
    assert driver.finish(changed)[1].usage.cached_tokens == 0


@ANY_MEMORY
def test_a_request_left_in_the_middle_of_its_prompt_keeps_only_what_was_evaluated(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    everything = driver.free_sequences()
    request = asked(ask, "The room was cold. " * 30)
    expected = driver.finish(request)[0]
    driver.forget_all()
    answer = driver.ask(request)
    driver.serve(passes=2)
    answer.has_left = True
    driver.serve()
    assert driver.free_sequences() == everything
    tokens = driver.loaded.encoder.encode(request.prompt, splits_tail=False).tokens
    computed = sum(driver.batch_sizes[-2:])
    assert computed < len(tokens)
    assert driver.loaded.prefixes.match(tokens, adapter=None).tokens == computed
    text, finished = driver.finish(request)
    assert (text, finished.usage.cached_tokens) == (expected, computed)


@DIVISIBLE
def test_nobody_is_given_more_room_than_the_context_has(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    # Room for about one and a half of these at a time.
    driver = start(replace(tiny_config, context_tokens=1024, active_tokens=1024))
    requests = [
        GenerationRequest(prompt=ask("word " * 60 + text, system=text), max_tokens=300)
        for text in QUESTIONS
    ]
    expected = [driver.finish(request)[0] for request in requests]
    driver.forget_all()
    assert answered(driver.together(requests)) == expected


@DIVISIBLE
def test_beginnings_too_short_to_be_waited_for_each_need_room(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    small = replace(tiny_config, context_tokens=1024, active_tokens=1024)
    # All prompts are read in one pass, so that nobody has left before the last one is in.
    driver = start(replace(small, batch_tokens=1280, chunk_tokens=1280))
    requests = [
        GenerationRequest(
            prompt=ask("Hello! " * 10, system=f"Be very brief and kind. {place}{text:26}"),
            constraint=LarkConstraint(grammar="start: /[a-z]{24}/"),
            max_tokens=24,
        )
        for place, text in enumerate(QUESTIONS)
    ]
    lengths = [sizes(driver, request)[0] for request in requests]
    room = driver.loaded.context.capacity_tokens - SEGMENT_TOKENS
    assert sum(lengths) + 23 * 8 > room > sum(lengths)
    expected = [driver.finish(request)[0] for request in requests]
    driver.forget_all()
    assert answered(driver.together(requests)) == expected


@DIVISIBLE
def test_adapters_that_read_the_same_prompt_each_need_room_for_it(
    start: Start, tiny_config: ModelConfig, ask: Asking, tmp_path: Path
) -> None:
    adapters = {
        name: write_lora(tmp_path / f"{name}.gguf", base=tiny_config.path, seed=seed)
        for seed, name in enumerate("abcd", start=5)
    }
    config = replace(tiny_config, context_tokens=1024, active_tokens=1024, adapters=adapters)
    driver = start(config)
    prompt = ask("Hello!", system=SYSTEM)
    requests = [
        GenerationRequest(prompt=replace(prompt, adapter=name), max_tokens=20)
        for name in (None, *adapters)
    ]
    expected = [driver.finish(request)[0] for request in requests]
    driver.forget_all()
    assert answered(driver.together(requests)) == expected


@DIVISIBLE
def test_a_long_conversation_serves_a_short_one_while_another_long_one_runs(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, context_tokens=1024, active_tokens=1024))
    complaint, system = "The room was cold and the bed was hard. ", "Be kind to your guests."
    short = GenerationRequest(prompt=ask(complaint * 3, system=system), max_tokens=4)
    expected = driver.finish(short)[0]
    driver.forget_all()
    driver.finish(GenerationRequest(prompt=ask(complaint * 27, system=system), max_tokens=4))
    other = driver.ask(GenerationRequest(prompt=ask(f"{LONGWINDED} " * 20), max_tokens=100))
    driver.serve(passes=6)
    assert not other.is_closed
    answer = driver.ask(short)
    driver.serve()
    assert answered([answer, other])[0] == expected
    assert answer.finished.usage.cached_tokens > 100


@DIVISIBLE
def test_a_long_conversation_is_kept_in_pieces_that_there_is_room_to_unpack(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, context_tokens=1024, active_tokens=1024))
    request = asked(ask, "The room was cold and the bed was hard. " * 15)
    driver.finish(request)
    tokens = driver.loaded.encoder.encode(request.prompt, splits_tail=False).tokens
    pieces = driver.loaded.prefixes.match(tokens, adapter=None).pieces
    sizes_kept = [piece.segment.end - piece.segment.start for piece in pieces]
    assert sum(sizes_kept) >= len(tokens) > 2 * SEGMENT_TOKENS
    assert max(sizes_kept) < SEGMENT_TOKENS + MIN_KEPT_TOKENS


def writing_at_length(driver: Driver, ask: Asking, system: str, *, tokens: int) -> Answer:
    """Start a request that fills so many cells with its prompt, and is not quickly done."""
    text = ""
    request = GenerationRequest(prompt=ask(text, system=system))
    while sizes(driver, request)[0] < tokens:
        text += "word "
        request = GenerationRequest(
            prompt=ask(text, system=system),
            constraint=LarkConstraint(grammar="start: /[a-z]{24}/"),
            max_tokens=24,
        )
    return driver.ask(request)


@DIVISIBLE
def test_beside_all_who_run_there_is_room_to_unpack_what_is_known(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, context_tokens=1024, active_tokens=1024))
    complaint, prefixes = "The room was cold and the bed was hard. ", driver.loaded.prefixes
    short = GenerationRequest(prompt=ask(complaint * 9), max_tokens=4)
    driver.finish(GenerationRequest(prompt=ask(complaint * 17), max_tokens=4))
    tokens = driver.loaded.encoder.encode(short.prompt, splits_tail=False).tokens
    known = prefixes.match(tokens, adapter=None)
    # Only the beginning of a segment is wanted, and it is unpacked whole.
    assert known.pieces[-1].end < known.pieces[-1].segment.end - 100
    running = [writing_at_length(driver, ask, name, tokens=525) for name in ("Ann", "Bob")]
    driver.serve(passes=8)
    assert not any(answer.is_closed for answer in running)
    answer = driver.ask(short)
    driver.serve()
    assert answered([*running, answer])
    assert answer.finished.usage.cached_tokens == known.tokens


@ANY_MEMORY
def test_a_prompt_waits_while_its_beginning_is_being_computed(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    driver.ask(asked(ask))
    driver.serve(passes=1)
    encoded = driver.loaded.encoder.encode(asked(ask, QUESTIONS[1]).prompt, splits_tail=False)
    program = take_lease(driver.loaded, encoded, answer_tokens=8, adapter=None)
    assert next(program) == Wait(for_room=False)
    program.close()
    driver.serve()


@DIVISIBLE
def test_a_prompt_waits_for_room_where_every_sequence_is_taken(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(replace(tiny_config, concurrent_requests=1))
    running = driver.ask(asked(ask, LONGWINDED, tokens=20))
    driver.serve(passes=6)
    assert not running.is_closed
    encoded = driver.loaded.encoder.encode(ask("Hello!"), splits_tail=False)
    program = take_lease(driver.loaded, encoded, answer_tokens=8, adapter=None)
    assert next(program) == Wait(for_room=True)
    program.close()
    driver.serve()


@DIVISIBLE
def test_an_adapter_that_was_not_loaded_is_refused(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    encoded = driver.loaded.encoder.encode(ask("Hello!"), splits_tail=False)
    with pytest.raises(UnknownAdapterError):
        next(take_lease(driver.loaded, encoded, answer_tokens=8, adapter="pirate"))


@ANY_MEMORY
def test_choices_score_the_same_from_cache_fork_and_nothing(
    start: Start, tiny_config: ModelConfig, ask: Asking
) -> None:
    driver = start(tiny_config)
    request = ScoreRequest(prompt=ask("May I bring my dog?", system=SYSTEM), choices=CHOICES)
    expected = driver.score(request).log_probs
    warm = driver.score(request)
    assert warm.usage.cached_tokens > 0
    assert warm.log_probs == pytest.approx(expected, abs=EXACT_NATS)
    driver.forget_all()
    stream = driver.ask(asked(ask, LONGWINDED, tokens=30))
    driver.serve(passes=8)
    forked = driver.ask(request)
    driver.serve()
    assert stream.finished.usage.completion_tokens == 30
    assert forked.scored.log_probs == pytest.approx(expected, abs=EXACT_NATS)
