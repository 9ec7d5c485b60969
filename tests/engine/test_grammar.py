from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.engine.grammar import Grammar, constraint_to_lark
from smallhold.engine.loaded import LoadedModel
from smallhold.exceptions import DecodeError, UnsupportedSchemaError
from smallhold.generation import Constraint, JsonSchemaConstraint, LarkConstraint, Sampling
from smallhold.messages import JsonObject

spellable = st.characters(exclude_categories=["Cs", "Cc"], max_codepoint=0x3FFFF) | st.just("\n")
"""SmolLM2's vocabulary lacks a few single bytes, so it cannot spell what is made of them."""


def grammar_of(model: LoadedModel, constraint: Constraint, *, prefix: str = "") -> Grammar:
    lark = constraint_to_lark(constraint, literal_prefix=prefix)
    return Grammar(model.grammar_tokenizer, lark)


def forced_text(model: LoadedModel, grammar: Grammar) -> str:
    return b"".join(model.model.piece(token) for token in grammar.forced_tokens()).decode()


def accepts(model: LoadedModel, constraint: Constraint, text: str, *, prefix: str = "") -> bool:
    grammar = grammar_of(model, constraint, prefix=prefix)
    try:
        grammar.accept(model.model.tokenize(prefix + text, parse_special=False))
    except DecodeError:
        return False
    return grammar.may_end


def schema(**keywords: object) -> JsonSchemaConstraint:
    return JsonSchemaConstraint(schema=json.loads(json.dumps(keywords)))


def test_what_the_schema_leaves_no_choice_about_is_forced(shared_model: LoadedModel) -> None:
    constraint = schema(
        type="object",
        properties={"kind": {"const": "order"}, "n": {"type": "integer"}},
        required=["kind", "n"],
        additionalProperties=False,
    )
    forced = forced_text(shared_model, grammar_of(shared_model, constraint))
    assert forced.startswith('{"kind": "order", "n":')


def test_a_whole_sentence_that_nothing_can_follow_is_complete(shared_model: LoadedModel) -> None:
    grammar = grammar_of(shared_model, schema(const={"a": [1, None]}))
    assert not grammar.is_complete
    assert forced_text(shared_model, grammar) == '{"a": [1, null]}'
    assert grammar.is_complete


def test_a_number_that_may_go_on_may_end_but_is_not_complete(shared_model: LoadedModel) -> None:
    grammar = grammar_of(shared_model, schema(type="integer"))
    grammar.accept(shared_model.model.tokenize("1", parse_special=False))
    assert grammar.may_end
    assert not grammar.is_complete


def test_a_closing_ends_the_output(shared_model: LoadedModel) -> None:
    constraint = JsonSchemaConstraint(schema={"type": "boolean"}, closing="}")
    assert accepts(shared_model, constraint, "true}")
    assert not accepts(shared_model, constraint, "true")
    assert not accepts(shared_model, constraint, "true}}")


@given(
    prefix=st.text(spellable, min_size=1, max_size=8),
    closing=st.text(spellable, max_size=8),
)
def test_text_around_the_output_is_taken_literally(
    shared_model: LoadedModel, prefix: str, closing: str
) -> None:
    constraint = JsonSchemaConstraint(schema={"const": 1}, closing=closing)
    grammar = grammar_of(shared_model, constraint, prefix=prefix)
    assert forced_text(shared_model, grammar) == f"{prefix}1{closing}"


@pytest.mark.parametrize(
    "bad",
    [
        {"not": {"type": "string"}},
        {"type": "array", "uniqueItems": True},
        {"type": "nonsense"},
        {"type": "string", "pattern": "(?=a)b"},
        {"$ref": "#/nowhere"},
        {"$ref": "https://example.com/schema"},
        {"if": {"type": "string"}, "then": {"minLength": 3}},
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"enum": []},
        {"minProperties": 3},
        {"type": "string", "format": "nonsense"},
    ],
    ids=json.dumps,
)
def test_a_schema_that_cannot_be_enforced_is_refused(
    shared_model: LoadedModel, bad: JsonObject
) -> None:
    with pytest.raises(UnsupportedSchemaError) as caught:
        grammar_of(shared_model, JsonSchemaConstraint(schema=bad))
    assert "never" in str(caught.value)


def test_a_declared_property_cannot_be_written_in_another_spelling(
    shared_model: LoadedModel,
) -> None:
    constraint = schema(type="object", properties={"price": {"type": "number"}})
    assert accepts(shared_model, constraint, '{"price": 1, "colour": "x"}')
    assert not accepts(shared_model, constraint, r'{"pri\u0063e": "x"}')


def test_a_schema_of_a_million_characters_is_refused() -> None:
    with pytest.raises(UnsupportedSchemaError, match="characters"):
        constraint_to_lark(schema(enum=["x" * 1_000_001]), literal_prefix="")


