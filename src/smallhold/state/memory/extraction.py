"""Facts that an agent notes by itself: this file holds the extractor.

The model decodes under a schema, so it can only fill in attributes that it was given. What it
writes is kept where the user's own words hold it, and dropped where nobody said it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from smallhold.exceptions import ConfigError, UnsupportedFeatureError
from smallhold.generation import (
    GenerationRequest,
    JsonSchemaConstraint,
    Priority,
    Prompt,
    Scheduling,
    ScoreRequest,
    ScoreScope,
    normalised,
)
from smallhold.messages import JsonValue, Message, Usage
from smallhold.runtimes.limits import Capability
from smallhold.runtimes.protocol import Runtime
from smallhold.state.memory.attributes import (
    PERSONAL,
    SOMEONE_ELSE,
    SUBJECT,
    Attribute,
    noting_schema,
)
from smallhold.state.memory.fact import Author, Fact, Provenance
from smallhold.state.memory.grounding import (
    Grounded,
    grounded,
    is_about_another,
    is_asked,
    speaks_to_agent,
)
from smallhold.state.memory.memory import Memory
from smallhold.state.memory.noting import Noted, asked_before, last_words, noting_prompt, written
from smallhold.state.memory.wording import attribute_form, value_form

MAX_TOKENS: Final = 400
SURE_ENOUGH_RATIO: Final = 0.6
"""Facts below are dropped. Source: docs/memory.md, trial."""
UNSCORED_RATIO: Final = 0.7
"""Confidence where the runtime cannot score what it has written."""
_SCORING: Final = frozenset({Capability.SCORING, Capability.CONTINUATION})


class DropReason(StrEnum):
    """Why something that a model noted was not kept."""

    NOT_SAID = "not_said"
    """The value does not stand in the user's words."""
    SOMEONE_ELSE = "someone_else"
    """It is about somebody else."""
    QUESTION = "question"
    """It stands in a question that is not about the user."""
    INSTRUCTION = "instruction"
    """It tells the agent what to do."""
    WRONG_FORM = "wrong_form"
    """It is no value of its attribute, such as an e-mail address without an @."""
    UNSURE = "unsure"
    """The model was less sure than it should be, or noted two values where there is one."""
    CUT = "cut"
    """The model's text ended in the middle, and nothing of it was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedFact:
    """A fact that stands in the user's words."""

    attribute: Attribute
    value: str
    quote: str
    confidence_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was noted from a message."""

    facts: tuple[NotedFact, ...]
    dropped: tuple[DropReason, ...] = ()
    """One reason for each thing that was not kept; the texts themselves are not."""
    usage: Usage = field(default_factory=Usage)
    stored: tuple[Fact, ...] = ()
    """The facts as they are remembered now, after `FactExtractor.remember`."""


class FactExtractor:
    """Has a model note what users say about themselves."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        attributes: Sequence[Attribute] = PERSONAL,
        refuses: Callable[[str], bool] = lambda _text: False,
        sure_enough_ratio: float = SURE_ENOUGH_RATIO,
        timeout_s: float | None = 60.0,
    ) -> None:
        """Name the model.

        Args:
            runtime: Runs it; needs `Capability.CONSTRAINTS`.
            attributes: What may be noted, and nothing else.
            refuses: Tells whether a message is an attack, such as a search for phrases of
                injection; nothing is noted from such a one.
            sure_enough_ratio: Facts with less confidence are dropped, 0 to 1.
            timeout_s: The most seconds for one message; it is read when nobody waits.

        Raises:
            ConfigError: There are no attributes.
            UnsupportedFeatureError: The runtime cannot hold a model to a schema.
        """
        if not attributes:
            raise ConfigError(field="attributes", value="(none)", remedy="give at least one")
        if Capability.CONSTRAINTS not in runtime.limits.capabilities:
            raise UnsupportedFeatureError(
                runtime=runtime.name,
                feature="decoding under a schema",
                remedy="Note facts by hand, with `Memory.remember`.",
            )
        self._runtime = runtime
        self._attributes = {attribute.name: attribute for attribute in attributes}
        self._constraint = JsonSchemaConstraint(schema=noting_schema(attributes))
        self._refuses = refuses
        self._sure_enough_ratio = sure_enough_ratio
        self._scheduling = Scheduling(priority=Priority.BATCH, timeout_s=timeout_s)

    async def extract(self, messages: Sequence[Message]) -> Extraction:
        """Note what the user says about themselves in their last message.

        Args:
            messages: An exchange. What the assistant asked before helps to understand an answer,
                and nothing but the user's words is a source of facts.

        Raises:
            SmallholdError: The runtime failed; see `Runtime.stream`.
        """
        said = last_words(messages)
        if not said.strip():
            return Extraction(facts=())
        if self._refuses(said):
            return Extraction(facts=(), dropped=(DropReason.INSTRUCTION,))
        prompt = noting_prompt(
            said, question=asked_before(messages), attributes=self._attributes.keys()
        )
        noted, usage = await self._noted(prompt)
        if noted is None:
            return Extraction(facts=(), dropped=(DropReason.CUT,), usage=usage)
        facts: list[NotedFact] = []
        dropped: list[DropReason] = []
        for number, one in enumerate(noted):
            judged = self._judged(one, said=said)
            if isinstance(judged, DropReason):
                dropped.append(judged)
                continue
            sure_ratio, cost = await self._confidence(prompt, noted[:number], one)
            usage += cost
            if sure_ratio < self._sure_enough_ratio:
                dropped.append(DropReason.UNSURE)
                continue
            facts.append(
                NotedFact(
                    attribute=self._attributes[one[2]],
                    value=judged.value,
                    quote=judged.quote,
                    confidence_ratio=sure_ratio,
                )
            )
        kept = _unambiguous(facts)
        dropped += [DropReason.UNSURE] * (len(facts) - len(kept))
        return Extraction(facts=kept, dropped=tuple(dropped), usage=usage)

    async def remember(
        self,
        memory: Memory,
        subject: str,
        messages: Sequence[Message],
        *,
        provenance: Provenance | None = None,
    ) -> Extraction:
        """Note what the user says about themselves, and remember it.

        Args:
            memory: Where facts are kept.
            subject: Who the user is. It comes from the application, never from the conversation.
            messages: An exchange; see `extract`.
            provenance: The agent, the session, the run and the entry; the quote is added.

        Raises:
            SmallholdError: The runtime failed, or the facts could not be stored.
        """
        found = await self.extract(messages)
        source = replace(provenance or Provenance(), author=Author.AGENT)
        stored: list[Fact] = []
        for noted in found.facts:
            write = memory.remember_also if noted.attribute.is_list else memory.remember
            fact = await write(
                subject,
                noted.attribute.name,
                noted.value,
                confidence_ratio=noted.confidence_ratio,
                provenance=replace(source, quote=noted.quote),
            )
            stored.append(fact)
        return replace(found, stored=tuple(stored))

    async def _noted(self, prompt: Prompt) -> tuple[tuple[Noted, ...] | None, Usage]:
        request = GenerationRequest(
            prompt=prompt,
            constraint=self._constraint,
            max_tokens=MAX_TOKENS,
            scheduling=self._scheduling,
        )
        async with self._runtime.stream(request) as stream:
            text = "".join([piece async for piece in stream])
        return _read(text, known=self._attributes.keys()), stream.completion.usage

    def _judged(self, noted: Noted, *, said: str) -> Grounded | DropReason:
        value, about, attribute = noted
        grounds = grounded(value, said)
        if grounds is None or value_form(grounds.value) == attribute_form(attribute):
            return DropReason.NOT_SAID
        if about != SUBJECT or is_about_another(grounds):
            return DropReason.SOMEONE_ELSE
        if is_asked(grounds):
            return DropReason.QUESTION
        if speaks_to_agent(grounds):
            return DropReason.INSTRUCTION
        is_formed = self._attributes[attribute].allows(grounds.value)
        return grounds if is_formed else DropReason.WRONG_FORM

    async def _confidence(
        self, prompt: Prompt, before: Sequence[Noted], noted: Noted
    ) -> tuple[float, Usage]:
        """Ask how likely whom and what were, among all that could have stood there."""
        if not self._runtime.limits.capabilities >= _SCORING:
            return UNSCORED_RATIO, Usage()
        _, about, attribute = noted
        opening = written([*before, noted]).removesuffix(
            f'"about": {_quoted(about)}, "attribute": {_quoted(attribute)}}}]}}'
        )
        whom = (SUBJECT, SOMEONE_ELSE)
        sure_ratio, usage = await self._share(prompt, f'{opening}"about": "', about, whom)
        opening = f'{opening}"about": {_quoted(about)}, "attribute": "'
        what_ratio, cost = await self._share(prompt, opening, attribute, tuple(self._attributes))
        return sure_ratio * what_ratio, usage + cost

    async def _share(
        self, prompt: Prompt, opening: str, chosen: str, choices: Sequence[str]
    ) -> tuple[float, Usage]:
        if len(choices) == 1:
            return 1.0, Usage()
        request = ScoreRequest(
            prompt=replace(prompt, continuation=opening),
            choices=tuple(_quoted(choice)[1:] for choice in choices),
            scope=ScoreScope.DECIDING,
            scheduling=self._scheduling,
        )
        scores = await self._runtime.score(request)
        return normalised(scores.log_probs)[tuple(choices).index(chosen)], scores.usage


def _read(text: str, *, known: Collection[str]) -> tuple[Noted, ...] | None:
    """Read what a model has written; `None` where it ends in the middle or is none of the schema.

    The runtime's grammar should have seen to that, but what it writes is foreign all the same.
    """
    try:
        document: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        return None
    items = document.get("facts") if isinstance(document, dict) else None
    if not isinstance(items, list):
        return None
    noted: list[Noted] = []
    for item in items:
        match item:
            case {"value": str(value), "about": str(about), "attribute": str(attribute)} if (
                attribute in known
            ):
                noted.append((value, about, attribute))
            case _:
                return None
    return tuple(noted)


def _unambiguous(facts: Sequence[NotedFact]) -> tuple[NotedFact, ...]:
    """Drop what has several values in one message and can have one only."""
    values = Counter(fact.attribute.name for fact in facts if not fact.attribute.is_list)
    return tuple(fact for fact in facts if values[fact.attribute.name] <= 1)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
