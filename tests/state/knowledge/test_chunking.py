from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import ConfigError
from smallhold.state.knowledge import Block, BlockKind, ChunkSizes, Document
from smallhold.state.knowledge.chunking import chunks_of, packed
from smallhold.state.knowledge.token_count import wordpiece_count

SIZES = ChunkSizes(
    limit_tokens=40, target_tokens=24, least_tokens=8, overlap_tokens=6, heading_tokens=10
)
PATHS = st.sampled_from([(), ("A",), ("A", "A1"), ("A", "A2"), ("B",), ("B", "long " * 30)])
BLOCKS = st.builds(
    Block,
    text=st.lists(
        st.sampled_from(["alpha", "beta.", "gamma;", "Delta", "x1"]), min_size=1, max_size=90
    ).map(" ".join),
    kind=st.sampled_from(BlockKind),
    headings=PATHS,
    page=st.none() | st.integers(1, 5),
)
DOCUMENTS = st.builds(
    Document, title=st.sampled_from(["", "A", "Title"]), blocks=st.lists(BLOCKS).map(tuple)
)


@given(DOCUMENTS)
def test_no_chunk_is_longer_than_its_limit(document: Document) -> None:
    for chunk in chunks_of(document, sizes=SIZES):
        assert wordpiece_count(chunk.searched_text) <= SIZES.limit_tokens


@given(DOCUMENTS)
def test_chunks_cover_the_text_in_order(document: Document) -> None:
    reached = [0] * len(document.blocks)
    last = 0
    for group in packed(document, sizes=SIZES, count_tokens=wordpiece_count):
        for piece in group:
            assert piece.block >= last
            last = piece.block
            text = document.blocks[piece.block].text
            assert not text[reached[piece.block] : piece.span.start].strip(" ;\n")
            reached[piece.block] = piece.span.end
    for block, end in zip(document.blocks, reached, strict=True):
        assert not block.text[end:].strip(" ;\n")


@given(DOCUMENTS)
def test_no_chunk_reaches_across_a_heading(document: Document) -> None:
    for group in packed(document, sizes=SIZES, count_tokens=wordpiece_count):
        assert len({document.blocks[piece.block].headings for piece in group}) == 1


@given(DOCUMENTS)
def test_the_same_document_is_always_cut_alike(document: Document) -> None:
    assert chunks_of(document, sizes=SIZES) == chunks_of(document, sizes=SIZES)


def test_short_blocks_of_a_section_go_together() -> None:
    blocks = tuple(
        Block(text=text, headings=("A",), kind=BlockKind.LIST_ITEM, page=page)
        for page, text in enumerate(["- one", "- two", "- three"], 1)
    )
    (chunk,) = chunks_of(Document(title="Manual", blocks=blocks))
    assert chunk.text == "- one\n- two\n- three"
    assert chunk.headings == ("Manual", "A")
    assert (chunk.page, chunk.last_page) == (1, 3)


def test_a_title_that_is_the_top_heading_is_not_repeated() -> None:
    document = Document(title="A", blocks=(Block(text="x", headings=("A", "B")),))
    assert chunks_of(document)[0].headings == ("A", "B")


def test_a_change_in_one_section_leaves_the_chunks_of_the_others() -> None:
    def document(text: str) -> Document:
        blocks = (Block(text="same", headings=("A",)), Block(text=text, headings=("B",)))
        return Document(title="", blocks=blocks)

    before, after = chunks_of(document("old")), chunks_of(document("new"))
    assert before[0].digest == after[0].digest
    assert before[1].digest != after[1].digest


@pytest.mark.parametrize(
    "sizes",
    [
        {"limit_tokens": 60},
        {"target_tokens": 0},
        {"target_tokens": 250},
        {"least_tokens": 200},
        {"overlap_tokens": -1},
    ],
)
def test_sizes_that_contradict_each_other_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=next(iter(sizes))):
        ChunkSizes(**sizes)
