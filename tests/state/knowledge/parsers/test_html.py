from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.exceptions import DocumentError
from smallhold.state.knowledge import BlockKind, Document
from smallhold.state.knowledge.parsers.html import blocks_of_html, parse_html


def parsed(html: str | bytes) -> Document:
    data = html.encode() if isinstance(html, str) else html
    return parse_html(data, source="a.html", text_max_chars=100_000)


def texts(html: str) -> list[str]:
    return [block.text for block in parsed(html).blocks]


def test_headings_lead_to_their_text() -> None:
    (block,) = parsed("<h1>Shop</h1><h3>Hours</h3><p>From <b>nine</b>.</p>").blocks
    assert (block.headings, block.text) == (("Shop", "Hours"), "From nine.")


def test_the_heading_of_a_box_ends_with_the_box() -> None:
    page = "<h2>Setup</h2><div><h3>Note</h3><p>Mind.</p></div><p>Plug it in.</p>"
    assert [block.headings for block in parsed(page).blocks] == [("Setup", "Note"), ("Setup",)]
    page = "<h2>Setup</h2><div><h2>Note</h2><p>Mind.</p></div><p>Plug it in.</p>"
    assert [block.headings for block in parsed(page).blocks] == [("Note",), ("Setup",)]


def test_a_heading_alone_in_a_box_is_that_of_what_follows() -> None:
    page = "<div><div><h2>Setup</h2></div></div><p>Plug it in.</p>"
    assert parsed(page).blocks[0].headings == ("Setup",)


def test_the_top_heading_is_that_of_all_that_follows() -> None:
    page = "<header><h1>Shop</h1><p>By Ann</p></header><div><p>Text</p></div>"
    assert parsed(page).blocks[-1].headings == ("Shop",)


def test_text_around_elements_is_not_lost() -> None:
    assert texts("<div>before<p>inside</p>after</div>") == ["before", "inside", "after"]


def test_navigation_scripts_and_hidden_parts_are_left_out() -> None:
    page = "<nav>menu</nav><script>x()</script><p hidden>no</p><div class=toc>1</div><p>yes</p>"
    assert texts(page) == ["yes"]


def test_the_main_part_is_taken_alone_where_it_is_most_of_the_page() -> None:
    assert texts("<div>Ads</div><main><p>What the page is about, at length.</p></main>") == [
        "What the page is about, at length."
    ]
    assert len(texts("<div>A long text around it all.</div><main><p>x</p></main>")) == 2


def test_lists_keep_their_marks() -> None:
    found = parsed("<ol><li>a<li><p>b</p><ul><li>c</ul></ol>").blocks
    assert [block.text for block in found] == ["1. a", "2. b", "- c"]
    assert {block.kind for block in found} == {BlockKind.LIST_ITEM}


def test_terms_go_with_what_explains_them() -> None:
    page = "<dl><dt>port<dd><p>A number.</p><dt>a<dt>b<dd>Both.<dt>lone</dl>"
    assert texts(page) == ["port: A number.", "a, b: Both.", "lone"]


def test_rows_of_tables_name_their_columns() -> None:
    page = "<table><tr><th>Day<th>From<tr><td>Mon<td>9</table>"
    assert texts(page) == ["Day: Mon; From: 9"]


def test_a_table_that_lays_out_the_page_is_no_table() -> None:
    (block,) = parsed("<table><tr><td><h2>Shop</h2><p>Text</table>").blocks
    assert (block.headings, block.text) == (("Shop",), "Text")


def test_the_encoding_of_the_page_is_heeded() -> None:
    page = '<meta charset="iso-8859-1"><p>café</p>'.encode("latin-1")
    assert parsed(page).blocks[0].text == "café"
    marked = b"\xef\xbb\xbf" + '<meta charset="iso-8859-1"><p>café</p>'.encode()
    assert parsed(marked).blocks[0].text == "café"


def test_a_page_that_nests_without_end_is_refused() -> None:
    with pytest.raises(DocumentError, match="nested"):
        parsed("<div>" * 20_000 + "x")


def test_a_piece_of_html_may_be_empty() -> None:
    assert blocks_of_html("<!-- x -->", source="a.md", text_max_chars=10) == ()


@given(st.text("<>/abdlhptr =\"'1\n"))
def test_any_page_is_parsed_or_refused(html: str) -> None:
    with suppress(DocumentError):
        assert all(block.text.strip() for block in parsed(html).blocks)


@given(st.lists(st.text("abcdefgh", min_size=1), min_size=1))
def test_no_paragraph_is_lost_or_moved(paragraphs: list[str]) -> None:
    page = "".join(f"<p>{text}</p>" for text in paragraphs)
    assert texts(page) == paragraphs
