from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.engine.conftest import TIE_NATS

from smallhold.engine.generation_program import generate
from smallhold.engine.residents import FRESH_TOKENS
from smallhold.evals.json_schema import is_valid_json
from smallhold.exceptions import ContextOverflowError, DecodeError, UnsupportedSchemaError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Prompt,
    Sampling,
)
from smallhold.messages import FinishReason, JsonObject, Message, Role

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.conftest import Answer, Asking, Driver, SecondOpinion

    from smallhold.engine.program import Program
    from smallhold.engine.wire import Reply

QUESTIONS = (
    "What is the capital of France?",
    "Count from one to ten in words.",
    "Write one sentence about the sea.",
    "Say hello.",
)
LONG = "The shop opens at nine. " * 30

SCHEMAS: tuple[JsonObject, ...] = (
    {"type": "string", "maxLength": 12},
    {"type": "integer", "minimum": 0, "maximum": 99},
    {"enum": ["red", "green", "blue", None, 4]},
    {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3},
    {"anyOf": [{"type": "null"}, {"type": "object", "maxProperties": 0}]},
    {
        "type": "object",
        "properties": {
            "city": {"type": "string", "maxLength": 10},
            "days": {"type": "integer", "minimum": 1, "maximum": 9},
            "unit": {"enum": ["celsius", "fahrenheit"]},
        },
        "required": ["city", "unit"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "properties": {"when": {"type": "string", "format": "date"}, "at": {"$ref": "#/$defs/p"}},
        "required": ["when", "at"],
        "additionalProperties": False,
        "$defs": {"p": {"type": "object", "properties": {"x": {"type": "boolean"}},
                        "required": ["x"], "additionalProperties": False}},
    },
)  # fmt: skip


class Comparing(Protocol):
    def __call__(
        self, requests: list[GenerationRequest], first: list[str], second: list[str]
    ) -> None: ...


@pytest.fixture
def compare(driver: Driver, second_opinion: SecondOpinion) -> Comparing:
    """Texts are the same up to where two tokens are as likely as each other."""
    loaded = driver.loaded

    def compare(requests: list[GenerationRequest], first: list[str], second: list[str]) -> None:
        for request, *both in zip(requests, first, second, strict=True):
            prompt = loaded.encoder.encode(request.prompt, splits_tail=False).tokens.tolist()
            ours, theirs = (loaded.model.tokenize(text, parse_special=False) for text in both)
            assert second_opinion.gap(prompt, ours, theirs) < TIE_NATS, both

    return compare


@pytest.mark.parametrize("question", QUESTIONS)
def test_greedy_text_is_what_llama_cpp_gives_without_us(
    driver: Driver, ask: Asking, second_opinion: SecondOpinion, compare: Comparing, question: str
) -> None:
    model = driver.loaded
    prompt = ask(question)
    tokens = model.encoder.encode(prompt, splits_tail=False).tokens.tolist()
    expected = second_opinion.greedy(tokens, max_tokens=20)
    request = GenerationRequest(prompt=prompt, max_tokens=20)
    theirs = b"".join(model.model.piece(token) for token in expected).decode()
    text, finished = driver.finish(request)
    compare([request], [text], [theirs])
    assert text != theirs or finished.usage.completion_tokens == len(expected)


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_prompt_in_memory_costs_its_last_tokens_and_gives_the_same_text(
    driver: Driver, ask: Asking, question: str
) -> None:
    request = GenerationRequest(prompt=ask(question, system=LONG), max_tokens=8)
    cold, cold_end = driver.finish(request)
    warm, warm_end = driver.finish(request)
    assert warm == cold
    assert cold_end.usage.cached_tokens == 0
    assert warm_end.usage.cached_tokens == warm_end.usage.prompt_tokens - FRESH_TOKENS
    # An answer that is not cut off has an end token too, which is not counted.
    ends = warm_end.finish_reason is FinishReason.STOP
    assert warm_end.usage.passes == warm_end.usage.completion_tokens + ends
    assert warm_end.usage.passes < cold_end.usage.passes


def test_agents_with_the_same_instructions_share_them(driver: Driver, ask: Asking) -> None:
    driver.finish(GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=1))
    prompt = ask("Where is it?", system=LONG)
    _, finished = driver.finish(GenerationRequest(prompt=prompt, max_tokens=1))
    stable = driver.loaded.encoder.encode(prompt, splits_tail=False).stable_tokens
    assert finished.usage.cached_tokens >= stable > 150


