"""The likeliest text is one text: the same as llama-cpp-python's, however the engine gets at it.

Where two texts part all the same, the two tokens there are a tie: their logits are closer than the
kernels' own noise, which is measured on that very text in batches of several shapes.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
import pytest
from tests.engine.correctness.reference import Parting, Reference

from smallhold.engine.config import ModelConfig
from smallhold.generation import GenerationRequest, Prompt, ScoreRequest
from smallhold.messages import Message, Role
from smallhold.runtimes.embedded import EmbeddedRuntime

MAX_TOKENS = 32
CONTEXT_TOKENS = 1024
AT_ONCE = 8
NOISE_PROMPTS = 6
TIE_SHARE = 0.05
"""Most prompts that may part at a tie."""
TIE_SHARE_AT_ONCE = 0.6
"""The same for requests that share passes: a pass of one row runs kernels of its own, which round
queries and weights of attention to 16 bits, so each token of a lone answer is off by the noise.
Seen: 12 % of prompts on Qwen2.5-Coder-0.5B, 48 % on SmolLM2-135M, all of them ties."""
LOG_PROB_NOISE = 0.5
"""Largest difference in a log-probability between batches of different shapes. Seen on real models:
0.5 in a logit."""
SYSTEM = (
    "You are the assistant of a small harbour office. Answer in one or two short sentences, in the "
    "language of the question. If you do not know an answer, say so. Never invent opening hours, "
    "prices or names. Boats longer than twelve metres need a pilot. "
)
"""Long enough for a snapshot."""

_log = logging.getLogger(__name__)


def read_prompts() -> list[Prompt]:
    texts = Path(__file__).with_name("prompts.txt").read_text("utf-8").splitlines()
    system = Message(role=Role.SYSTEM, content=SYSTEM)
    return [
        Prompt(messages=(system, Message(role=Role.USER, content=text))) for text in texts if text
    ]


PROMPTS = read_prompts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A model, what llama-cpp-python answers, and what our engine does."""

    config: ModelConfig
    reference: Reference
    tokens: Sequence[list[int]]
    theirs: Sequence[str]
    ours: Sequence[str]

    @property
    def prompts(self) -> Sequence[Prompt]:
        return PROMPTS[: len(self.tokens)]

    def partings(self, texts: Sequence[str]) -> list[Parting]:
        """Where texts are not the likeliest ones."""
        found = [
            self.reference.parting(tokens, text, max_tokens=MAX_TOKENS)
            for tokens, text in zip(self.tokens, texts, strict=True)
        ]
        return [parting for parting in found if parting is not None]

    def assert_greedy(
        self, texts: Sequence[str], *, like: Sequence[str], tie_share: float = TIE_SHARE
    ) -> None:
        """Texts are equal to others but for ties."""
        assert any(texts)
        different = [place for place, text in enumerate(texts) if text != like[place]]
        partings = self.partings(texts) if different else []
        for parting in partings:
            _log.info(
                "%s parts at token %d: gap %.3f, noise %.3f",
                self.config.name, parting.place, parting.gap, parting.noise,
            )  # fmt: skip
        _log.info("%s: %d of %d differ", self.config.name, len(different), len(texts))
        assert all(parting.is_tie for parting in partings), partings
        # One tie is no proof of anything, however few prompts there are.
        assert len(different) <= max(1, tie_share * len(texts))


@asynccontextmanager
async def running(config: ModelConfig) -> AsyncGenerator[EmbeddedRuntime]:
    runtime = EmbeddedRuntime(config)
    try:
        yield runtime
    finally:
        await runtime.aclose()


async def answer(runtime: EmbeddedRuntime, prompt: Prompt) -> str:
    request = GenerationRequest(prompt=prompt, max_tokens=MAX_TOKENS)
    async with runtime.stream(request) as stream:
        return "".join([piece async for piece in stream])


async def answers(config: ModelConfig, prompts: Sequence[Prompt]) -> list[str]:
    """Ask one after the other."""
    async with running(config) as runtime:
        return [await answer(runtime, prompt) for prompt in prompts]


async def answers_at_once(config: ModelConfig, prompts: Sequence[Prompt]) -> list[str]:
    """Keep several requests running all the time."""
    found: dict[int, str] = {}
    waiting = iter(enumerate(prompts))

    async def ask(runtime: EmbeddedRuntime) -> None:
        for place, prompt in waiting:
            found[place] = await answer(runtime, prompt)

    async with running(config) as runtime, anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(ask, runtime)
    return [found[place] for place in range(len(prompts))]


def subject_of(path: Path, *, name: str, count: int) -> Iterator[Subject]:
    config = ModelConfig(path=path, name=name, context_tokens=CONTEXT_TOKENS, drafts=False)
    reference = Reference(path, context_tokens=CONTEXT_TOKENS)
    with closing(reference):
        tokens = [reference.tokens(prompt) for prompt in PROMPTS[:count]]
        for ids in tokens[:NOISE_PROMPTS]:
            reference.noise(ids)
        _log.info("%s: noise %.4f", name, reference.known_noise)
        theirs = [reference.complete(ids, max_tokens=MAX_TOKENS) for ids in tokens]
        ours = anyio.run(answers, config, PROMPTS[:count])
        yield Subject(config=config, reference=reference, tokens=tokens, theirs=theirs, ours=ours)


