"""The documentation's Python blocks: this file holds the promise that they run and print as shown.

A block that needs more than the package itself says so behind its opening fence: `model="ALIAS"`
runs it only where that model is in the store, and with the slow tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

ROOT = Path(__file__).parents[2]
MODEL_FIXTURES = {"smollm2-135m": "smollm2_path", "qwen2.5-coder-0.5b": "qwen_coder_path"}


def documented_blocks() -> Iterator[CodeExample]:
    yield from find_examples(ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def as_parameter(block: CodeExample) -> object:
    needs_model = "model" in block.prefix_settings()
    place = f"{block.path.relative_to(ROOT)}:{block.start_line}"
    return pytest.param(block, id=place, marks=[pytest.mark.slow] if needs_model else [])


@pytest.mark.parametrize("block", [as_parameter(block) for block in documented_blocks()])
def test_a_block_of_the_documentation_runs_and_prints_what_it_shows(
    block: CodeExample, eval_example: EvalExample, request: pytest.FixtureRequest
) -> None:
    if model := block.prefix_settings().get("model"):
        request.getfixturevalue(MODEL_FIXTURES[model])
    eval_example.set_config(line_length=100)
    if eval_example.update_examples:
        eval_example.run_print_update(block)
    else:
        eval_example.run_print_check(block)