def test_every_forward_pass_is_counted(driver: Driver, ask: Asking) -> None:
    request = GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=5)
    _, finished = driver.finish(request)
    usage = finished.usage
    assert usage.passes == len(driver.batch_sizes)
    # The last pass over the prompt gives the first token.
    assert finished.finish_reason is FinishReason.LENGTH
    assert usage.passes == -(-usage.prompt_tokens // 64) + usage.completion_tokens - 1
    # The last token that is made is not evaluated, since nothing is to follow it.
    assert sum(driver.batch_sizes) == usage.prompt_tokens + usage.completion_tokens - 1


def test_the_token_limit_is_told_as_such(driver: Driver, ask: Asking) -> None:
    _, finished = driver.finish(GenerationRequest(prompt=ask("Tell a story."), max_tokens=3))
    assert finished.finish_reason == FinishReason.LENGTH
    assert finished.usage.completion_tokens == 3


def test_the_context_windows_end_is_told_as_the_limit_too(driver: Driver, ask: Asking) -> None:
    prompt = ask("Go on for ever. " + "word " * 450, continuation="1 2 3 4 5 6 7")
    request = GenerationRequest(prompt=prompt, max_tokens=100_000)
    _, finished = driver.finish(request)
    assert finished.finish_reason == FinishReason.LENGTH
    assert finished.usage.prompt_tokens + finished.usage.completion_tokens == 512


def test_a_prompt_that_leaves_no_room_is_refused_with_its_numbers(
    driver: Driver, ask: Asking
) -> None:
    everything = driver.free_sequences()
    with pytest.raises(ContextOverflowError) as caught:
        driver.finish(GenerationRequest(prompt=ask("word " * 600)))
    assert driver.free_sequences() == everything
    assert caught.value.limit_tokens == 512
    assert caught.value.prompt_tokens > 600
    assert driver.batch_sizes == []


def test_a_stop_string_ends_the_answer_before_itself(driver: Driver, ask: Asking) -> None:
    request = GenerationRequest(prompt=ask(QUESTIONS[1]), max_tokens=24)
    whole, _ = driver.finish(request)
    stop = whole[5:9]
    text, finished = driver.finish(replace(request, stop=(stop,)))
    assert text == whole[: whole.index(stop)]
    assert finished.finish_reason == FinishReason.STOP


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: json.dumps(schema)[:40])
@pytest.mark.parametrize("temperature", [0.0, 1.5])
def test_constrained_output_is_always_valid(
    driver: Driver, ask: Asking, schema: JsonObject, temperature: float
) -> None:
    request = GenerationRequest(
        prompt=ask("Give me some JSON."),
        constraint=JsonSchemaConstraint(schema=schema),
        sampling=Sampling(temperature=temperature, seed=3),
        max_tokens=120,
    )
    text, finished = driver.finish(request)
    assert finished.finish_reason == FinishReason.STOP
    assert is_valid_json(json.loads(text), schema)


@pytest.mark.parametrize("max_tokens", [1, 3, 6])
def test_constrained_output_that_is_cut_says_so(
    driver: Driver, ask: Asking, max_tokens: int
) -> None:
    schema = SCHEMAS[5]
    request = GenerationRequest(
        prompt=ask("Weather in Paris?"),
        constraint=JsonSchemaConstraint(schema=schema),
        max_tokens=max_tokens,
    )
    text, finished = driver.finish(request)
    assert finished.finish_reason == FinishReason.LENGTH
    assert finished.usage.completion_tokens == max_tokens
    with pytest.raises(json.JSONDecodeError):
        json.loads(text)
    whole, _ = driver.finish(replace(request, max_tokens=100))
    assert whole.startswith(text)


def test_forced_tokens_take_no_pass_of_their_own(driver: Driver, ask: Asking) -> None:
    constraint = JsonSchemaConstraint(schema={"const": {"name": "order_status", "arguments": {}}})
    text, finished = driver.finish(
        GenerationRequest(prompt=ask("Hello!"), constraint=constraint, max_tokens=50)
    )
    assert json.loads(text)["name"] == "order_status"
    assert finished.usage.forced_tokens == finished.usage.completion_tokens
    assert finished.usage.passes == 0


def test_forced_tokens_do_not_change_what_is_chosen_between_them(
    driver: Driver, ask: Asking
) -> None:
    request = GenerationRequest(
        prompt=ask("Weather in Paris?"),
        constraint=JsonSchemaConstraint(schema=SCHEMAS[5]),
        max_tokens=60,
    )
    text, finished = driver.finish(request)
    usage = finished.usage
    assert usage.forced_tokens > 5
    assert usage.passes < usage.completion_tokens
    assert driver.finish(request)[0] == text


