from __future__ import annotations

from typing import Any, cast

import pytest

from smallhold.agents import Agent, Config
from smallhold.testing import ScriptedRuntime


def test_a_misspelt_part_is_refused_with_the_names_there_are() -> None:
    parts = cast("Any", {"runtime": ScriptedRuntime([]), "tool": []})
    with pytest.raises(TypeError, match="no part 'tool'; it has runtime, tools, embedder, state"):
        Agent(Config(name="x"), **parts)
