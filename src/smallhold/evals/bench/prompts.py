"""What benchmarks ask: this file holds the agents, questions and documents that they make up.

The same numbers always give the same text, on every machine.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from smallhold.evals.bfcl import BFCLRow, ExpectedCall
from smallhold.generation import Prompt
from smallhold.messages import JsonObject, Message, Role, ToolSchema

SHOPS: Final = (
    "a pharmacy", "a library", "a bicycle workshop", "a bakery", "a hotel", "a garden centre",
    "a music school", "a furniture store", "a car rental", "a dental practice", "a bookshop",
    "a travel agency",
)  # fmt: skip
_GOODS: Final = (
    "lamp", "kettle", "blanket", "ticket", "battery", "saddle", "cake", "violin", "chair",
    "guidebook", "filter", "plant", "charger", "mirror", "helmet", "bottle",
)  # fmt: skip
_EVENTS: Final = (
    "arrives late", "is broken", "was never ordered", "has the wrong colour", "is out of stock",
    "costs more than advertised", "was delivered twice", "must be returned", "needs a repair",
    "is missing a part",
)  # fmt: skip
_ACTIONS: Final = (
    "apologise and offer a replacement", "look up the order first", "ask for the receipt",
    "pass the matter to a colleague", "explain the warranty", "offer a voucher",
    "promise an answer within two days", "check the stock of the nearest branch",
    "write down the customer's address", "name the price including delivery",
)  # fmt: skip
_TOWNS: Final = ("Oslo", "Lyon", "Graz", "Porto", "Turku", "Gdansk", "Bergen", "Ghent")
_VERBS: Final = ("find", "create", "cancel")
_TRIAL_SENTENCES: Final = (8, 40)


def tools_of(agent: int) -> tuple[ToolSchema, ...]:
    """Tools of a made-up agent, which no other one has."""
    nouns = Random(agent).sample(_GOODS, len(_VERBS))  # noqa: S311 - the same text every time
    return tuple(
        ToolSchema(
            name=f"{verb}_{noun}_{agent}",
            description=f"{verb.capitalize()} a {noun} of branch {agent}.",
            parameters=_parameters(noun),
        )
        for verb, noun in zip(_VERBS, nouns, strict=True)
    )


def _parameters(noun: str) -> JsonObject:
    return {
        "type": "object",
        "properties": {
            f"{noun}_id": {"type": "string", "description": f"Number of the {noun}."},
            "amount": {"type": "integer", "description": "How many of them."},
        },
        "required": [f"{noun}_id"],
    }


def instructions(agent: int, *, sentences: int) -> str:
    """Instructions of a made-up agent, different from the first words on."""
    shop = SHOPS[agent % len(SHOPS)]
    choose = Random(agent)  # noqa: S311 - the same text every time
    rules = [
        f"When a {choose.choice(_GOODS)} {choose.choice(_EVENTS)}, {choose.choice(_ACTIONS)}."
        for _ in range(sentences)
    ]
    opening = f"{shop.capitalize()} in {_TOWNS[agent % len(_TOWNS)]} employs you as its assistant."
    return " ".join([opening, *rules])


def question(number: int) -> str:
    """A customer's message of about 20 tokens; each number's is another one."""
    choose = Random(number)  # noqa: S311 - the same text every time
    good, event = choose.choice(_GOODS), choose.choice(_EVENTS)
    return f"I am customer {number} and my {good} {event}. What should I do now?"


def document(number: int, *, sentences: int) -> str:
    """A long report to be read; each number's is another one from its first words on."""
    choose = Random(number)  # noqa: S311 - the same text every time
    lines = [
        f"The branch in {choose.choice(_TOWNS)} reported that a {choose.choice(_GOODS)} "
        f"{choose.choice(_EVENTS)}."
        for _ in range(sentences)
    ]
    return " ".join([f"Report {number}.", *lines, "How many branches are named?"])


def made_up_row(number: int) -> BFCLRow:
    """A question with three tools, one of which answers it; each number's is another one."""
    tools = tools_of(number)
    tool = tools[number % len(tools)]
    verb, noun, _ = tool.name.split("_")
    code = f"{noun[0].upper()}-{1000 + 37 * number}"
    amount = 2 + number % 7
    text = f"Please {verb} {amount} pieces of the {noun} with the number {code} for me."
    expected = ExpectedCall(name=tool.name, accepted={f"{noun}_id": (code,), "amount": (amount,)})
    return BFCLRow(
        id=f"made_up_{number}",
        messages=(Message(role=Role.USER, content=text),),
        tools=tools,
        ground_truth=(expected,),
    )


def prompt_of(
    system: str, user: str | None = None, *, tools: tuple[ToolSchema, ...] = ()
) -> Prompt:
    """Make a prompt of instructions and perhaps a message."""
    messages = [Message(role=Role.SYSTEM, content=system)]
    if user is not None:
        messages.append(Message(role=Role.USER, content=user))
    return Prompt(messages=tuple(messages), tools=tools)


async def sentences_for(
    tokens: int, *, make: Callable[[int], Prompt], count: Callable[[Prompt], Awaitable[int]]
) -> int:
    """Find how many sentences give a prompt of about so many tokens, from two trials."""
    few, many = _TRIAL_SENTENCES
    counts = (await count(make(few)), await count(make(many)))
    return sentences_between(_TRIAL_SENTENCES, counts=counts, tokens=tokens)


def sentences_between(trials: tuple[int, int], *, counts: tuple[int, int], tokens: int) -> int:
    """Continue the line through two trials to a number of tokens, at least one sentence."""
    slope = max(1.0, (counts[1] - counts[0]) / (trials[1] - trials[0]))
    return max(1, round(trials[0] + (tokens - counts[0]) / slope))