def test_the_continuations_last_line_is_decoded_again_but_not_shown(
    driver: Driver, ask: Asking
) -> None:
    request = GenerationRequest(
        prompt=ask("Weather in Paris?", continuation='<tool_call>\n{"name": "w", "arguments": '),
        constraint=JsonSchemaConstraint(schema=SCHEMAS[5], closing="}"),
        max_tokens=80,
    )
    text, _ = driver.finish(request)
    assert text.endswith("}}")
    assert is_valid_json(json.loads(text[:-1]), SCHEMAS[5])


def test_a_lark_grammar_holds_the_output(driver: Driver, ask: Asking) -> None:
    request = GenerationRequest(
        prompt=ask("Is water wet?"), constraint=LarkConstraint(grammar='start: "maybe" | "never"')
    )
    text, finished = driver.finish(request)
    assert text in {"maybe", "never"}
    assert finished.finish_reason == FinishReason.STOP


def test_a_schema_that_cannot_be_enforced_is_refused_before_any_pass(
    driver: Driver, ask: Asking
) -> None:
    constraint = JsonSchemaConstraint(schema={"type": "array", "uniqueItems": True})
    with pytest.raises(UnsupportedSchemaError):
        driver.finish(GenerationRequest(prompt=ask("Hello!"), constraint=constraint))
    assert driver.batch_sizes == []


def test_the_same_seed_gives_the_same_text_and_another_seed_another(
    driver: Driver, ask: Asking
) -> None:
    def told(seed: int | None) -> str:
        sampling = Sampling(temperature=1.2, top_p=0.95, seed=seed)
        request = GenerationRequest(prompt=ask("Tell a story."), sampling=sampling, max_tokens=12)
        return driver.finish(request)[0]

    told(0)
    assert told(1) == told(1)
    assert len({told(seed) for seed in (1, 2, 3, None, None)}) == 5


def test_a_request_left_in_the_middle_of_its_prompt_hands_back_what_it_had_computed(
    driver: Driver, ask: Asking
) -> None:
    everything = driver.free_sequences()
    request = GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=5)
    answer = driver.ask(request)
    driver.serve(passes=2)
    answer.has_left = True
    driver.serve()
    assert driver.batch_sizes == [64, 64]
    assert (answer.replies, answer.is_closed) == ([], True)
    assert driver.free_sequences() == everything
    text, finished = driver.finish(request)
    assert finished.usage.cached_tokens == 128
    driver.forget_all()
    assert driver.finish(request)[0] == text


def test_a_request_left_in_the_middle_of_its_answer_hands_back_that_too(
    driver: Driver, ask: Asking
) -> None:
    question = ask("Count from one to ten in words.", system=LONG)
    request = GenerationRequest(prompt=question, max_tokens=40)
    answer = driver.ask(request)
    driver.serve(passes=12)
    answer.has_left = True
    driver.serve()
    said = Message(role=Role.ASSISTANT, content=answer.text)
    follow = Prompt(
        messages=(*question.messages, said, Message(role=Role.USER, content="And then?"))
    )
    _, finished = driver.finish(GenerationRequest(prompt=follow, max_tokens=1))
    prompt_tokens = len(driver.loaded.encoder.encode(question, splits_tail=False).tokens)
    assert finished.usage.cached_tokens >= prompt_tokens + 5


def test_a_request_left_before_its_first_pass_leaves_nothing(driver: Driver, ask: Asking) -> None:
    everything = driver.free_sequences()
    answer = driver.ask(GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=5))
    answer.has_left = True
    driver.serve()
    assert (answer.is_closed, driver.batch_sizes) == (True, [])
    assert driver.free_sequences() == everything


def test_a_pass_that_fails_leaves_nothing_to_be_trusted(driver: Driver, ask: Asking) -> None:
    everything = driver.free_sequences()
    empty = driver.held_bytes()
    request = GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=5)
    tokens = driver.loaded.encoder.encode(request.prompt, splits_tail=False).tokens
    answer = driver.ask(request)
    driver.serve(passes=1)
    driver.recorder.is_broken = True
    driver.serve()
    assert isinstance(answer.error, DecodeError)
    assert driver.loaded.prefixes.match(tokens, adapter=None).tokens == 0
    assert driver.free_sequences() == everything
    assert driver.held_bytes() == empty


