"""Promises of `smallhold.evals.knowledge.sections`: this file holds tests of reading pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smallhold.evals.knowledge.sections import Section, page_sections

PAGE = """<!DOCTYPE html><html><head><title>8.1. Numbers</title></head><body>
<div class="navheader"><p>Prev</p><div><h1>Contents</h1></div></div>
<div class="sect1" id="NUMBERS"><div class="titlepage"><div><h2 class="title">8.1.&nbsp;Numbers</h2>
</div></div><div class="toc"><p>8.1.1. Whole</p></div>
<p>There are <code>two</code> kinds.</p>
<div class="sect2"><h3 class="title">8.1.1. Whole</h3><p>No fractions.</p>
<div class="note"><h3 class="title">Note</h3><p>Mind the sign.</p></div>
<table><tr><td>two</td><td>bytes</td></tr></table></div>
<div class="sect2"><h3 class="title">8.1.2. Exact</h3><p>As many digits &amp; more.</p></div>
<p>That was all.</p></div>
<div class="navfooter"><p>Next</p></div></body></html>"""


def test_sections_come_with_their_own_text_alone() -> None:
    assert page_sections(PAGE) == (
        Section(heading="8.1. Numbers", text="8.1. Numbers There are two kinds. That was all."),
        Section(
            heading="8.1.1. Whole",
            text="8.1.1. Whole No fractions. Note Mind the sign. two bytes",
        ),
        Section(heading="8.1.2. Exact", text="8.1.2. Exact As many digits & more."),
    )


def test_a_page_without_sections_has_none() -> None:
    assert page_sections("<p>Hello</p>") == ()
    assert page_sections("") == ()


def test_a_section_that_is_never_closed_is_read_to_the_end() -> None:
    page = '<div class="refsect1"><h2>Notes</h2><p>Cut'
    assert page_sections(page) == (Section(heading="Notes", text="Notes Cut"),)


@given(st.lists(st.sampled_from(["<div>", "</div>", '<div class="sect1">', '<div class="toc">',
                                 "<h2>", "</h2>", "a", "<p>", "&lt;", "<"])))  # fmt: skip
def test_broken_pages_are_read_as_well_as_can_be(parts: list[str]) -> None:
    sections = page_sections("".join(parts))
    assert len(sections) <= parts.count('<div class="sect1">')
