from __future__ import annotations

import dataclasses

import pytest

from smallhold.state.knowledge import Block, BlockKind


def test_a_block_is_a_paragraph_unless_it_is_said_otherwise_and_never_changes() -> None:
    block = Block(text="x")
    assert block.kind is BlockKind.PARAGRAPH
    with pytest.raises(dataclasses.FrozenInstanceError):
        block.text = "y"  # type: ignore[misc] - the point of the test
