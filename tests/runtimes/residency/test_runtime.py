from __future__ import annotations

from dataclasses import replace

import pytest
from tests.runtimes.residency.scripted_models import GB, MB, House, answer, asked

from smallhold.exceptions import DeadlineExceededError, MemoryRefusedError, UnsupportedFeatureError
from smallhold.generation import EmbedRequest, Prompt, ScoreRequest, Scores
from smallhold.messages import Message, Role
from smallhold.runtimes import Embedder, Runtime
from smallhold.runtimes.dialects import DIALECTS
from smallhold.runtimes.residency import ResourceConfig
from smallhold.testing import Delay, ScriptedRuntime, call

pytestmark = pytest.mark.anyio

PROMPT = Prompt(messages=(Message(role=Role.USER, content="three little words"),))


def test_it_is_a_runtime_and_an_embedder_and_knows_its_limits_before_it_is_loaded() -> None:
    house = House(sizes={"a": GB})
    spec = replace(house.spec("a"), dialect=DIALECTS["llama3"])
    runtime: Runtime = house.residency.runtime(spec)
    assert isinstance(runtime, Embedder)
    assert runtime.name == "embedded:a"
    assert runtime.limits.dialect is DIALECTS["llama3"]
    assert house.journal == []


async def test_every_kind_of_request_loads_the_model() -> None:
    house = House(sizes={"a": 100 * MB}, config=ResourceConfig(keep_alive_s=0))
    runtime = house.residency.runtime(house.spec("a"))
    house.models["a"].runtime = ScriptedRuntime([call("look")])
    assert await runtime.count_tokens(PROMPT) == 3
    assert len((await runtime.embed(EmbedRequest(prompt=PROMPT))).vector) > 0
    scores = await runtime.score(ScoreRequest(prompt=PROMPT, choices=("x", "y")))
    assert len(scores.log_probs) == 2
    await runtime.load()
    assert house.journal == ["load a", "unload a"] * 4


async def test_a_deadline_that_passes_in_the_worker_names_the_whole_time() -> None:
    house = House(sizes={"a": 100 * MB})
    runtime = house.residency.runtime(house.spec("a"))

    class Late(ScriptedRuntime):
        async def score(self, request: ScoreRequest) -> Scores:
            assert request.scheduling.timeout_s is not None
            raise DeadlineExceededError(limit_s=request.scheduling.timeout_s)

    house.models["a"].runtime = Late()
    request = ScoreRequest(prompt=PROMPT, choices=("x",), scheduling=asked(timeout_s=7).scheduling)
    with pytest.raises(DeadlineExceededError) as caught:
        await runtime.score(request)
    assert caught.value.limit_s == 7


async def test_what_has_no_process_cannot_be_described() -> None:
    house = House(sizes={"a": 100 * MB})
    runtime = house.residency.runtime(house.spec("a"))
    assert runtime.worker_pid is None
    with pytest.raises(UnsupportedFeatureError, match="description"):
        await runtime.describe()


async def test_a_model_that_does_not_embed_says_so() -> None:
    house = House(sizes={"a": 100 * MB})
    runtime = house.residency.runtime(house.spec("a"))
    house.models["a"].runtime = OnlyAnswers()
    with pytest.raises(UnsupportedFeatureError, match="embeddings"):
        await runtime.embed(EmbedRequest(prompt=PROMPT))


class OnlyAnswers:
    """A runtime without vectors."""

    def __init__(self) -> None:
        scripted = ScriptedRuntime([Delay(seconds=0), "yes"])
        self.stream, self.score = scripted.stream, scripted.score
        self.count_tokens, self.aclose = scripted.count_tokens, scripted.aclose
        self.name, self.limits = scripted.name, scripted.limits


async def test_a_runtime_can_pin_before_it_is_loaded_and_a_close_unpins() -> None:
    house = House(sizes={"a": 600 * MB, "b": 600 * MB}, config=ResourceConfig(max_memory_usage=GB))
    a, b = (house.residency.runtime(house.spec(name)) for name in "ab")
    a.pin()
    assert a.is_pinned
    await a.load()
    with pytest.raises(MemoryRefusedError):
        await b.load()
    await a.aclose()
    assert not a.is_pinned
    assert await answer(b) == "I am b"