@pytest.fixture(scope="module")
def tiny(tiny_llama: Path) -> Iterator[Subject]:
    yield from subject_of(tiny_llama, name="tiny", count=20)


@pytest.fixture(scope="module")
def sliding_window(tiny_sliding_window: Path) -> Iterator[Subject]:
    yield from subject_of(tiny_sliding_window, name="sliding-window", count=20)


@pytest.fixture(scope="module")
def recurrent(tiny_recurrent: Path) -> Iterator[Subject]:
    yield from subject_of(tiny_recurrent, name="recurrent", count=20)


@pytest.fixture(scope="module")
def smollm2(smollm2_path: Path) -> Iterator[Subject]:
    yield from subject_of(smollm2_path, name="smollm2", count=len(PROMPTS))


@pytest.fixture(scope="module")
def qwen_coder(qwen_coder_path: Path) -> Iterator[Subject]:
    yield from subject_of(qwen_coder_path, name="qwen-coder", count=len(PROMPTS))


SUBJECTS = [
    "tiny",
    "sliding_window",
    "recurrent",
    pytest.param("smollm2", marks=pytest.mark.slow),
    pytest.param("qwen_coder", marks=pytest.mark.slow),
]


@pytest.fixture(params=SUBJECTS)
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.getfixturevalue(request.param)


def test_there_are_fifty_prompts() -> None:
    assert len({prompt.messages[-1].content for prompt in PROMPTS}) == 50


async def test_a_prompt_has_the_tokens_that_llama_cpp_gives_it(subject: Subject) -> None:
    async with running(subject.config) as runtime:
        counted = [await runtime.count_tokens(prompt) for prompt in subject.prompts]
    assert counted == [len(tokens) for tokens in subject.tokens]


def test_the_likeliest_text_is_llama_cpp_pythons(subject: Subject) -> None:
    subject.assert_greedy(subject.ours, like=subject.theirs)


CHANGES: Mapping[str, Mapping[str, object]] = {
    "without a cache": {"cache_bytes": 0},
    "with drafts": {"drafts": True},
    "in small passes": {"batch_tokens": 16},
}


@pytest.mark.parametrize("change", CHANGES)
async def test_how_the_engine_is_set_does_not_change_the_text(
    subject: Subject, change: str
) -> None:
    config = replace(subject.config, **dict(CHANGES[change]))
    subject.assert_greedy(await answers(config, subject.prompts), like=subject.ours)


async def test_requests_that_run_at_once_get_the_texts_they_get_alone(subject: Subject) -> None:
    texts = await answers_at_once(subject.config, subject.prompts)
    subject.assert_greedy(texts, like=subject.ours, tie_share=TIE_SHARE_AT_ONCE)


async def test_a_restored_snapshot_gives_the_same_text_and_logits(
    subject: Subject, tmp_path: Path
) -> None:
    config = replace(subject.config, snapshot_folder=tmp_path)
    words = ("The", "I", "A", "Yes", "No")
    request = ScoreRequest(prompt=subject.prompts[0], choices=words)
    async with running(subject.config) as runtime:
        computed = await runtime.score(request)
    async with running(config) as runtime:
        await answer(runtime, subject.prompts[0])
    async with running(config) as runtime:
        restored = await runtime.score(request)
        texts = [await answer(runtime, prompt) for prompt in subject.prompts]
    assert computed.usage.cached_tokens == 0
    assert restored.usage.cached_tokens > len(SYSTEM) / 8
    pairs = zip(computed.log_probs, restored.log_probs, strict=True)
    assert max(abs(before - after) for before, after in pairs) <= LOG_PROB_NOISE
    subject.assert_greedy(texts, like=subject.ours)


async def test_each_request_is_answered_by_the_adapter_that_it_names(
    tiny_llama: Path, tiny_lora: Path
) -> None:
    prompts = PROMPTS[:AT_ONCE]
    config = ModelConfig(
        path=tiny_llama, name="adapted", context_tokens=CONTEXT_TOKENS, adapters={"o": tiny_lora}
    )
    asked = [prompt for plain in prompts for prompt in (plain, replace(plain, adapter="o"))]
    for texts in (await answers(config, asked), await answers_at_once(config, asked)):
        for offset, adapter in enumerate((None, tiny_lora)):
            reference = Reference(tiny_llama, context_tokens=CONTEXT_TOKENS, adapter=adapter)
            with closing(reference):
                tokens = [reference.tokens(prompt) for prompt in prompts]
                theirs = [reference.complete(ids, max_tokens=MAX_TOKENS) for ids in tokens]
                mine = texts[offset::2]
                subject = Subject(
                    config=config, reference=reference, tokens=tokens, theirs=theirs, ours=mine
                )
                subject.assert_greedy(mine, like=theirs)
        assert texts[0::2] != texts[1::2]
