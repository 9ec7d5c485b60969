"""The documentation's Python blocks: this file holds the promise that they run and print as shown.

Readers are shown an agent as they would write it, with a real model. A comment before such a block,
`<!-- plays: "An answer.", call("tool", argument="value") -->`, says what a scripted runtime answers
in the model's place. `<!-- needs: ALIAS -->` stands before a block that needs a real model: it runs
only where that model is in the store, and with the slow tests. These are comments and no settings
behind the fence because a page with unknown settings there is not rendered as code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

import pytest
from pytest_examples import CodeExample, EvalExample, find_examples

from smallhold.testing import ScriptedRuntime, call

ROOT = Path(__file__).parents[2]
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "examples" / "customer_service" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
)
MODEL_FIXTURES = {"smollm2-135m": "smollm2_path", "qwen2.5-coder-0.5b": "qwen_coder_path"}
NOTE: Final = re.compile(r"<!-- (plays|needs): ((?:(?!-->).)+) -->\s*\Z", re.DOTALL)


def as_parameter(block: CodeExample) -> object:
    place = f"{block.path.relative_to(ROOT)}:{block.start_line}"
    return pytest.param(block, id=place, marks=[pytest.mark.slow] if note(block, "needs") else [])


def note(block: CodeExample, kind: Literal["plays", "needs"]) -> str | None:
    """Read the comment right above a block."""
    above = block.path.read_text("utf-8").splitlines()[: block.start_line - 1]
    found = NOTE.search("\n".join(above))
    return None if found is None or found[1] != kind else " ".join(found[2].split())


def agent_calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id="Agent")):
                yield node
            case _:
                pass


def with_argument(source: str, argument: str) -> str:
    """Give the one `Agent(...)` of a block one more argument, on the line of its last."""
    (agent,) = agent_calls(source)
    last = [*agent.args, *(keyword.value for keyword in agent.keywords)][-1]
    assert last.end_lineno is not None
    lines = source.splitlines(keepends=True)
    line = lines[last.end_lineno - 1].encode()
    changed = line[: last.end_col_offset] + argument.encode() + line[last.end_col_offset :]
    lines[last.end_lineno - 1] = changed.decode()
    return "".join(lines)


@pytest.mark.parametrize("block", [as_parameter(block) for block in find_examples(*PAGES)])
def test_a_block_of_the_documentation_runs_and_prints_what_it_shows(
    block: CodeExample,
    eval_example: EvalExample,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    if model := note(block, "needs"):
        request.getfixturevalue(MODEL_FIXTURES[model])
    monkeypatch.chdir(tmp_path)
    script = note(block, "plays")
    argument = "" if script is None else f", runtime=ScriptedRuntime([{script}])"
    played = replace(block, source=with_argument(block.source, argument)) if argument else block
    names = {"ScriptedRuntime": ScriptedRuntime, "call": call}
    eval_example.set_config(line_length=100)
    if eval_example.update_examples:
        eval_example.run_print_update(played, module_globals=names)
        played.source = played.source.replace(argument, "")
    else:
        eval_example.run_print_check(played, module_globals=names)


def test_the_documentation_has_blocks_to_run() -> None:
    pages = {block.path.name for block in find_examples(*PAGES)}
    assert {"README.md", "quickstart.md", "agents.md"} <= pages


def test_a_scripted_runtime_is_given_on_the_line_of_the_last_argument() -> None:
    source = "agent = Agent(\n    Config(name='é'),\n    tools=[find],\n)\n"
    changed = with_argument(source, ", runtime=SCRIPTED")
    assert changed == source.replace("[find],", "[find], runtime=SCRIPTED,")


def test_a_comment_belongs_only_to_the_block_right_below_it(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '<!-- plays: "Hello.",\n  call("find") -->\n\n```python\nagent\n```\n\n```python\n1\n```\n'
    )
    first, second = find_examples(page)
    assert note(first, "plays") == '"Hello.", call("find")'
    assert note(first, "needs") is None
    assert note(second, "plays") is None


def test_no_block_has_settings_that_keep_a_page_from_showing_it_as_code() -> None:
    assert {block.prefix for block in find_examples(*PAGES)} == {"python"}
