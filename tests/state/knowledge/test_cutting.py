from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.state.knowledge import Block, BlockKind
from smallhold.state.knowledge.cutting import pieces_of, sentences_of
from smallhold.state.knowledge.token_count import wordpiece_count

TEXTS = st.text("abc .\n;!?XY1-", min_size=1, max_size=400)


@given(TEXTS, st.sampled_from(BlockKind), st.integers(4, 40), st.integers(0, 3))
def test_pieces_cover_a_block_in_order_and_stay_within_the_limit(
    text: str, kind: BlockKind, limit: int, overlap: int
) -> None:
    block = Block(text=text, kind=kind)
    spans = pieces_of(
        block, limit_tokens=limit, overlap_tokens=overlap, count_tokens=wordpiece_count
    )
    reached = 0
    for span in spans:
        assert not text[reached : span.start].strip(" \n;")
        assert wordpiece_count(text[span.start : span.end]) <= limit
        assert span.end > reached
        repeated = text[span.start : reached] if span.start < reached else ""
        assert wordpiece_count(repeated) <= overlap
        reached = span.end
    assert not text[reached:].strip(" \n;")


def test_a_paragraph_is_cut_between_sentences_and_repeats_the_last_one() -> None:
    block = Block(text="One is here. Two is here. Three is here. Four is here.")
    spans = pieces_of(block, limit_tokens=12, overlap_tokens=5, count_tokens=wordpiece_count)
    assert [block.text[span.start : span.end] for span in spans] == [
        "One is here. Two is here. Three is here.",
        "Three is here. Four is here.",
    ]


def test_code_is_cut_between_lines() -> None:
    block = Block(text="a = 1\nb = 2\nc = 3", kind=BlockKind.CODE)
    spans = pieces_of(block, limit_tokens=6, overlap_tokens=0, count_tokens=wordpiece_count)
    assert [block.text[span.start : span.end] for span in spans] == ["a = 1\nb = 2", "c = 3"]


def test_a_run_without_a_space_is_cut_too() -> None:
    block = Block(text="x" * 4_000)
    spans = pieces_of(block, limit_tokens=100, overlap_tokens=0, count_tokens=wordpiece_count)
    assert len(spans) > 4
    assert "".join(block.text[span.start : span.end] for span in spans) == block.text


def test_sentences_end_at_marks_and_not_at_abbreviations_before_small_letters() -> None:
    text = "See e.g. the manual. It helps! “Yes.” 这是。那是。"
    assert [text[span.start : span.end] for span in sentences_of(text)] == [
        "See e.g. the manual.",
        "It helps!",
        "“Yes.”",
        "这是。",
        "那是。",
    ]
