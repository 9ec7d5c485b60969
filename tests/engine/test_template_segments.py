"""Promises about which parts of a prompt are tokenized together."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from smallhold.engine.template_segments import control_pattern, merged_where_harmless
from smallhold.engine.template_text import Segment

TOKENS = ("<|a|>", "<|a|><|b|>", "<|b|>")
CONTROL = control_pattern(TOKENS)
texts = st.lists(st.sampled_from(["<|a|>", "<|", "a|", "|>", ">", "b", "x", ""]), max_size=4).map(
    "".join
)
prompts = st.lists(st.builds(Segment, text=texts, is_trusted=st.booleans()))


def segment(text: str, *, trusted: bool) -> Segment:
    return Segment(text=text, is_trusted=trusted)


def spans_of_tokens(segments: list[Segment]) -> set[tuple[int, int]]:
    """Where a tokenizer would see control tokens: inside trusted segments alone."""
    found: set[tuple[int, int]] = set()
    start = 0
    for part in segments:
        for match in CONTROL.finditer(part.text) if part.is_trusted else ():
            found.add((start + match.start(1), start + match.end(1)))
        start += len(part.text)
    return found


def test_harmless_text_is_tokenized_with_its_surroundings() -> None:
    parts = [segment("<|a|>", trusted=True), segment("hi <|", trusted=False)]
    assert merged_where_harmless(parts, control_tokens=CONTROL) == [
        segment("<|a|>hi <|", trusted=True)
    ]


def test_text_with_a_control_token_stays_apart() -> None:
    parts = [
        segment("x", trusted=True),
        segment("y<|a|>", trusted=False),
        segment("<|b|>", trusted=True),
        segment("z", trusted=False),
    ]
    assert merged_where_harmless(parts, control_tokens=CONTROL) == [
        segment("x", trusted=True),
        segment("y<|a|>", trusted=False),
        segment("<|b|>z", trusted=True),
    ]


def test_text_that_completes_a_control_token_stays_apart() -> None:
    parts = [segment("x<|", trusted=True), segment("a|>", trusted=False)]
    assert merged_where_harmless(parts, control_tokens=CONTROL) == parts


def test_without_control_tokens_all_is_one_text() -> None:
    parts = [segment("a", trusted=False), segment("b", trusted=False)]
    merged = merged_where_harmless(parts, control_tokens=control_pattern(()))
    assert merged == [segment("ab", trusted=True)]


@given(prompts)
@example([segment("<|a|>", trusted=False), segment("", trusted=False)])
def test_no_control_token_ever_comes_from_untrusted_text(parts: list[Segment]) -> None:
    merged = merged_where_harmless(parts, control_tokens=CONTROL)
    assert "".join(part.text for part in merged) == "".join(part.text for part in parts)
    trusted = [index for part in parts for index in [part.is_trusted] * len(part.text)]
    assert all(all(trusted[start:end]) for start, end in spans_of_tokens(merged))
