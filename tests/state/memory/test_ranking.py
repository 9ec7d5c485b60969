from __future__ import annotations

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st
from tests.state.memory.facts import a_fact

from smallhold.state.memory.ranking import WordIndex, ranked, relevance, words

LINES = ["allergy: nuts", "favourite drink: green tea", "home town: Porto", "size: 43"]


def best_line(question: str) -> str:
    scores = WordIndex(LINES).coverage(question)
    return LINES[max(range(len(LINES)), key=lambda number: scores[number])]


def test_a_question_finds_the_line_that_shares_its_rare_words() -> None:
    assert best_line("Which drink is my favourite?") == LINES[1]
    assert best_line("Am I allergic to something?") == LINES[0]


def test_words_of_any_request_count_for_nothing() -> None:
    assert WordIndex(LINES).coverage("what do I have, please?") == [0.0] * len(LINES)


def test_characters_of_languages_without_spaces_count_as_words() -> None:
    scores = WordIndex(["饮料: 绿茶", "城市: 北京"]).coverage("我喜欢绿茶")
    assert scores[0] > scores[1] == 0.0


def test_equal_facts_are_ranked_newest_first() -> None:
    facts = [a_fact("tea", position=0), a_fact("tea", position=1)]
    assert [fact.position for fact, _ in ranked(facts, [0.5, 0.5])] == [1, 0]


def test_a_doubtful_fact_comes_after_a_sure_one_of_the_same_relevance() -> None:
    facts = [a_fact("sure", position=0), a_fact("doubtful", position=1, confidence_ratio=0.3)]
    assert [fact.value for fact, _ in ranked(facts, [0.5, 0.5])] == ["sure", "doubtful"]


def test_meaning_counts_half_where_there_is_an_embedder() -> None:
    assert relevance([0.4, 0.0], [0.8, -0.5]) == [0.6000000000000001, 0.0]
    assert relevance([0.4], None) == [0.4]


@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=60))
def test_coverage_is_a_share_for_every_text(lines: list[str], text: str) -> None:
    scores = WordIndex(lines).coverage(text)
    assert len(scores) == len(lines)
    assert all(0 <= score <= 1 + 1e-9 for score in scores)


@given(st.text())
def test_words_are_the_same_in_any_case_and_short(text: str) -> None:
    assert all(1 <= len(word) <= 5 for word in words(text))


def test_scores_are_the_same_bytes_in_every_process() -> None:
    code = (
        "from smallhold.state.memory.ranking import WordIndex;"
        "print([s.hex() for s in WordIndex(['a b c d e f g: h', 'alpha beta gamma: delta'])"
        ".coverage('alpha gamma delta b d f h unknown words here')])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
