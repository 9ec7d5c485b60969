from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge import KnowledgeSettings


@pytest.mark.parametrize("bad", [{"collection": " "}, {"reranked": 0}, {"recalled": 0}])
def test_a_bad_value_is_named(bad: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(bad))):
        KnowledgeSettings(**bad)  # type: ignore[arg-type] - the point of the test


def test_a_score_is_between_0_and_1() -> None:
    with pytest.raises(ConfigError, match="recall_least_score"):
        KnowledgeSettings(recall_least_score=1.5)
