from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.engine.desk import Listener
from tests.tiny_models import write_llama, write_recurrent, write_sliding_window

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import ModelConfig
from smallhold.engine.generation_program import generate
from smallhold.engine.loaded import LoadedModel
from smallhold.engine.pass_times import PassTimes
from smallhold.engine.program import Mode
from smallhold.engine.scheduler import Task
from smallhold.engine.tokens import common_prefix
from smallhold.engine.wire import Finished
from smallhold.exceptions import ConfigError
from smallhold.generation import GenerationRequest, JsonSchemaConstraint, Prompt, Sampling
from smallhold.messages import FinishReason, Message, Role

LETTER = (
    "My name is Wilhelmina Oosterbroek and I live in Schiermonnikoog. "
    "Where is order 8812347? I have been waiting for it since the ninth of September."
)
CUSTOMER = JsonSchemaConstraint(
    schema={
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "city": {"type": "string"},
            "order": {"type": "integer"},
        },
        "required": ["name", "city", "order"],
        "additionalProperties": False,
    }
)


TIE_LOGITS = 0.5
"""What the kernels' own noise between batches of different shapes comes to."""


def user(text: str) -> Prompt:
    return Prompt(messages=(Message(role=Role.USER, content=text),))


EXTRACT = GenerationRequest(
    prompt=user(f"{LETTER}\n\nWrite the name, the city and the order as JSON."),
    constraint=CUSTOMER,
    max_tokens=80,
)
REPEAT = GenerationRequest(
    prompt=user(f"Repeat this letter word for word, twice.\n\n{LETTER}"), max_tokens=60
)
STORY = GenerationRequest(prompt=user("Tell me a story of a clock."), max_tokens=40)


def answered(
    loaded: LoadedModel, requests: Sequence[GenerationRequest]
) -> list[tuple[str, Finished]]:
    """Serve requests at the same time."""
    listeners = [Listener() for _ in requests]
    for request, listener in zip(requests, listeners, strict=True):
        program = generate(loaded, request, emit=listener.replies.append, arrived_s=0.0)
        task = Task(program=program, client=listener, priority=1, arrived_s=0.0)
        loaded.scheduler.add(task)
    while not loaded.scheduler.is_idle:
        loaded.scheduler.run_pass()
    return [(listener.text, finished(listener)) for listener in listeners]


def answer(loaded: LoadedModel, request: GenerationRequest) -> tuple[str, Finished]:
    (only,) = answered(loaded, [request])
    return only


def finished(listener: Listener) -> Finished:
    (reply,) = [reply for reply in listener.replies if isinstance(reply, Finished)]
    return reply


def opened(config: ModelConfig, stack: ExitStack) -> LoadedModel:
    """A model that has measured its passes, and believes that copies are always right."""
    loaded = LoadedModel(config, stack=stack)
    while loaded.idle_work():
        pass
    for ratio in loaded.copying.values():
        ratio.record(tried=1_000_000, right=1_000_000)
    return loaded


def config_of(path: Path) -> ModelConfig:
    # A pass that begins with what an earlier request left would have another shape, and its logits
    # other last bits.
    return ModelConfig(path=path, name="m", context_tokens=512, threads=1, cache_bytes=0)


@pytest.fixture(scope="module")
def config(smollm2_path: Path) -> ModelConfig:
    return config_of(smollm2_path)


@pytest.fixture(scope="module")
def plain(config: ModelConfig) -> Iterator[LoadedModel]:
    """A model that guesses nothing."""
    with ExitStack() as stack:
        yield opened(replace(config, drafts=False), stack)


@pytest.fixture
def copying(config: ModelConfig) -> Iterator[LoadedModel]:
    with ExitStack() as stack:
        yield opened(config, stack)


@pytest.fixture
def drafted(config: ModelConfig) -> Iterator[LoadedModel]:
    """A model that is its own draft, believes that this costs nothing, and copies nothing."""
    with ExitStack() as stack:
        loaded = opened(replace(config, draft_path=config.path), stack)
        assert loaded.draft_model is not None
        loaded.draft_model.trial.result = PassTimes({1: 1e-9})
        for ratio in loaded.copying.values():
            ratio.record(tried=1_000_000_000, right=0)
        yield loaded


@pytest.mark.parametrize("request_", [EXTRACT, REPEAT, STORY], ids=["json", "copy", "story"])
def test_an_answer_is_the_same_with_guesses_from_the_text(
    request_: GenerationRequest, copying: LoadedModel, plain: LoadedModel
) -> None:
    text, expected = answer(copying, request_)[0], answer(plain, request_)[0]
    assert text == expected or part_at_a_tie(plain, request_, text, expected)


@pytest.mark.parametrize("request_", [EXTRACT, STORY], ids=["json", "story"])
def test_an_answer_is_the_same_with_guesses_from_a_model(
    request_: GenerationRequest, drafted: LoadedModel, plain: LoadedModel
) -> None:
    text, expected = answer(drafted, request_)[0], answer(plain, request_)[0]
    assert text == expected or part_at_a_tie(plain, request_, text, expected)


