from __future__ import annotations

import pytest

from smallhold.exceptions import ConfigError
from smallhold.testing import ManualClock


def test_a_clock_stands_still_until_it_is_moved() -> None:
    clock = ManualClock(start_s=5.0)
    assert clock() == clock() == 5.0
    clock.advance(2.5)
    assert clock() == 7.5


def test_a_clock_cannot_go_back() -> None:
    clock = ManualClock()
    with pytest.raises(ConfigError) as caught:
        clock.advance(-1.0)
    assert caught.value.field == "seconds"
    assert clock() == 0.0
