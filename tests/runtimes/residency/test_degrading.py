from __future__ import annotations

import pytest
from tests.runtimes.residency.scripted_models import GB, MB, House, answer

from smallhold.exceptions import MemoryRefusedError, ModelLoadError
from smallhold.generation import Prompt, ScoreRequest
from smallhold.messages import Message, Role
from smallhold.runtimes.residency import ResourceConfig
from smallhold.runtimes.residency.degrading import DegradingRuntime

pytestmark = pytest.mark.anyio

PROMPT = Prompt(messages=(Message(role=Role.USER, content="one two"),))


def house_of(*, large: int, small: int) -> tuple[House, DegradingRuntime]:
    house = House(
        sizes={"large": large, "small": small},
        config=ResourceConfig(max_memory_usage="1GB", power_management=False),
    )
    preferred, smaller = (house.residency.runtime(house.spec(it)) for it in ("large", "small"))
    return house, DegradingRuntime(preferred, smaller, is_degraded=False)


async def test_the_preferred_model_answers_where_there_is_room() -> None:
    house, runtime = house_of(large=900 * MB, small=100 * MB)
    assert await answer(runtime) == "I am large"
    assert not runtime.is_degraded
    assert house.journal == ["load large"]


async def test_the_smaller_model_answers_where_memory_refuses_and_goes_on_doing_so() -> None:
    house, runtime = house_of(large=2 * GB, small=100 * MB)
    assert await answer(runtime) == "I am small"
    assert runtime.is_degraded
    assert runtime.name == "embedded:small"
    assert await runtime.count_tokens(PROMPT) == 2
    assert house.journal == ["load small"]


async def test_scores_and_counts_change_to_the_smaller_model_too() -> None:
    _, runtime = house_of(large=2 * GB, small=100 * MB)
    scores = await runtime.score(ScoreRequest(prompt=PROMPT, choices=("x", "y")))
    assert len(scores.log_probs) == 2
    assert runtime.is_degraded
    _, other = house_of(large=2 * GB, small=100 * MB)
    assert await other.count_tokens(PROMPT) == 2
    assert other.is_degraded


async def test_where_not_even_the_smaller_model_fits_its_refusal_is_told() -> None:
    _, runtime = house_of(large=2 * GB, small=3 * GB)
    with pytest.raises(MemoryRefusedError, match="small"):
        await answer(runtime)
    with pytest.raises(MemoryRefusedError, match="small"):
        await answer(runtime)


async def test_a_model_that_is_broken_is_no_reason_for_another_one() -> None:
    house, runtime = house_of(large=900 * MB, small=100 * MB)
    house.models["large"].failures.append(ModelLoadError(path="x", problem="odd"))
    with pytest.raises(ModelLoadError):
        await answer(runtime)
    assert not runtime.is_degraded


async def test_closing_frees_both() -> None:
    house, runtime = house_of(large=800 * MB, small=100 * MB)
    await answer(runtime)
    runtime.is_degraded = True
    await answer(runtime)
    await runtime.aclose()
    assert sorted(house.journal[2:]) == ["unload large", "unload small"]
