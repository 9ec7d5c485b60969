"""Between the model and the user: this file holds what is shown, and what guardrails say to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from smallhold.agents.guardrails import (
    InputCheck,
    OutputCheck,
    Review,
    holds_answers_back,
    run_input,
    run_output,
)
from smallhold.agents.output_types import OutputProblem
from smallhold.agents.recalling import cited
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Ending, Result
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.exceptions import InvalidOutputError
from smallhold.messages import Message, Role, TokenEvent


@dataclass(slots=True, kw_only=True)
class Closing:
    """Shows the turn's text, and closes the turn."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    text: str = ""
    """The agent's own words, said last."""
    is_held: bool = field(init=False)
    """Nothing is shown before the end: guardrails may block it, or it is no prose."""

    def __post_init__(self) -> None:
        """Find out whether the text may be streamed."""
        is_typed = self.request.output is not None
        self.is_held = is_typed or holds_answers_back(self.settings.guardrails)

    def say(self, text: str) -> TokenEvent | None:
        """Take a piece of the model's text, and show it if it may be shown by now."""
        shown = self.record.say(text)
        return None if self.is_held else self._token(shown)

    async def rejects(self) -> bool:
        """Let guardrails look at the user's message; a replacement goes on instead of it."""
        *earlier, message = self.record.conversation
        check = InputCheck(
            text=message.content,
            session=self.request.session,
            conversation=tuple(earlier),
            context=self.request.context,
        )
        review = await self.record.deadline.within(run_input(self.settings.guardrails, check))
        self.record.flags += review.flags
        if review.is_blocked:
            self.text = review.text
            return True
        self.record.conversation[-1] = replace(message, content=review.text)
        return False

    async def close(self, ending: Ending) -> tuple[TokenEvent | None, Result[object]]:
        """Say what is left to say, once guardrails have seen the whole.

        Raises:
            InvalidOutputError: a guardrail's replacement is not of the type that was asked for.
        """
        shown_chars = 0 if self.is_held else len(self.record.text)
        if self.text:
            self.record.say(self.text)
        if ending is not Ending.BLOCKED:
            review = await self._reviewed()
            if review.is_blocked:
                ending = Ending.BLOCKED
            if review.text != self.record.text:
                self._replace(review)
        self.record.conversation.append(Message(role=Role.ASSISTANT, content=self.record.spoken))
        rest = self.record.text[shown_chars:]
        result = self.record.result(ending)
        if self.record.passages and ending is not Ending.BLOCKED:
            result = cited(result, self.record.passages)
        return self._token(rest) if rest else None, result

    async def _reviewed(self) -> Review:
        check = OutputCheck(
            text=self.record.text,
            steps=tuple(self.record.steps),
            conversation=tuple(self.record.conversation),
            knowledge=(
                self.settings.instructions.content,
                *(passage.text for passage in self.record.passages),
            ),
            session=self.request.session,
            context=self.request.context,
        )
        review = await self.record.deadline.within(run_output(self.settings.guardrails, check))
        self.record.flags += review.flags
        return review

    def _replace(self, review: Review) -> None:
        self.record.text = self.record.spoken = review.text
        if self.record.output is None or self.request.output is None:
            return
        value = None if review.is_blocked else self.request.output.parse(review.text)
        if isinstance(value, OutputProblem):
            raise InvalidOutputError(runtime=self.settings.runtime.name, problem=value.message)
        self.record.output = value

    def _token(self, text: str) -> TokenEvent:
        self.record.shown()
        return TokenEvent(text=text)