def test_a_fault_of_ours_in_one_request_leaves_its_sequence_free(
    driver: Driver, ask: Asking
) -> None:
    everything = driver.free_sequences()
    request = GenerationRequest(prompt=ask("Hello!", system=LONG), max_tokens=5)

    def stumbling(emit: Callable[[Reply], None]) -> Program:
        yield from generate(driver.loaded, request, emit=emit, arrived_s=0.0)

    answer = driver.start(stumbling)
    driver.serve(passes=1)
    driver.loaded.scheduler.fail_all(DecodeError(problem="the worker ends"))
    assert isinstance(answer.error, DecodeError)
    assert driver.free_sequences() == everything


def texts(answers: list[Answer]) -> list[str]:
    assert [answer.error for answer in answers] == [None] * len(answers)
    return [answer.text for answer in answers]


def test_requests_served_together_get_what_each_gets_alone(
    driver: Driver, ask: Asking, compare: Comparing
) -> None:
    questions = [*QUESTIONS, "Name a colour.", "Name a tree.", "What is 2 + 2?", "Who are you?"]
    requests = [GenerationRequest(prompt=ask(text), max_tokens=16) for text in questions]
    alone = [driver.finish(request)[0] for request in requests]
    driver.forget_all()
    together = driver.together(requests)
    compare(requests, texts(together), alone)
    assert len(driver.batch_sizes) < 30
    assert driver.held_bytes() > 0


def test_an_answer_is_the_same_while_a_long_prompt_is_read_in_pieces_beside_it(
    driver: Driver, ask: Asking, compare: Comparing
) -> None:
    request = GenerationRequest(prompt=ask(QUESTIONS[1]), max_tokens=24)
    long = GenerationRequest(prompt=ask("Tell about ships. " * 70), max_tokens=8)
    alone = [driver.finish(one)[0] for one in (request, long)]
    driver.forget_all()
    driver.recorder.passes.clear()
    first = driver.ask(request)
    driver.serve(passes=3)
    second = driver.ask(long)
    driver.serve()
    compare([request, long], texts([first, second]), alone)
    # One row of the answer, and at most one chunk of the prompt beside it.
    assert max(driver.batch_sizes[2:]) == 33
    assert second.finished.usage.passes >= second.finished.usage.prompt_tokens // 32


def test_an_answer_goes_on_in_every_pass_while_a_long_prompt_is_read(
    driver: Driver, ask: Asking
) -> None:
    first = driver.ask(GenerationRequest(prompt=ask(QUESTIONS[1]), max_tokens=24))
    driver.serve(passes=2)
    driver.ask(GenerationRequest(prompt=ask("Tell about ships. " * 70), max_tokens=1))
    for _ in range(5):
        before = len(first.replies)
        driver.serve(passes=2)
        assert len(first.replies) > before


def test_more_requests_than_run_at_the_same_time_are_all_answered(
    driver: Driver, ask: Asking
) -> None:
    everything = driver.free_sequences()
    questions = [f"What comes after {number}?" for number in range(20)]
    answers = driver.together([
        GenerationRequest(prompt=ask(text), max_tokens=3) for text in questions
    ])
    assert all(texts(answers))
    assert driver.free_sequences() == everything


def test_requests_with_other_constraints_do_not_mix(driver: Driver, ask: Asking) -> None:
    requests = [
        GenerationRequest(
            prompt=ask("Give me some JSON."),
            constraint=JsonSchemaConstraint(schema=schema),
            sampling=Sampling(temperature=1.0, seed=seed),
            max_tokens=80,
        )
        for seed, schema in enumerate(SCHEMAS)
    ]
    for answer, schema in zip(driver.together(requests), SCHEMAS, strict=True):
        assert is_valid_json(json.loads(answer.text), schema)


@pytest.mark.slow
def test_more_conversations_than_fit_go_on_being_answered(driver: Driver, ask: Asking) -> None:
    for number in range(18):
        request = GenerationRequest(prompt=ask(f"{number} is a number. " * 12), max_tokens=1)
        _, finished = driver.finish(request)
        assert finished.usage.completion_tokens >= 1


@pytest.mark.slow
def test_long_conversations_that_do_not_fit_together_are_answered_in_turn(
    driver: Driver, ask: Asking, compare: Comparing
) -> None:
    topics = ("ships", "trains", "ships")
    requests = [
        GenerationRequest(
            prompt=ask(f"Tell about {topic}. " * 60, system="Be kind. " * 60), max_tokens=12
        )
        for topic in topics
    ]
    alone = [driver.finish(request)[0] for request in requests]
    driver.forget_all()
    compare(requests, texts(driver.together(requests)), alone)
