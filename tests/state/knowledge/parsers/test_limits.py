from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge import ParsingLimits


def test_a_limit_of_nothing_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="cpu_s"):
        ParsingLimits(cpu_s=0)
