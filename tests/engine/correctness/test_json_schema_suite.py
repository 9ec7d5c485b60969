"""The JSON Schema Test Suite against our grammars.

Each schema either compiles, and then accepts and refuses what the suite says, or is refused by name
before anything is decoded. No instance that the suite calls invalid is accepted in any spelling.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeAlias, cast

import pytest
from llguidance import LLTokenizer

from smallhold.engine.grammar import Grammar, constraint_to_lark
from smallhold.engine.schema_support import enforceable
from smallhold.exceptions import DecodeError, UnsupportedSchemaError
from smallhold.generation import JsonSchemaConstraint
from smallhold.messages import JsonObject, JsonValue

BYTES = LLTokenizer("byte")
"""A vocabulary of single bytes: what a grammar accepts does not depend on the model's."""

LOOSE = {
    "optional/ecmascript-regex.json": "`\\S` takes U+FEFF, as in every language but ECMAScript",
    "optional/format/date.json": "29 February is allowed in every year",
    "optional/format/date-time.json": "a leap second is allowed at any minute",
    "optional/format/hostname.json": "A-labels and the whole length are not looked into",
    "optional/format/time.json": "a leap second is allowed at any minute",
}
"""Optional tests in which an invalid instance is accepted, and why. `format` is an annotation in
this draft, so a grammar that checks most of it does more than it has to. Required tests have no
such list."""

STYLE = {
    "const.json": "a number or an object is written as the schema has it",
    "enum.json": "a number is written as the schema has it",
    "format.json": "a known format is enforced, not only an annotation",
    "type.json": "a whole number is written without a fraction",
}
"""Required tests in which a valid instance is refused, and why: our grammars have one spelling."""

LEAST_COMPILED = 175
LEAST_RIGHT = 0.96

_log = logging.getLogger(__name__)

Case: TypeAlias = tuple[JsonObject, JsonValue]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What became of the suite's schemas and instances."""

    compiled: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    """Schemas refused, by file."""
    right: int = 0
    wrongly_accepted: dict[str, list[Case]] = field(default_factory=dict[str, list[Case]])
    wrongly_refused: dict[str, list[Case]] = field(default_factory=dict[str, list[Case]])
    unnamed: list[str] = field(default_factory=list[str])
    """Refusals that do not say what is wrong."""

    def summary(self) -> str:
        wrong = sum(map(len, self.wrongly_refused.values()))
        total = self.compiled + self.refused.total()
        return (
            f"{self.compiled} of {total} schemas compiled, {self.refused.total()} refused; "
            f"of {self.right + wrong + sum(map(len, self.wrongly_accepted.values()))} instances "
            f"{self.right} right, {wrong} valid ones refused"
        )


class Judge:
    """A compiled schema."""

    def __init__(self, schema: JsonValue) -> None:
        # A boolean is no object, so it cannot be given to us as it is.
        whole: JsonObject = schema if isinstance(schema, dict) else {"allOf": [schema]}
        constraint = JsonSchemaConstraint(schema=enforceable(whole))
        self._schema = whole
        self._lark = constraint_to_lark(constraint, literal_prefix="")
        _ = self._first

    @cached_property
    def _first(self) -> Grammar:
        return Grammar(BYTES, self._lark)

    def accepts(self, instance: JsonValue) -> bool:
        """Whether some spelling of an instance is accepted."""
        return any(self._accepts(text) for text in set(self._spellings(instance)))

    def _accepts(self, text: str) -> bool:
        grammar = Grammar(BYTES, self._lark)
        try:
            grammar.accept(list(text.encode("utf-8", "surrogatepass")))
        except DecodeError:
            return False
        return grammar.may_end

    def _spellings(self, instance: JsonValue) -> Iterator[str]:
        for value in (instance, *self._orders(instance)):
            yield json.dumps(value)
            yield json.dumps(value, ensure_ascii=False)
            yield with_escaped_names(value)

    def _orders(self, instance: JsonValue) -> Iterator[JsonValue]:
        if not isinstance(instance, dict):
            return
        for names in (list(declared_names(self._schema)), sorted(instance)):
            order = [*dict.fromkeys(names), *instance]
            yield {name: instance[name] for name in order if name in instance}
            yield {name: instance[name] for name in reversed(order) if name in instance}


