"""Promises of `smallhold.tools.a2a.settings`: this file holds tests of its limits."""

from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError
from smallhold.tools.a2a import A2ALimits


def test_a_limit_that_leaves_nothing_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="answer_s"):
        A2ALimits(answer_s=0)
