from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.state.knowledge.hits import hit

from smallhold.exceptions import UnsupportedFeatureError
from smallhold.generation import ScoreRequest, Scores
from smallhold.messages import Usage
from smallhold.state.knowledge import ScoringReranker
from smallhold.state.knowledge.reranking import in_order
from smallhold.testing import ScriptedRuntime


class Believer(ScriptedRuntime):
    """Says yes to passages that hold a word."""

    async def score(self, request: ScoreRequest) -> Scores:
        is_yes = "sugar" in request.prompt.messages[-1].content.partition("Question")[0]
        yes, no = (-0.1, -9.0) if is_yes else (-9.0, -0.1)
        return Scores(
            log_probs=tuple(yes if choice == "yes" else no for choice in request.choices),
            baseline_log_probs=None,
            token_counts=(1,) * len(request.choices),
            usage=Usage(),
        )


async def test_a_hit_that_the_model_says_yes_to_is_likely() -> None:
    scores = await ScoringReranker(Believer()).scores("sugar?", [hit("with sugar"), hit("plain")])
    assert scores[0] > 0.99
    assert scores[1] < 0.01


def test_a_runtime_that_cannot_score_is_refused() -> None:
    with pytest.raises(UnsupportedFeatureError, match="scoring"):
        ScoringReranker(ScriptedRuntime([], capabilities=frozenset()))


@given(st.lists(st.sampled_from([0.1, 0.5, 0.9])))
def test_the_best_come_first_and_equal_ones_stay_in_order(scores: list[float]) -> None:
    hits = [hit(str(number)) for number in range(len(scores))]
    ordered = [int(one.text) for one in in_order(hits, scores)]
    assert ordered == sorted(range(len(scores)), key=lambda number: -scores[number])
