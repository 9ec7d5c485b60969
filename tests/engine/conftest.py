"""What tests of the engine share: this file holds a model in this process and a second opinion."""

# llama_cpp's classes are only partly typed.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest
from numpy.typing import NDArray

from smallhold.engine.config import ModelConfig
from smallhold.engine.generation_program import generate
from smallhold.engine.loaded import LoadedModel, Program
from smallhold.engine.scoring_program import score
from smallhold.engine.wire import Finished, Reply, Scored, TextDelta
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest
from smallhold.messages import Message, Role


class Driver:
    """Runs programs on a model in this process, as a worker does."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded
        self.batch_sizes: list[int] = []
        """Tokens in each pass of the program that ran last."""

    def run(self, program: Program, *, passes: int | None = None) -> None:
        """Drive a program to its end, or leave it after some passes."""
        self.batch_sizes = []
        with closing(program) as batches:
            for batch in batches:
                if len(self.batch_sizes) == passes:
                    return
                self.loaded.context.decode(batch)
                self.batch_sizes.append(len(batch.tokens))

    def generate(
        self, request: GenerationRequest, *, passes: int | None = None
    ) -> tuple[str, Finished | None]:
        replies: list[Reply] = []
        program = generate(self.loaded, request, emit=replies.append, arrived_s=0.0)
        self.run(program, passes=passes)
        text = "".join(reply.text for reply in replies if isinstance(reply, TextDelta))
        ends = [reply for reply in replies if isinstance(reply, Finished)]
        return text, ends[0] if ends else None

    def finish(self, request: GenerationRequest) -> tuple[str, Finished]:
        text, finished = self.generate(request)
        assert finished is not None
        return text, finished

    def score(self, request: ScoreRequest) -> Scored:
        replies: list[Reply] = []
        self.run(score(self.loaded, request, emit=replies.append))
        (scored,) = replies
        assert isinstance(scored, Scored)
        return scored

    def forget_all(self) -> None:
        """Leave nothing in memory that a request could share."""
        for sequence in range(64):
            self.loaded.context.remove(sequence)
        prefixes = self.loaded.prefixes
        self.loaded.prefixes = replace(prefixes, free=list(range(16)), _entries={})


class SecondOpinion:
    """llama-cpp-python's own high-level classes on the same file, without any code of ours."""

    def __init__(self, path: Path) -> None:
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=512,
            n_batch=64,
            n_threads=1,
            flash_attn=True,
            logits_all=True,
            verbose=False,
        )

    def close(self) -> None:
        self._llama.close()

    def greedy(self, tokens: Sequence[int], *, max_tokens: int) -> list[int]:
        """The likeliest tokens one by one, up to an end token.

        The last prompt token is evaluated alone, as ours is: logits depend a little on the shape
        of the batch, and with equal shapes the texts have to be equal too.
        """
        self._llama.reset()
        made: list[int] = []
        self._llama.eval(list(tokens[:-1]))
        self._llama.eval(list(tokens[-1:]))
        while len(made) < max_tokens:
            token = int(np.argmax(self._row(-1)))
            if llama_cpp.llama_vocab_is_eog(
                llama_cpp.llama_model_get_vocab(self._llama.model),  # type: ignore[arg-type]
                token,
            ):
                break
            made.append(token)
            self._llama.eval([token])
        return made

    def log_prob(self, tokens: Sequence[int], following: Sequence[int]) -> float:
        """Log-probability of some tokens after others."""
        self._llama.reset()
        self._llama.eval([*tokens, *following])
        total = 0.0
        for place, token in enumerate(following):
            row = self._row(len(tokens) + place - 1).astype(np.float64)
            row -= row.max()
            total += float(row[token] - np.log(np.exp(row).sum()))
        return total

    def _row(self, index: int) -> NDArray[np.float32]:
        count = self._llama.n_tokens
        return np.asarray(self._llama.scores[:count][index], dtype=np.float32)


@pytest.fixture(scope="session")
def small_config(smollm2_path: Path) -> ModelConfig:
    """Small enough that caches overflow and prompts take several passes."""
    return ModelConfig(
        path=smollm2_path,
        name="smol",
        context_tokens=512,
        cache_tokens=512,
        batch_tokens=64,
        threads=1,
    )


@pytest.fixture(scope="session")
def shared_model(small_config: ModelConfig) -> Iterator[LoadedModel]:
    with ExitStack() as stack:
        yield LoadedModel(small_config, stack=stack)


@pytest.fixture
def driver(shared_model: LoadedModel) -> Driver:
    """A model whose caches are empty."""
    driver = Driver(shared_model)
    driver.forget_all()
    return driver


@pytest.fixture(scope="session")
def second_opinion(smollm2_path: Path) -> Iterator[SecondOpinion]:
    opinion = SecondOpinion(smollm2_path)
    yield opinion
    opinion.close()


class Asking:
    """Makes prompts."""

    def __call__(self, text: str, *, system: str = "", continuation: str = "") -> Prompt:
        first = (Message(role=Role.SYSTEM, content=system),) if system else ()
        return Prompt(
            messages=(*first, Message(role=Role.USER, content=text)), continuation=continuation
        )


@pytest.fixture(scope="session")
def ask() -> Asking:
    return Asking()