def with_escaped_names(value: JsonValue) -> str:
    """Write every letter of every name as an escape, which the grammar must not fall for."""
    match value:
        case dict():
            items = ", ".join(
                f'"{escaped(name)}": {with_escaped_names(item)}' for name, item in value.items()
            )
            return f"{{{items}}}"
        case list():
            return f"[{', '.join(map(with_escaped_names, value))}]"
        case _:
            return json.dumps(value)


def escaped(name: str) -> str:
    data = name.encode("utf-16-be")
    return "".join(f"\\u{data[at : at + 2].hex()}" for at in range(0, len(data), 2))


def declared_names(schema: JsonValue) -> Iterator[str]:
    """Give the names of properties in the order in which a schema declares them."""
    if isinstance(schema, dict):
        properties = schema.get("properties")
        if isinstance(properties, dict):
            yield from properties
        required = schema.get("required")
        if isinstance(required, list):
            yield from (name for name in required if isinstance(name, str))
        for item in schema.values():
            yield from declared_names(item)
    elif isinstance(schema, list):
        for item in schema:
            yield from declared_names(item)


def judged(rows: Iterator[Mapping[str, JsonValue]]) -> Tally:
    tally = Tally()
    for row in rows:
        file, schema = cast("str", row["file"]), row["schema"]
        try:
            judge = Judge(schema)
        except UnsupportedSchemaError as refusal:
            tally.refused[file] += 1
            tally.unnamed += [] if refusal.detail else [file]
            continue
        tally.compiled += 1
        for test in cast("list[JsonObject]", row["tests"]):
            accepted = judge.accepts(test["data"])
            case = (cast("JsonObject", schema), test["data"])
            if accepted == test["valid"]:
                tally.right += 1
            elif accepted:
                tally.wrongly_accepted.setdefault(file, []).append(case)
            else:
                tally.wrongly_refused.setdefault(file, []).append(case)
    return tally


@pytest.fixture(scope="module")
def rows(eval_data: Path) -> list[dict[str, JsonValue]]:
    path = eval_data / "json_schema_test_suite" / "draft2020-12.jsonl"
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def required(rows: list[dict[str, JsonValue]]) -> Tally:
    return judged(row for row in rows if not str(row["file"]).startswith("optional/"))


@pytest.fixture(scope="module")
def optional(rows: list[dict[str, JsonValue]]) -> Tally:
    return judged(row for row in rows if str(row["file"]).startswith("optional/"))


def test_no_invalid_instance_of_a_required_test_is_accepted(required: Tally) -> None:
    assert not required.wrongly_accepted
    assert required.right


def test_valid_instances_are_refused_only_for_their_spelling(required: Tally) -> None:
    assert set(required.wrongly_refused) <= set(STYLE), required.wrongly_refused


def test_every_refusal_says_what_is_wrong(required: Tally, optional: Tally) -> None:
    assert not required.unnamed + optional.unnamed


def test_invalid_instances_of_optional_tests_are_accepted_only_where_known(optional: Tally) -> None:
    assert set(optional.wrongly_accepted) <= set(LOOSE), optional.wrongly_accepted


def test_most_of_what_tools_use_compiles(required: Tally, optional: Tally) -> None:
    # Shown by `pytest --log-cli-level=INFO`.
    _log.info("required tests: %s", required.summary())
    _log.info("optional tests: %s", optional.summary())
    _log.info("refused: %s", dict(required.refused + optional.refused))
    refused = sum(map(len, required.wrongly_refused.values()))
    assert required.compiled >= LEAST_COMPILED, required.summary()
    assert required.right / (required.right + refused) >= LEAST_RIGHT, required.summary()
