"""Promises about what a rendering may spend."""

from __future__ import annotations

import pytest

from smallhold.engine.template_budget import Budget, TemplateLimits
from smallhold.exceptions import ChatTemplateError


def test_steps_are_limited() -> None:
    budget = Budget(TemplateLimits(steps=10))
    budget.step(10)
    with pytest.raises(ChatTemplateError, match="more than 10 steps"):
        budget.step()


def test_time_is_limited() -> None:
    now_s = [0.0]
    budget = Budget(TemplateLimits(time_s=2), now_s=lambda: now_s[0])
    budget.step()
    now_s[0] = 2.1
    with pytest.raises(ChatTemplateError, match="longer than 2 s"):
        budget.step(100)


def test_one_text_and_all_texts_are_limited() -> None:
    budget = Budget(TemplateLimits(output_chars=4, produced_chars=10))
    with pytest.raises(ChatTemplateError, match="more than 4 characters"):
        budget.produce("abcde")
    budget.produce("abcd")
    budget.produce("abcd")
    with pytest.raises(ChatTemplateError, match="more than 10 characters in all"):
        budget.produce("abcd")


def test_a_value_counts_at_each_place_where_it_stands() -> None:
    budget = Budget(TemplateLimits(nodes=90))
    value: list[object] = [1]
    for _ in range(4):
        value = [value, value]
    budget.contain(value)
    with pytest.raises(ChatTemplateError, match="more than 90 values"):
        budget.contain([value, value])


def test_texts_within_a_container_count_together() -> None:
    budget = Budget(TemplateLimits(output_chars=10))
    budget.contain({"abcde": ["abcde"]})
    with pytest.raises(ChatTemplateError, match="more than 10 characters"):
        budget.contain({"abcde": ["abcdef"]})


def test_only_data_may_be_contained() -> None:
    with pytest.raises(ChatTemplateError, match="puts a object into a list"):
        Budget(TemplateLimits()).contain([object()])
