from __future__ import annotations

from collections.abc import Mapping

import pytest

from smallhold.agents.guardrails import InputCheck, Outcome, Topics
from smallhold.exceptions import ConfigError

WORDS = {"orders": ["order*", "parcel"], "politics": ["election*", "Président"]}


async def outcome(topics: Topics, text: str) -> Outcome:
    return (await topics.check_input(InputCheck(text=text))).outcome


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who wins the ELECTIONS?", Outcome.BLOCK),
        ("Le president de la France ?", Outcome.BLOCK),
        ("What is for lunch?", Outcome.PASS),
        ("The selection is good.", Outcome.PASS),
    ],
)
async def test_a_blocked_topic_is_known_by_its_words(text: str, expected: Outcome) -> None:
    assert await outcome(Topics(blocked=["politics"], words=WORDS), text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Where is my order?", Outcome.PASS),
        ("What is for lunch?", Outcome.BLOCK),
        ("My order on the day of the election", Outcome.BLOCK),
    ],
)
async def test_a_message_needs_an_allowed_topic_and_no_blocked_one(
    text: str, expected: Outcome
) -> None:
    topics = Topics(allowed=["orders"], blocked=["politics"], words=WORDS)
    assert await outcome(topics, text) is expected


@pytest.mark.parametrize(("share", "expected"), [(0.8, Outcome.BLOCK), (0.7, Outcome.PASS)])
async def test_a_classifiers_topic_counts_from_the_threshold_on(
    share: float, expected: Outcome
) -> None:
    def classifier(text: str) -> Mapping[str, float]:
        return {"politics": share if "vote" in text else 0.0}

    topics = Topics(blocked=["politics"], classifier=classifier, threshold=0.75)
    assert await outcome(topics, "Whom shall I vote for?") is expected


async def test_a_classifier_may_be_awaited_and_is_asked_after_the_words() -> None:
    asked: list[str] = []

    async def classifier(text: str) -> Mapping[str, float]:
        asked.append(text)
        return {"orders": 1.0}

    topics = Topics(
        allowed=["orders"],
        blocked=["politics"],
        words={"politics": ["vote"]},
        classifier=classifier,
    )
    assert await outcome(topics, "vote") is Outcome.BLOCK
    assert await outcome(topics, "my thing from last week") is Outcome.PASS
    assert asked == ["my thing from last week"]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"blocked": ["politics"]},
        {"blocked": ["politics"], "words": {"politics": [""]}},
        {"blocked": ["politics"], "words": WORDS, "threshold": 0.0},
        {"blocked": ["politics"], "words": WORDS, "threshold": float("nan")},
    ],
)
def test_topics_that_cannot_be_recognised_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Topics(**fields)  # type: ignore[arg-type]  # wrong on purpose
