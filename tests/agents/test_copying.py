from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.copying import MAX_SPANS, revise
from smallhold.agents.mentions import Said
from smallhold.evals.json_schema import is_valid_json
from smallhold.messages import JsonObject, JsonValue

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "product": {"type": "string", "description": "Name."},
        "quantity": {"type": "integer", "minimum": 1, "maximum": 50},
        "colour": {"type": "string", "enum": ["red", "blue"]},
        "note": {"type": "string"},
        "gift": {"type": "boolean"},
        "price": {"type": "number", "exclusiveMinimum": 0},
        "extras": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["product", "quantity"],
    "additionalProperties": False,
}
SAID = Said("Please send 2 red lamps for 30 euros to Ada")


def choices(narrowed: JsonObject | None, name: str) -> list[JsonValue]:
    assert narrowed is not None
    properties = narrowed["properties"]
    assert isinstance(properties, dict)
    schema = properties[name]
    assert isinstance(schema, dict)
    options = schema.get("enum", [])
    assert isinstance(options, list)
    return options


def test_arguments_that_were_said_stay_as_they_are() -> None:
    arguments: JsonObject = {"product": "red lamps", "quantity": 2, "colour": "red"}
    revision = revise(arguments, SCHEMA, said=SAID)
    assert revision.arguments == arguments
    assert revision.narrowed is None


def test_an_optional_value_that_nobody_mentioned_is_left_out() -> None:
    arguments: JsonObject = {"product": "lamps", "quantity": 2, "note": "urgent", "colour": "blue"}
    revision = revise(arguments, SCHEMA, said=SAID)
    assert revision.arguments == {"product": "lamps", "quantity": 2}


def test_a_required_text_that_nobody_mentioned_is_chosen_among_what_was_said() -> None:
    revision = revise({"product": "sofa", "quantity": 2}, SCHEMA, said=SAID)
    options = choices(revision.narrowed, "product")
    assert "red lamps" in options
    assert "sofa" not in options


def test_a_required_number_that_nobody_mentioned_is_chosen_among_the_free_ones() -> None:
    revision = revise({"product": "lamps", "quantity": 7}, SCHEMA, said=SAID)
    assert choices(revision.narrowed, "quantity") == [2, 30]


def test_a_number_outside_the_tool_s_limits_is_not_offered() -> None:
    said = Said("2 lamps of 99 cm")
    revision = revise({"product": "lamps", "quantity": 7}, SCHEMA, said=said)
    assert choices(revision.narrowed, "quantity") == [2]


def test_an_invented_identifier_is_replaced_only_by_one_that_was_said() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {"phone": {"type": "string"}},
        "required": ["phone"],
    }
    nobody = revise({"phone": "+44 20 7946 0000"}, schema, said=Said("Please call me back"))
    assert nobody.arguments == {"phone": "+44 20 7946 0000"}
    assert nobody.narrowed is None
    somebody = revise({"phone": "020 7946 0000"}, schema, said=Said("Call 020 7946 0123 please"))
    options = choices(somebody.narrowed, "phone")
    assert "020 7946 0123" in options
    assert not [option for option in options if "Call" in str(option)]


def test_no_more_spans_are_offered_than_a_grammar_takes_at_once() -> None:
    said = Said(" ".join(f"word{number}" for number in range(1_000)))
    schema: JsonObject = {
        "type": "object",
        "properties": {"product": {"type": "string"}},
        "required": ["product"],
    }
    revision = revise({"product": "sofa"}, schema, said=said)
    assert len(choices(revision.narrowed, "product")) == MAX_SPANS


PRODUCTS = st.sampled_from(["lamps", "red lamps", "sofa", "", "9999", "ada@lovelace.example"])
REQUIRED: dict[str, st.SearchStrategy[JsonValue]] = {
    "product": PRODUCTS,
    "quantity": st.integers(1, 50),
}
OPTIONAL: dict[str, st.SearchStrategy[JsonValue]] = {
    "colour": st.sampled_from(["red", "blue"]),
    "note": PRODUCTS,
    "gift": st.booleans(),
    "price": st.floats(min_value=0.01, max_value=99.0),
    "extras": st.lists(PRODUCTS, max_size=3).map(list[JsonValue]),
}
ARGUMENTS = st.fixed_dictionaries(REQUIRED, optional=OPTIONAL)
TEXTS = st.text(alphabet="ab lamps red 0123456789,.%k-", max_size=60).map(Said)


@given(ARGUMENTS, TEXTS)
def test_nothing_is_added_and_required_arguments_stay(arguments: JsonObject, said: Said) -> None:
    revision = revise(arguments, SCHEMA, said=said)
    assert revision.arguments.keys() <= arguments.keys()
    assert {"product", "quantity"} <= revision.arguments.keys()
    assert is_valid_json(revision.arguments, SCHEMA)


@given(ARGUMENTS, TEXTS, st.data())
def test_whatever_is_chosen_anew_is_valid_for_the_tool(
    arguments: JsonObject, said: Said, data: st.DataObject
) -> None:
    narrowed = revise(arguments, SCHEMA, said=said).narrowed
    if narrowed is None:
        return
    properties = narrowed["properties"]
    assert isinstance(properties, dict)
    chosen: JsonObject = {}
    for name, schema in properties.items():
        assert isinstance(schema, dict)
        options = schema.get("enum")
        chosen[name] = (
            data.draw(st.sampled_from(options)) if isinstance(options, list) else schema["const"]
        )
    assert is_valid_json(chosen, narrowed)
    assert is_valid_json(chosen, SCHEMA)


def test_numbers_inside_a_list_are_taken_too() -> None:
    schema: JsonObject = {
        "type": "object",
        "properties": {
            "values": {"type": "array", "items": {"type": "number"}},
            "alpha": {"type": "number"},
        },
        "required": ["values"],
    }
    revision = revise({"values": [12, 24], "alpha": 0.05}, schema, said=Said("values 12 and 24"))
    assert revision.arguments == {"values": [12, 24]}
    assert revision.narrowed is None
