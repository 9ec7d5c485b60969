"""What the model is asked: this file holds the prompts of a turn, made to fit the window."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from smallhold.agents.argument_schema import bounded_schema
from smallhold.agents.call_script import call_script
from smallhold.agents.context.counting import as_it_is
from smallhold.agents.output_types import OutputProblem, OutputType
from smallhold.agents.planning import owns_decoder
from smallhold.agents.prompts import answer_prompt, decision_prompt, rewritten_question
from smallhold.agents.recalling import with_passages
from smallhold.agents.record import TurnRecord
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.exceptions import InvalidOutputError
from smallhold.generation import (
    Constraint,
    GenerationRequest,
    JsonSchemaConstraint,
    LarkConstraint,
    Prompt,
)
from smallhold.messages import FinishReason, Message, Role, ToolSchema

PROSE_GRAMMAR: Final = r"""start: /[\p{L}\p{N}"'“¿¡(*#£$€-](.|\n)*/"""
"""An answer begins with words. After a decision to answer, small models that were trained on calls
still like to begin with JSON, a code fence or a call's opening tag."""
MAX_OUTPUT_REPAIRS: Final = 2
"""How often a model is told why its answer is not of the type that was asked for."""


@dataclass(slots=True, kw_only=True)
class Asker:
    """Makes the prompts of one turn."""

    settings: TurnSettings
    request: TurnRequest
    record: TurnRecord
    tools: tuple[ToolSchema, ...] = ()
    """What is offered in this turn."""

    @property
    def is_own(self) -> bool:
        """Whether decisions are scored and calls decoded under grammar."""
        return owns_decoder(self.settings.runtime)

    async def fit(self) -> None:
        """Make the conversation fit; what had to be left out is in the record.

        Raises:
            PartOverflowError: a part that is never shortened does not fit.
        """
        work = self.settings.fitter.fit(
            self.record.conversation,
            prompt_of=self._largest,
            max_tokens=self.settings.max_tokens,
            form=call_script if self.is_own and self.tools else as_it_is,
        )
        self.record.keep(await self.record.deadline.within(work))

    def decision(self) -> Prompt:
        """Ask which tool."""
        return self._decision(self.record.conversation)

    def answer(self) -> GenerationRequest:
        """Ask for the answer alone."""
        constraint: Constraint | None = None
        if self.is_own and self.request.output is not None:
            constraint = JsonSchemaConstraint(schema=bounded_schema(self.request.output.schema))
        elif self.is_own and len(self.settings.tools) > 0:
            constraint = LarkConstraint(grammar=PROSE_GRAMMAR)
        return self._request(self._answer(self.record.conversation), constraint)

    def native(self) -> GenerationRequest:
        """Ask for calls or the answer, whichever the model finds right."""
        return self._request(self._native(self.record.conversation), None)

    def correct(self, text: str, problem: OutputProblem, *, reason: FinishReason) -> None:
        """Tell the model what is wrong with its answer.

        Raises:
            InvalidOutputError: it was told often enough, or would only run out of tokens again.
        """
        is_cut = reason is FinishReason.LENGTH
        if is_cut or len(self.record.corrections) >= 2 * MAX_OUTPUT_REPAIRS:
            why = f"{problem.message} (it reached `max_tokens`)" if is_cut else problem.message
            raise InvalidOutputError(runtime=self.settings.runtime.name, problem=why)
        self.record.corrections += [
            Message(role=Role.ASSISTANT, content=text.strip() or "(nothing)"),
            Message(role=Role.USER, content=f"Not valid: {problem.message}. Write it again."),
        ]

    def _largest(self, conversation: Sequence[Message]) -> Prompt:
        """Make the longest prompt that the next step may need."""
        if not self.tools:
            return self._answer(conversation)
        if not self.is_own:
            return self._native(conversation)
        return self._decision(conversation)

    def _decision(self, conversation: Sequence[Message]) -> Prompt:
        settings = self.settings
        return decision_prompt(settings.instructions, settings.examples, conversation, self.tools)

    def _answer(self, conversation: Sequence[Message]) -> Prompt:
        shown = self._with_form(with_passages(conversation, self.record.passages))
        return answer_prompt(self.settings.instructions, shown)

    def _native(self, conversation: Sequence[Message]) -> Prompt:
        shown = self._with_form(with_passages(conversation, self.record.passages))
        return decision_prompt(self.settings.instructions, (), shown, self.tools)

    def _with_form(self, conversation: Sequence[Message]) -> tuple[Message, ...]:
        """Say of which form the answer must be, beside the user's message."""
        output = self.request.output
        if output is None:
            return tuple(conversation)
        note = form_note(output)
        noted = rewritten_question(conversation, lambda asked: f"{asked}\n\n{note}")
        return (*noted, *self.record.corrections)

    def _request(self, prompt: Prompt, constraint: Constraint | None) -> GenerationRequest:
        return GenerationRequest(
            prompt=prompt,
            constraint=constraint,
            sampling=self.settings.sampling,
            max_tokens=self.settings.max_tokens,
        )


def form_note(output: OutputType[object]) -> str:
    """Say to the model of which form its answer must be."""
    schema = json.dumps(output.schema, ensure_ascii=False, separators=(",", ":"))
    return f"Give your final answer as JSON and nothing else, valid under this schema: {schema}"
