"""Promises of `smallhold.models.catalog.overlay_text`: this file holds tests of edits in place."""

from __future__ import annotations

import re
import string
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.exceptions import CatalogError
from smallhold.models.catalog.overlay_text import with_model, with_signature

TEXT = """# Ours.
version: 2

models:
  # The one at the door.
  kiosk:  # Q8 only
    title: Kiosk ä
    variants:
      - quantization: Q8_0  # the large one
  other:
    title: Other

# Second names.
aliases:
  support: kiosk  # for now
""".encode()
aliases = st.text(string.ascii_lowercase, min_size=1, max_size=4)
documents = st.recursive(
    st.text(max_size=8) | st.integers() | st.booleans(),
    lambda child: st.lists(child, max_size=3) | st.dictionaries(aliases, child, max_size=3),
    max_leaves=6,
)
models = st.dictionaries(aliases, documents, min_size=1, max_size=4)


def placed(text: bytes, alias: str, model: dict[str, Any]) -> bytes:
    return with_model(text, alias=alias, model=model, file="x.yaml")


def signed(text: bytes, alias: str, signature: str = "key:abc=") -> bytes:
    return with_signature(text, alias=alias, signature=signature, file="x.yaml")


def comments(text: bytes) -> list[bytes]:
    return re.findall(rb"#[^\n]*", text)


def test_a_new_model_is_added_and_all_else_stays_as_it_is() -> None:
    text = placed(TEXT, "mine", {"title": "Mine"})
    assert text == TEXT.replace(
        b"    title: Other\n", b"    title: Other\n\n  mine:\n    title: Mine\n"
    )


def test_a_model_is_replaced_where_it_stands() -> None:
    text = placed(TEXT, "other", {"title": "New"})
    assert text == TEXT.replace(b"title: Other", b"title: New")


def test_a_signature_is_written_into_the_entry_and_renewed_there() -> None:
    once = signed(TEXT, "kiosk", "k:1=")
    assert once == TEXT.replace(b"    title: Kiosk", b'    signature: "k:1="\n    title: Kiosk')
    assert signed(once, "kiosk", "k:2=") == once.replace(b"k:1=", b"k:2=")


def test_a_model_of_the_catalog_below_gets_an_entry_with_its_signature_alone() -> None:
    assert yaml.safe_load(signed(TEXT, "phi"))["models"]["phi"] == {"signature": "key:abc="}


@pytest.mark.parametrize(
    "text", [b"", b"\n", b"# Ours.\n", b"version: 2\n", b"version: 2\nmodels:\n"]
)
def test_a_file_without_models_gets_its_first(text: bytes) -> None:
    written = placed(text, "mine", {"title": "Mine"})
    assert yaml.safe_load(written)["models"] == {"mine": {"title": "Mine"}}
    assert comments(written) == comments(text)


@pytest.mark.parametrize(
    "text",
    [
        b"{version: 2, models: {kiosk: {title: Kiosk}}}",
        b"version: 2\nmodels: {kiosk: {title: Kiosk}}\n",
        b"version: 2\nmodels: {}\n",
        b"version: 2\r\nmodels:\r\n  kiosk:\r\n    title: Kiosk\r\n",
        b"version: 2\nmodels:\n    kiosk: {title: Kiosk}",
    ],
)
def test_any_layout_can_be_edited_and_keeps_what_it_says(text: bytes) -> None:
    before = yaml.safe_load(text)
    wanted = {**before["models"], "mine": {"title": "Mine"}}
    assert yaml.safe_load(placed(text, "mine", {"title": "Mine"})) == {**before, "models": wanted}


@pytest.mark.parametrize("text", [b"[1, 2]", b"word", b"models: [1]", b"models: word", b"a: ["])
def test_what_is_no_catalog_is_left_alone(text: bytes) -> None:
    with pytest.raises(CatalogError):
        placed(text, "mine", {"title": "Mine"})


def test_a_rare_end_of_a_line_survives_a_text_that_is_written_anew() -> None:
    text = b'{version: 2, models: {kiosk: {title: "a\\x85b\\u2028c"}}}'
    written = yaml.safe_load(placed(text, "mine", {"title": "Mine"}))
    assert written["models"]["kiosk"] == {"title": "a\x85b\u2028c"}


@given(models, aliases, st.dictionaries(aliases, documents, max_size=3))
@example({"aa": "\x85"}, "a", {})
def test_an_edited_text_says_what_was_there_and_what_was_added(
    before: dict[str, Any], alias: str, model: dict[str, Any]
) -> None:
    text = yaml.safe_dump({"version": 2, "models": before}).encode()
    after = yaml.safe_load(placed(text, alias, model))
    assert after == {"version": 2, "models": {**before, alias: model}}


@given(st.sampled_from(["kiosk", "other", "mine"]), documents)
def test_comments_about_other_things_are_never_lost(alias: str, value: object) -> None:
    kept = set(comments(placed(TEXT, alias, {"field": value})))
    own = {b"# Q8 only", b"# the large one"} if alias == "kiosk" else set[bytes]()
    assert set(comments(TEXT)) - own <= kept
