"""Promises of `smallhold.cli.recommendation_views`: this file holds tests of showing choices."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.models.choice_cases import BILLION, GB, catalog, machine, model

from smallhold.cli.recommendation_views import (
    CAUTIONS,
    choice_json,
    choice_line,
    choices_table,
    reason_json,
    reason_sentence,
)
from smallhold.models import Choice, Reason, ReasonKind, recommend

if TYPE_CHECKING:
    from tests.cli.conftest import Screen


@pytest.fixture(scope="module")
def choices() -> tuple[Choice, ...]:
    models = catalog(
        model("free", 2 * BILLION), model("bound", BILLION, licence="LicenseRef-Gemma")
    )
    return recommend(
        catalog=models,
        hardware=machine(),
        budget_bytes=6 * GB,
        is_installed=lambda entry: entry.reference == "free:q4_k_m",
    )


@pytest.mark.parametrize("kind", ReasonKind)
def test_every_reason_has_a_sentence(kind: ReasonKind) -> None:
    reason = Reason(
        kind=kind, needed_bytes=1_000_000, limit_bytes=2_000_000, detail="7", tokens_per_s=9.0
    )
    sentence = reason_sentence(reason)
    assert sentence
    assert not re.search(r"[{}]", sentence)


def test_a_sentence_has_the_reason_s_numbers() -> None:
    reason = Reason(
        kind=ReasonKind.NEEDS_MORE_MEMORY, needed_bytes=2_600_000_000, limit_bytes=1_200_000_000
    )
    assert reason_sentence(reason) == "takes 2,600 MB, 1,200 MB may be used"


def test_a_reason_s_json_has_only_the_numbers_that_it_has() -> None:
    assert reason_json(Reason(kind=ReasonKind.SLOW_HERE, tokens_per_s=12.34)) == {
        "kind": "slow-here",
        "tokens_per_s": 12.3,
        "sentence": "slow here, reads about 12 tokens/s",
    }


def test_a_choice_s_json_has_estimate_reasons_and_what_was_passed_over(
    choices: tuple[Choice, ...],
) -> None:
    document = json.loads(json.dumps(choice_json(choices[0])))
    assert document["reference"] == "free:q4_k_m"
    assert document["installed"] is True
    assert document["memory"]["total_bytes"] == choices[0].estimate.total_bytes
    assert {"kind": "already-installed", "sentence": "is here already"} in document["reasons"]
    assert {other["reference"] for other in document["passed_over"]} >= {"free:q2_k"}


def test_people_read_a_choice_in_one_line(choices: tuple[Choice, ...]) -> None:
    line = choice_line(choices[0])
    assert line.startswith("free:q4_k_m: the most capable that fits")
    assert "is here already" in line


def test_people_read_a_table_of_what_there_is_and_what_to_mind(
    choices: tuple[Choice, ...], screen: Screen
) -> None:
    screen.console.print(choices_table(choices))
    free, bound = (
        next(line for line in screen.text.splitlines() if name in line)
        for name in ("free:", "bound:")
    )
    assert "2.00 B" in free
    assert "yes" in free
    assert "restricted licence" in bound
    assert ReasonKind.RESTRICTED_LICENCE in CAUTIONS
