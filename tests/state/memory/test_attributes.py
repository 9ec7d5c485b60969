from __future__ import annotations

import jsonschema
import pytest

from smallhold.messages import JsonValue
from smallhold.state.memory import PERSONAL, Attribute
from smallhold.state.memory.attributes import NOTED_MAX, VALUE_MAX_CHARS, noting_schema

NAMED = {attribute.name: attribute for attribute in PERSONAL}


def is_valid(*facts: JsonValue) -> bool:
    try:
        jsonschema.validate({"facts": list(facts)}, noting_schema(PERSONAL))
    except jsonschema.ValidationError:
        return False
    return True


def noted(value: str = "nuts", attribute: str = "allergy", about: str = "user") -> JsonValue:
    return {"value": value, "about": about, "attribute": attribute}


def test_only_attributes_that_were_given_can_be_noted() -> None:
    assert is_valid(noted())
    assert not is_valid(noted(attribute="behaviour of the agent"))
    assert not is_valid({"value": "nuts", "attribute": "allergy"})


def test_notes_are_short_and_few() -> None:
    assert not is_valid(noted("x" * (VALUE_MAX_CHARS + 1)))
    assert not is_valid(noted(""))
    assert not is_valid(*[noted()] * (NOTED_MAX + 1))


@pytest.mark.parametrize(
    ("attribute", "good", "bad"),
    [
        ("e-mail address", "ann@example.org", "1042"),
        ("phone number", "+44 171 555-0199", "after six"),
        ("birthday", "4 May", "May"),
        ("name", "anything", None),
    ],
)
def test_a_value_must_have_its_attributes_form(attribute: str, good: str, bad: str | None) -> None:
    assert NAMED[attribute].allows(good)
    assert bad is None or not NAMED[attribute].allows(bad)


def test_no_attribute_says_how_an_agent_behaves() -> None:
    names = {attribute.name for attribute in PERSONAL}
    assert not names & {"instruction", "rule", "behaviour", "preference", "note"}
    assert Attribute(name="diet").allows("vegan")