def part_at_a_tie(loaded: LoadedModel, request: GenerationRequest, *answers: str) -> bool:
    """Whether the model holds two answers' first different tokens to be equally likely."""
    read = loaded.encoder.encode(request.prompt, splits_tail=False).tokens.tolist()
    one, other = (loaded.model.tokenize(text, parse_special=False) for text in answers)
    shared = common_prefix(np.asarray(one), np.asarray(other))
    sequence = loaded.spare_sequence
    history = read + one[:shared]
    batch = linear_batch(history, start=0, sequence=sequence, outputs=1)
    loaded.context.decode(batch, Mode())
    loaded.context.remove(sequence)
    logits = loaded.context.logits(-1)
    return bool(abs(logits[one[shared]] - logits[other[shared]]) < TIE_LOGITS)


def test_values_copied_from_a_message_take_fewer_passes(
    copying: LoadedModel, plain: LoadedModel
) -> None:
    text, copied = answer(copying, EXTRACT)
    _, token_by_token = answer(plain, EXTRACT)
    assert json.loads(text)["city"] in LETTER
    assert copied.usage.accepted_tokens > 0
    assert copied.usage.passes < 0.8 * token_by_token.usage.passes
    assert copied.usage.completion_tokens == token_by_token.usage.completion_tokens


def test_without_guesses_none_are_counted(plain: LoadedModel) -> None:
    _, reply = answer(plain, REPEAT)
    assert (reply.usage.drafted_tokens, reply.usage.accepted_tokens) == (0, 0)


def test_a_model_guesses_nearly_all_of_what_it_says_itself(drafted: LoadedModel) -> None:
    _, reply = answer(drafted, STORY)
    usage = reply.usage
    assert usage.drafted_tokens > 0
    assert usage.accepted_tokens >= 0.9 * usage.drafted_tokens
    assert usage.passes <= 0.5 * usage.completion_tokens


def test_a_draft_model_that_costs_more_than_it_saves_is_not_asked(drafted: LoadedModel) -> None:
    assert drafted.draft_model is not None
    drafted.draft_model.trial.result = PassTimes({1: 10.0})
    _, reply = answer(drafted, STORY)
    assert reply.usage.drafted_tokens == 0


def test_a_draft_model_follows_no_conversation_while_several_go_on(drafted: LoadedModel) -> None:
    both = answered(drafted, [STORY, REPEAT])
    (_, first), (_, second) = both
    alone = answer(drafted, STORY)[1]
    # The longer of the two is alone at its end.
    shared_passes = min(first.usage.passes, second.usage.passes)
    assert shared_passes > alone.usage.passes


def test_guesses_that_are_never_right_are_given_up(copying: LoadedModel) -> None:
    for ratio in copying.copying.values():
        ratio.record(tried=1_000_000_000, right=0)
    _, reply = answer(copying, REPEAT)
    assert reply.usage.drafted_tokens == 0


def test_outcomes_are_learnt_from(copying: LoadedModel) -> None:
    ratio = copying.copying[True]
    ratio.record(tried=256, right=128)
    before = ratio.value
    _, reply = answer(copying, EXTRACT)
    assert reply.usage.drafted_tokens > 0
    assert ratio.value != before


def test_nothing_is_guessed_before_passes_have_been_measured(config: ModelConfig) -> None:
    with ExitStack() as stack:
        loaded = LoadedModel(config, stack=stack)
        _, reply = answer(loaded, REPEAT)
        assert reply.usage.drafted_tokens == 0


def test_a_draft_model_of_another_vocabulary_is_refused(
    config: ModelConfig, tmp_path: Path
) -> None:
    other = write_llama(tmp_path / "other.gguf")
    with ExitStack() as stack, pytest.raises(ConfigError, match="draft_path"):
        LoadedModel(replace(config, draft_path=other), stack=stack)


@pytest.mark.parametrize("write", [write_llama, write_sliding_window], ids=["full", "window"])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_guesses_change_nothing_where_nearly_all_are_wrong(
    write: Callable[[Path], Path], temperature: float, tmp_path: Path
) -> None:
    config = config_of(write(tmp_path / "model.gguf"))
    sampling = Sampling(temperature=temperature, seed=7)
    requests = [
        GenerationRequest(prompt=user(text * 3), max_tokens=60, sampling=sampling)
        for text in ("the sea and the sand, ", "one on one in an inn, ", "we shall see, ")
    ]
    with ExitStack() as stack:
        plain = opened(replace(config, drafts=False), stack)
        guessing = opened(config, stack)
        expected = [answer(plain, request)[0] for request in requests]
        guessed = [answer(guessing, request) for request in requests]
        assert [text for text, _ in guessed] == expected
        assert sum(reply.usage.drafted_tokens for _, reply in guessed) > 0
        assert [text for text, _ in answered(guessing, requests)] == expected


def test_a_recurrent_model_guesses_nothing_since_it_could_not_take_it_back(tmp_path: Path) -> None:
    config = config_of(write_recurrent(tmp_path / "tiny.gguf"))
    with ExitStack() as stack:
        _, reply = answer(opened(config, stack), replace(STORY, max_tokens=20))
        assert reply.usage.drafted_tokens == 0


def test_an_answer_without_a_limit_takes_no_more_memory_than_the_context_has_room_for(
    tmp_path: Path,
) -> None:
    config = config_of(write_llama(tmp_path / "tiny.gguf"))
    request = GenerationRequest(prompt=user("the end"), max_tokens=2**62)
    with ExitStack() as stack:
        _, reply = answer(opened(config, stack), request)
        assert reply.finish_reason in {FinishReason.LENGTH, FinishReason.STOP}
