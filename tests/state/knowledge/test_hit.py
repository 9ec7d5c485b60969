from __future__ import annotations

import json

from tests.state.knowledge.hits import hit

from smallhold.state.knowledge.hit import place_of


def test_a_place_names_file_page_and_headings() -> None:
    assert hit("x", headings=("Setup", "Network")).place == "manual.pdf, page 3, Setup > Network"
    pages = place_of("a.pdf", headings=(), page=3, last_page=5)
    assert pages == "a.pdf, pages 3-5"
    page = place_of("https://x.test/a/b", headings=("H",), page=None, last_page=None)
    assert page == "https://x.test/a/b, H"


def test_a_reference_stays_while_the_text_does() -> None:
    assert hit("x").reference == hit("x", source="/moved.pdf").reference
    assert hit("x").reference != hit("y").reference


def test_a_hit_can_be_written_as_json() -> None:
    assert json.loads(json.dumps(hit("x").to_dict()))["page"] == 3