@pytest.mark.parametrize("bad", ["", "garbage ((", "start: nosuch", "other: /a/"])
def test_a_grammar_that_cannot_be_read_is_refused(shared_model: LoadedModel, bad: str) -> None:
    for prefix in ("", "x"):
        with pytest.raises(UnsupportedSchemaError):
            grammar_of(shared_model, LarkConstraint(grammar=bad), prefix=prefix)


@pytest.mark.parametrize(
    ("grammar", "good", "bad"),
    [
        ('start: "yes" | "no"', "yes", "maybe"),
        ('start: "a" start?', "aaa", "aba"),
        ('restart: "r"\nstart: restart "x"', "rx", "x"),
        ('start: "start:" /start+/', "start:startt", "output:"),
        ('// the "start\nstart: item ("," item)*\nitem: /[a-z]/', "a,b", "a,"),
    ],
)
def test_a_grammar_holds_the_same_behind_a_prefix(
    shared_model: LoadedModel, grammar: str, good: str, bad: str
) -> None:
    constraint = LarkConstraint(grammar=grammar)
    for prefix in ("", 'pre"fix: '):
        assert accepts(shared_model, constraint, good, prefix=prefix)
        assert not accepts(shared_model, constraint, bad, prefix=prefix)
    assert not accepts(shared_model, LarkConstraint(grammar='start: "a" start?'), "apa", prefix="p")


def test_the_allowed_tokens_are_those_that_some_sentence_goes_on_with(
    shared_model: LoadedModel,
) -> None:
    grammar = grammar_of(shared_model, LarkConstraint(grammar='start: "yes" | "no"'))
    allowed = grammar.allowed_tokens().tolist()
    pieces = {shared_model.model.piece(token) for token in allowed}
    assert pieces == {b"y", b"ye", b"yes", b"n", b"no"}
    assert allowed == sorted(allowed)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_only_an_allowed_token_is_picked_however_likely_the_others_are(
    shared_model: LoadedModel, temperature: float
) -> None:
    grammar = grammar_of(shared_model, LarkConstraint(grammar='start: "yes" | "no"'))
    allowed = set(grammar.allowed_tokens().tolist())
    logits = np.full(shared_model.model.n_vocab, 50, dtype=np.float32)
    logits[list(allowed)] = 0
    rng = np.random.default_rng(7)
    sampling = Sampling(temperature=temperature)
    picked = {grammar.pick(logits, sampling, rng=rng) for _ in range(100)}
    assert picked <= allowed
    assert len(picked) == (1 if temperature == 0 else len(allowed))


def test_the_likeliest_allowed_token_is_picked_at_temperature_zero(
    shared_model: LoadedModel,
) -> None:
    model = shared_model.model
    grammar = grammar_of(shared_model, LarkConstraint(grammar='start: "yes" | "no"'))
    logits = np.zeros(model.n_vocab, dtype=np.float32)
    (no,) = model.tokenize("no", parse_special=False)
    logits[no] = 1
    assert grammar.pick(logits, Sampling(), rng=np.random.default_rng()) == no


def test_logits_beyond_and_short_of_the_vocabulary_are_harmless(
    shared_model: LoadedModel,
) -> None:
    grammar = grammar_of(shared_model, schema(type="string"))
    rng = np.random.default_rng()
    n_vocab = shared_model.model.n_vocab
    logits = np.zeros(n_vocab + 500, dtype=np.float32)
    logits[n_vocab:] = 50
    assert grammar.pick(logits, Sampling(), rng=rng) < n_vocab
    assert grammar.pick(logits[:1000], Sampling(), rng=rng) < 1000


def test_tokens_that_would_be_accepted_are_counted_and_none_is_consumed(
    shared_model: LoadedModel,
) -> None:
    grammar = grammar_of(shared_model, schema(type="boolean"))
    true, false = (
        shared_model.model.tokenize(text, parse_special=False) for text in ("true", "false")
    )
    assert grammar.valid_length(true) == len(true)
    assert grammar.valid_length([*true, *true]) == len(true)
    assert grammar.valid_length([*false]) == len(false)
    assert grammar.valid_length(shared_model.model.tokenize("x", parse_special=False)) == 0
    assert grammar.valid_length([]) == 0
    grammar.accept(true)
    assert grammar.is_complete


def test_a_forbidden_token_is_not_accepted(shared_model: LoadedModel) -> None:
    grammar = grammar_of(shared_model, schema(type="boolean"))
    with pytest.raises(DecodeError):
        grammar.accept(shared_model.model.tokenize("maybe", parse_special=False))


def test_a_model_may_end_where_the_sentence_may(shared_model: LoadedModel) -> None:
    grammar = grammar_of(shared_model, schema(type="integer"))
    ends = shared_model.model.end_tokens
    assert ends.isdisjoint(grammar.allowed_tokens().tolist())
    grammar.accept(shared_model.model.tokenize("1", parse_special=False))
    assert not ends.isdisjoint(grammar.allowed_tokens().tolist())
