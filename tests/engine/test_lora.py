from __future__ import annotations

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import llama_cpp
import numpy as np
import pytest
from tests.engine.desk import Desk
from tests.tiny_models import write_llama, write_lora

from smallhold.engine.config import ModelConfig
from smallhold.engine.loaded import LoadedModel
from smallhold.exceptions import ModelLoadError, UnknownAdapterError
from smallhold.generation import Pooling, Prompt, ScoreRequest

if TYPE_CHECKING:
    from tests.engine.conftest import Asking

SYSTEM = "You answer the letters of a small shop that sells clocks and nothing else. " * 4
SPEAKERS = (None, "first", "second")
"""The model itself and two adapters of other weights."""
CHOICES = ("a clock", "a boat", "nothing at all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A model with its adapters."""

    base: Path
    adapters: dict[str, Path]

    def config(self) -> ModelConfig:
        return ModelConfig(
            path=self.base, name="model", context_tokens=1024, threads=1, adapters=self.adapters
        )


@pytest.fixture(scope="module", params=["tiny", "smollm2"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("adapters")
    if request.param == "tiny":
        base = write_llama(folder / "model.gguf")
    else:
        base = request.getfixturevalue("smollm2_path")
    adapters = {
        name: write_lora(folder / f"{name}.gguf", base=base, seed=seed)
        for name, seed in (("first", 11), ("second", 12))
    }
    return Files(base=base, adapters=adapters)


@pytest.fixture
def desk(files: Files) -> Iterator[Desk]:
    with ExitStack() as stack:
        yield Desk(LoadedModel(files.config(), stack=stack))


@pytest.fixture
def prompts(ask: Asking) -> dict[str | None, Prompt]:
    """The same question to each speaker."""
    prompt = ask("Is my clock repaired?", system=SYSTEM)
    return {speaker: replace(prompt, adapter=speaker) for speaker in SPEAKERS}


def their_text(files: Files, desk: Desk, prompt: Prompt, *, tokens: int = 12) -> str:
    """What llama-cpp-python's own high-level class answers, reading the prompt as we do."""
    lora = None if prompt.adapter is None else str(files.adapters[prompt.adapter])
    llama = llama_cpp.Llama(
        str(files.base), lora_path=lora, n_ctx=1024, n_batch=256, n_threads=1, flash_attn=False,
        logits_all=True, verbose=False,
    )  # fmt: skip
    encoded = desk.loaded.encoder.encode(prompt, splits_tail=False).tokens.tolist()
    made: list[int] = []
    with closing(llama):
        llama.eval(encoded[:-1])
        llama.eval(encoded[-1:])
        while len(made) < tokens:
            token = int(np.argmax(llama.scores[llama.n_tokens - 1]))
            if token in desk.loaded.model.end_tokens:
                break
            made.append(token)
            llama.eval([token])
    pieces = b"".join(desk.loaded.model.piece(token) for token in made)
    return pieces.decode("utf-8", "replace")


@pytest.mark.parametrize("speaker", SPEAKERS)
def test_an_adapter_answers_as_llama_cpp_with_that_adapter_does(
    files: Files, desk: Desk, prompts: dict[str | None, Prompt], speaker: str | None
) -> None:
    prompt = prompts[speaker]
    assert desk.generate(prompt) == their_text(files, desk, prompt) != ""


def test_each_adapter_answers_otherwise_than_the_model_and_than_the_other(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    texts = {desk.generate(prompt) for prompt in prompts.values()}
    assert len(texts) == len(SPEAKERS)


def test_the_model_itself_is_as_it_was_after_an_adapter_has_spoken(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    before = desk.generate(prompts[None])
    other = desk.generate(prompts["first"])
    assert desk.generate(prompts[None]) == before
    assert desk.generate(prompts["first"]) == other


def test_what_one_speaker_has_read_is_never_used_for_another(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    listeners = {speaker: desk.embed(prompt) for speaker, prompt in prompts.items()}
    assert [listener.embedded.usage.cached_tokens for listener in listeners.values()] == [0, 0, 0]
    again = [desk.embed(prompt).embedded.usage.cached_tokens for prompt in prompts.values()]
    assert all(again)


def test_speakers_that_answer_at_the_same_time_do_not_mix(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    alone = {speaker: desk.generate(prompt) for speaker, prompt in prompts.items()}
    order = [*prompts] * 3
    listeners = [desk.ask_text(prompts[speaker]) for speaker in order]
    desk.serve()
    assert [listener.text for listener in listeners] == [alone[speaker] for speaker in order]


def test_speakers_score_and_embed_by_themselves_too(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    requests = [ScoreRequest(prompt=prompt, choices=CHOICES) for prompt in prompts.values()]
    alone = [desk.score(request).log_probs for request in requests]
    scorers = [desk.ask_scores(request) for request in requests]
    embedders = [desk.ask_embedding(prompt, pooling=Pooling.MEAN) for prompt in prompts.values()]
    desk.serve()
    together = [scorer.scored.log_probs for scorer in scorers]
    for mine, theirs in zip(together, alone, strict=True):
        assert mine == pytest.approx(theirs, abs=0.5)
    assert len({tuple(round(value) for value in values) for values in alone}) == len(SPEAKERS)
    first, *others = [embedder.vector for embedder in embedders]
    assert all(float(first @ other) < 0.999 for other in others)


def test_an_adapter_that_was_not_loaded_is_refused_before_any_pass(
    desk: Desk, prompts: dict[str | None, Prompt]
) -> None:
    prompt = replace(prompts[None], adapter="third")
    listeners = [
        desk.ask_text(prompt),
        desk.ask_embedding(prompt),
        desk.ask_scores(ScoreRequest(prompt=prompt, choices=CHOICES)),
    ]
    assert not desk.loaded.scheduler.run_pass()
    for listener in listeners:
        assert isinstance(listener.error, UnknownAdapterError)
        assert listener.error.known == ("first", "second")


def test_an_adapter_of_another_model_is_refused_when_the_model_is_loaded(
    smollm2_path: Path, tmp_path: Path
) -> None:
    base = write_llama(tmp_path / "model.gguf")
    foreign = write_lora(tmp_path / "foreign.gguf", base=base)
    config = ModelConfig(path=smollm2_path, name="smol", threads=1, adapters={"tiny": foreign})
    with ExitStack() as stack, pytest.raises(ModelLoadError) as caught:
        LoadedModel(config, stack=stack)
    assert caught.value.path == str(foreign)
