from __future__ import annotations

from pathlib import Path

import pytest

from smallhold.agents.guardrails import InputCheck, ModelTopics, Outcome, Topics
from smallhold.engine.config import ModelConfig
from smallhold.exceptions import ConfigError, UnsupportedFeatureError
from smallhold.runtimes.embedded import EmbeddedRuntime
from smallhold.testing import NATIVE, ScriptedRuntime, call

TOPICS = {"orders": "parcels and deliveries", "politics": "parties and elections"}


async def test_the_models_likeliest_topic_has_the_highest_probability() -> None:
    runtime = ScriptedRuntime([call("politics")])
    shares = await ModelTopics(runtime, TOPICS)("Whom shall I vote for?")
    assert max(shares, key=lambda topic: shares[topic]) == "politics"
    assert sum(shares.values()) == pytest.approx(1)


async def test_a_message_of_no_topic_is_of_another() -> None:
    shares = await ModelTopics(ScriptedRuntime(["Hello."]), TOPICS)("hm")
    assert max(shares, key=lambda topic: shares[topic]) == "other"


async def test_topics_can_be_blocked_by_the_models_own_preference() -> None:
    runtime = ScriptedRuntime([call("politics")])
    guardrail = Topics(blocked=["politics"], classifier=ModelTopics(runtime, TOPICS))
    verdict = await guardrail.check_input(InputCheck(text="Whom shall I vote for?"))
    assert verdict.outcome is Outcome.BLOCK


async def test_a_runtime_that_cannot_score_is_an_error() -> None:
    with pytest.raises(UnsupportedFeatureError):
        await ModelTopics(ScriptedRuntime(capabilities=NATIVE), TOPICS)("hello")


@pytest.mark.parametrize("topics", [{}, {"other": "anything"}])
def test_topics_need_labels_of_their_own(topics: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="topics"):
        ModelTopics(ScriptedRuntime(), topics)


async def test_a_real_model_gives_probabilities(smollm2_path: Path) -> None:
    runtime = EmbeddedRuntime(ModelConfig(path=smollm2_path, name="smollm2"))
    try:
        shares = await ModelTopics(runtime, TOPICS)("Where is my parcel? It was due yesterday.")
    finally:
        await runtime.aclose()
    assert set(shares) == {"orders", "politics", "other"}
    assert shares["orders"] > shares["politics"]
