"""Putting questions to a search: this file holds the run over a question set."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from smallhold.evals.knowledge.matching import Passage, Ranks, first_ranks
from smallhold.evals.knowledge.questions import Question
from smallhold.exceptions import ConfigError

DEPTH: Final = 10
"""How many passages of each ranking are looked at."""

Search: TypeAlias = Callable[[str], Awaitable[Sequence[Passage]]]
"""Finds passages for a question, the best first; at least `DEPTH` of them where there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """What came back for one question."""

    question: Question
    ranks: Ranks
    """Within the first `DEPTH` passages."""
    seconds: float

    def is_found(self, depth: int) -> bool:
        """Whether an accepted section is among the first `depth` passages."""
        return self.ranks.found is not None and self.ranks.found <= depth

    def is_spot(self, depth: int) -> bool:
        """Whether the key phrase of one stands in the first `depth` passages."""
        return self.ranks.spot is not None and self.ranks.spot <= depth

    @property
    def reciprocal_rank(self) -> float:
        """1 / rank of the first accepted section; 0 where none is within `DEPTH`."""
        return 0.0 if self.ranks.found is None else 1 / self.ranks.found


def ignore_question(asked: AskedQuestion) -> None:
    """Take no notice of progress."""
    del asked


async def ask_questions(
    questions: Sequence[Question],
    *,
    search: Search,
    on_question: Callable[[AskedQuestion], None] = ignore_question,
) -> list[AskedQuestion]:
    """Search for each question and see where the answer comes.

    Args:
        questions: What to ask, at least one.
        search: Asked once more at the start, so that no question carries the time of loading.
        on_question: Called after each.

    Raises:
        ConfigError: There are no questions.
    """
    if not questions:
        raise ConfigError(field="questions", value=[], remedy="ask at least one")
    await search(questions[0].text)
    done: list[AskedQuestion] = []
    for question in questions:
        started_s = time.perf_counter()
        passages = await search(question.text)
        seconds = time.perf_counter() - started_s
        ranks = first_ranks(passages[:DEPTH], question=question)
        asked = AskedQuestion(question=question, ranks=ranks, seconds=seconds)
        done.append(asked)
        on_question(asked)
    return done
