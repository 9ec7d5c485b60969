from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails.language_detection import detect_language, named_languages


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order 1042?", "en"),
        ("Your order is on its way.", "en"),
        ("Wo ist meine Bestellung 1042?", "de"),
        ("O\u00f9 est ma commande, s'il vous pla\u00eet ?", "fr"),
        ("\u00bfD\u00f3nde est\u00e1 mi pedido?", "es"),
        ("Il suo ordine non \u00e8 stato trovato e la spedizione \u00e8 in ritardo.", "it"),
        ("Uw bestelling is onderweg en wordt op vrijdag door ons bezorgd aan de deur.", "nl"),
        ("Ваш заказ в пути.", "ru"),
        ("\u4f60\u7684\u8ba2\u5355\u5728\u8def\u4e0a", "zh"),
        ("\u6ce8\u6587\u306f\u767a\u9001\u3055\u308c\u307e\u3057\u305f", "ja"),
        ("\uc8fc\ubb38\uc774 \ubc1c\uc1a1\ub418\uc5c8\uc2b5\ub2c8\ub2e4", "ko"),
    ],
)
def test_a_plain_sentence_shows_its_language(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", "ok", "1042", "Aurora Speaker Pro", "OK, merci!", "!!!"])
def test_what_is_too_short_to_tell_has_none(text: str) -> None:
    assert detect_language(text) is None


def test_named_languages_are_known_in_several_tongues() -> None:
    assert named_languages("Please answer in German.") == {"de"}
    assert named_languages("Antworte bitte auf Englisch") == {"en"}
    assert named_languages("Translate this") == {"other"}
    assert named_languages("Where is my order?") == frozenset()


@given(text=st.text(max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    language = detect_language(text)
    assert language is None or len(language) == 2


def test_english_messages_are_hardly_ever_taken_for_another_language(eval_data: Path) -> None:
    lines = (eval_data / "clinc150" / "val.jsonl").read_text("utf-8").splitlines()
    found = [detect_language(json.loads(line)["text"]) for line in lines]
    wrong = [language for language in found if language not in {None, "en"}]
    assert len(wrong) < 0.005 * len(found), wrong
