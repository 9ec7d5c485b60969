from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from tests.tiny_models import write_llama, write_recurrent

from smallhold.engine.batch import linear_batch
from smallhold.engine.config import ModelConfig
from smallhold.engine.draft_model import DraftModel, has_same_vocabulary
from smallhold.engine.llama import Context, Model
from smallhold.engine.program import Mode
from smallhold.engine.tokens import Tokens
from smallhold.exceptions import ConfigError, ModelLoadError

STORY = "Once upon a time there was a clockmaker who lived by the sea. Every morning he"
BATCH_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A draft model and the model that it drafts for."""

    draft: DraftModel
    main: Model
    context: Context

    def tokens(self, text: str) -> Tokens:
        return np.asarray(self.main.tokenize(text, parse_special=False), dtype=np.int32)

    def greedy(self, history: Tokens, *, limit: int) -> list[int]:
        """What the model itself says, one token at a time."""
        made: list[int] = []
        unread, start = history.tolist(), 0
        while len(made) < limit:
            for at in range(0, len(unread), BATCH_TOKENS):
                chunk = unread[at : at + BATCH_TOKENS]
                batch = linear_batch(chunk, start=start, sequence=0, outputs=1)
                self.context.decode(batch, Mode())
                start += len(chunk)
            made.append(int(np.argmax(self.context.logits(-1))))
            unread = made[-1:]
        self.context.remove(0)
        return made


def config_of(path: Path, *, draft_path: Path | None = None) -> ModelConfig:
    return ModelConfig(
        path=path, name="m", context_tokens=512, batch_tokens=BATCH_TOKENS, threads=1,
        draft_path=draft_path,
    )  # fmt: skip


def opened(path: Path, stack: ExitStack) -> Pair:
    """A model as its own draft."""
    config = config_of(path, draft_path=path)
    main = Model(config, stack=stack)
    draft = DraftModel(config, main, prior=0.7, stack=stack)
    return Pair(draft=draft, main=main, context=Context(main, stack=stack))


@pytest.fixture(scope="module")
def shared_pair(smollm2_path: Path) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield opened(smollm2_path, stack)


@pytest.fixture
def pair(shared_pair: Pair) -> Pair:
    """A pair whose draft model follows none of the tests' conversations yet."""
    shared_pair.draft.guess(shared_pair.tokens("%"), limit=1)
    return shared_pair


def test_guesses_are_what_the_smaller_model_would_say(pair: Pair) -> None:
    history = pair.tokens(STORY)
    assert pair.draft.guess(history, limit=6) == pair.greedy(history, limit=6)


def test_a_history_longer_than_a_pass_is_read_in_several(pair: Pair) -> None:
    history = pair.tokens(STORY * 8)
    assert len(history) > 2 * BATCH_TOKENS
    assert pair.draft.guess(history, limit=3) == pair.greedy(history, limit=3)


def test_guesses_after_some_were_wrong_are_as_if_they_had_never_been_made(pair: Pair) -> None:
    history = pair.tokens(STORY)
    pair.draft.guess(history, limit=6)
    corrected = np.concatenate((history, pair.tokens(" never")))
    assert pair.draft.guess(corrected, limit=4) == pair.greedy(corrected, limit=4)


def test_another_conversation_is_followed_as_well(pair: Pair) -> None:
    pair.draft.guess(pair.tokens(STORY), limit=2)
    other = pair.tokens("The capital of France is")
    assert pair.draft.guess(other, limit=2) == pair.greedy(other, limit=2)


def test_the_same_history_gives_the_same_guesses_again(pair: Pair) -> None:
    history = pair.tokens(STORY)
    assert pair.draft.guess(history, limit=4) == pair.draft.guess(history, limit=4)


def test_what_has_been_read_need_not_be_read_again(pair: Pair) -> None:
    history = pair.tokens(STORY)
    assert pair.draft.unread(history) == len(history)
    guesses = pair.draft.guess(history, limit=3)
    assert pair.draft.unread(history) == 0
    longer = np.concatenate((history, np.asarray(guesses, dtype=np.int32)))
    # The last guess has been made, not read.
    assert pair.draft.unread(longer) == 1
    assert pair.draft.unread(pair.tokens("Nothing of the kind")) > 0


@pytest.fixture
def new_pair(tmp_path: Path) -> Iterator[Pair]:
    """A pair that has not been measured."""
    with ExitStack() as stack:
        yield opened(write_llama(tmp_path / "model.gguf"), stack)


def test_what_a_guess_costs_is_known_once_it_has_been_measured(new_pair: Pair) -> None:
    pair = new_pair
    assert pair.draft.guess_s is None
    while pair.draft.trial.go_on():
        pass
    assert pair.draft.guess_s is not None
    assert 0 < pair.draft.guess_s < 1


def test_measuring_does_not_disturb_the_conversation(new_pair: Pair) -> None:
    pair = new_pair
    history = pair.tokens(STORY)
    expected = pair.draft.guess(history, limit=4)
    assert pair.draft.trial.go_on()
    while pair.draft.trial.go_on():
        pass
    assert pair.draft.unread(history) == 0
    assert pair.draft.guess(history, limit=4) == expected


def test_a_model_has_the_vocabulary_of_itself(pair: Pair) -> None:
    assert has_same_vocabulary(pair.main, pair.main)


def test_a_draft_of_another_vocabulary_is_refused(smollm2_path: Path, tmp_path: Path) -> None:
    other = write_llama(tmp_path / "other.gguf")
    assert_is_refused(config_of(smollm2_path, draft_path=other))


def test_a_recurrent_draft_is_refused_since_its_guesses_could_not_be_taken_back(
    tmp_path: Path,
) -> None:
    path = write_recurrent(tmp_path / "model.gguf")
    assert_is_refused(config_of(path, draft_path=path))


@pytest.mark.slow
def test_a_draft_of_another_family_is_refused(smollm2_path: Path, qwen_coder_path: Path) -> None:
    assert_is_refused(config_of(smollm2_path, draft_path=qwen_coder_path))
    assert_is_refused(config_of(qwen_coder_path, draft_path=smollm2_path))


def assert_is_refused(config: ModelConfig) -> None:
    with ExitStack() as stack:
        main = Model(config, stack=stack)
        with pytest.raises(ConfigError) as caught:
            DraftModel(config, main, prior=0.7, stack=stack)
        assert caught.value.field == "draft_path"
        assert str(config.draft_path) in str(caught.value)


def test_a_draft_that_cannot_be_loaded_is_an_error_of_its_own_file(
    smollm2_path: Path, tmp_path: Path
) -> None:
    absent = tmp_path / "absent.gguf"
    config = replace(config_of(smollm2_path), draft_path=absent)
    with ExitStack() as stack:
        main = Model(config, stack=stack)
        with pytest.raises(ModelLoadError, match=r"absent\.gguf"):
            DraftModel(config, main, prior=0.7, stack=stack)
