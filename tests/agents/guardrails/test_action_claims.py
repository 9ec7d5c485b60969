from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallhold.agents.guardrails.action_claims import action_claims, only_looks, shows_action

CLAIMS = [
    ("I have cancelled your order.", "cancel"),
    ("I've successfully booked a table for two.", "book"),
    ("I\u2019ve booked a table for two.", "book"),
    ("Sure! I just sent you an email.", "send"),
    ("I'm happy to tell you that I've cancelled your order.", "cancel"),
    ("Your order has been cancelled.", "cancel"),
    ("I've gone ahead and booked it.", "book"),
    ("We've refunded you.", "refund"),
    ("I turned off the lights", "control"),
    ("I have checked your order.", "check"),
    ("Done!", "finished"),
    ("I have cancelled it. Anything else?", "cancel"),
    ("Ich habe Ihre Bestellung 1042 storniert.", "cancel"),
    ("Ich habe den Termin am 3. M\u00e4rz f\u00fcr Sie gebucht und eine E-Mail geschickt.", "book"),
    ("Ihre Bestellung wurde erfolgreich storniert.", "cancel"),
    ("Gerne habe ich Ihren Termin verschoben.", "book"),
    ("Erledigt!", "finished"),
    ("J'ai annul\u00e9 votre commande.", "cancel"),
    ("Votre commande a \u00e9t\u00e9 annul\u00e9e.", "cancel"),
    ("Je vous ai envoy\u00e9 un e-mail.", "send"),
    ("C\u2019est fait.", "finished"),
    ("He cancelado su pedido.", "cancel"),
    ("Su pedido ha sido cancelado.", "cancel"),
    ("Le he enviado un correo.", "send"),
    ("Hecho.", "finished"),
]

NO_CLAIMS = [
    "I have not cancelled your order.",
    "I can cancel your order.",
    "Shall I cancel it?",
    "Has your order been cancelled?",
    "If your order has been shipped, you cannot cancel it.",
    "Once I have booked it, you get an email.",
    "I could not find an order that has been cancelled.",
    "I will send you an email.",
    "Your order is on its way.",
    "Items that have been opened cannot be returned.",
    "He is here. He paid for it.",
    "I see you booked a table.",
    "You sent us a message.",
    "Ich habe Ihre Bestellung nicht storniert.",
    "Ich habe Informationen \u00fcber Ihre stornierte Bestellung.",
    "Wenn Ihre Bestellung versandt wurde, erhalten Sie eine E-Mail.",
    "Je n'ai pas annul\u00e9 votre commande.",
    "No he cancelado su pedido.",
    "\u00bfHa sido cancelado su pedido?",
    "",
]


@pytest.mark.parametrize(("text", "action"), CLAIMS)
def test_a_claim_is_found_in_its_language(text: str, action: str) -> None:
    assert action in {claim.action for claim in action_claims(text)}


@pytest.mark.parametrize("text", NO_CLAIMS)
def test_offers_negations_conditions_and_questions_claim_nothing(text: str) -> None:
    assert action_claims(text) == ()


def test_a_claim_says_whether_the_agent_speaks_of_itself() -> None:
    (own,) = action_claims("I have cancelled it.")
    (other,) = action_claims("It has been cancelled.")
    assert own.is_active
    assert not other.is_active


@pytest.mark.parametrize(
    ("tool", "looks"),
    [
        ("order_status", True),
        ("findCustomer", True),
        ("get-weather", True),
        ("cancel_order", False),
        ("update_status", False),
        ("schedule_callback", False),
        ("frobnicate", False),
    ],
)
def test_a_tools_name_tells_whether_it_only_looks(tool: str, *, looks: bool) -> None:
    assert only_looks(tool) is looks


def test_a_result_shows_an_action_in_any_form_of_its_word() -> None:
    assert shows_action('order_status {"state": "cancelled"}', "cancel")
    assert shows_action("Bestellung storniert", "cancel")
    assert not shows_action('order_status {"state": "open"}', "cancel")
    assert not shows_action("anything", "no such action")


@given(text=st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    for claim in action_claims(text):
        assert claim.text


@given(before=st.sampled_from(["Hello! ", "Of course. ", "Thank you.\n", ""]))
def test_sentences_before_a_claim_do_not_hide_it(before: str) -> None:
    assert action_claims(f"{before}I have cancelled your order. Have a nice day!")
