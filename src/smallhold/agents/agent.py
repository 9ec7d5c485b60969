"""The agent that users hold: this file holds its public face."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import aclosing, contextmanager
from typing import Final, TypeVar, Unpack, overload

from smallhold.agents import blocking
from smallhold.agents.config import Config
from smallhold.agents.context import ContextFitter
from smallhold.agents.deadline import Deadline
from smallhold.agents.examples import check_examples
from smallhold.agents.notes import notes_of
from smallhold.agents.output_types import output_type as as_output_type
from smallhold.agents.prompts import build_instructions
from smallhold.agents.providers import installed_embedder, runtime_for
from smallhold.agents.record import TurnRecord
from smallhold.agents.result import Result
from smallhold.agents.tool_selection import ToolSelection, no_embedder
from smallhold.agents.turn import Turn
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.exceptions import (
    ConfigError,
    InvalidMessageError,
    ModelOutputError,
    SessionBusyError,
)
from smallhold.generation import Sampling
from smallhold.messages import DoneEvent, ErrorEvent, Event, Message, Role
from smallhold.runtimes.protocol import Embedder, Runtime
from smallhold.tools import AnyTool, ToolOptions, ToolSet, check_context, tool_from_function

MAX_MESSAGE_CHARS: Final = 100_000
"""About 25,000 tokens: more than any model of this catalog reads well, and a minute of prefill."""

OutputT = TypeVar("OutputT")

_log = logging.getLogger(__name__)


class Agent:
    """An AI agent on a small language model.

    The model is loaded at the first message. Messages of one session are a conversation; without
    a session each message stands alone.

    Raises:
        ConfigError: the settings cannot be used.
        UnknownModelError: the alias is not in the catalog.
        ModelNotInstalledError: the model has not been pulled.
    """

    def __init__(
        self,
        config: Config,
        model_endpoint: str | None = None,
        api_key: str | None = None,
        *,
        runtime: Runtime | None = None,
        tools: Iterable[AnyTool | Callable[..., object]] = (),
        embedder: Embedder | None = None,
    ) -> None:
        """Make an agent.

        Args:
            config: Who the agent is and which model it uses.
            model_endpoint: Address of a model server; takes precedence over `config.endpoint`.
            api_key: Key for it; takes precedence over `config.api_key`.
            runtime: What runs the model; by default made from `config`.
            tools: Tools or functions to start with.
            embedder: Compares meanings where there are more tools than `config.tool_limit`. By
                default the installed sentence model; with a `runtime` of your own none, and tools
                are found by their words.
        """
        self.config = config
        self._tools = ToolSet(tools)
        self._instructions = build_instructions(config)
        if runtime is not None:
            _refuse_server(model_endpoint, api_key)
        self._runtime = runtime or runtime_for(config, endpoint=model_endpoint, api_key=api_key)
        self._fitter = ContextFitter(self._runtime, budget=config.context_budget)
        find_embedder = installed_embedder if runtime is None else no_embedder
        self._selection = ToolSelection(
            tools=self._tools,
            limit=config.tool_limit,
            find_embedder=find_embedder if embedder is None else lambda: embedder,
        )
        self._sessions: dict[str, list[Message]] = {}
        self._busy: set[str] = set()

    @property
    def tools(self) -> ToolSet:
        """The agent's tools; add, remove or replace them in the set itself."""
        return self._tools

    @property
    def runtime(self) -> Runtime:
        """What runs the model."""
        return self._runtime

    @overload
    def tool(self, function: Callable[..., object] | AnyTool) -> AnyTool: ...
    @overload
    def tool(
        self, function: None = None, **options: Unpack[ToolOptions]
    ) -> Callable[[Callable[..., object]], AnyTool]: ...
    def tool(
        self,
        function: Callable[..., object] | AnyTool | None = None,
        **options: Unpack[ToolOptions],
    ) -> AnyTool | Callable[[Callable[..., object]], AnyTool]:
        """Give the agent a tool; usable as a decorator, with or without settings.

        Args:
            function: The function, or a tool that is ready.
            **options: Settings by name; see `ToolOptions`.

        Raises:
            ToolDefinitionError: the function cannot be described to a model.
        """
        if function is not None:
            return self.tools.add(function)

        def add(decorated: Callable[..., object]) -> AnyTool:
            return self.tools.add(tool_from_function(decorated, **options))

        return add

    async def stream(
        self, text: str, *, session: str | None = None, context: object = None
    ) -> AsyncGenerator[Event]:
        """Answer a message, handing out events as they happen.

        The last event is a `DoneEvent`, or an `ErrorEvent` when the run failed. Wrap the stream in
        `contextlib.aclosing` if you may leave it early: that stops the model at once.

        Args:
            text: The user's message.
            session: The conversation that it belongs to.
            context: What tools are given as `RunContext.value`; no model sees it.

        Raises:
            InvalidMessageError: the message is empty or far too long.
            SessionBusyError: the session is answering another message.
            ConfigError: a tool needs another context than it was given.
        """
        check_message(text)
        request = self._request(session=session, context=context)
        with self._conversation(session) as conversation:
            turn = self._turn(text, conversation, request)
            try:
                async with aclosing(turn.events()) as events:
                    async for event in events:
                        yield event  # noqa: ASYNC119 - see the docstring
            except Exception as error:  # noqa: BLE001 - handed to the caller as the last event
                _log.warning("agent.run_failed", extra={"error": type(error).__name__})
                yield ErrorEvent(error=error)  # noqa: ASYNC119 - nothing is left to close
                return
            result = self._commit(turn, conversation)
            yield DoneEvent(  # noqa: ASYNC119 - nothing is left to close
                text=result.text,
                usage=result.usage,
                timing=result.timing,
                notes=notes_of(result),
            )

    @overload
    async def run(
        self, text: str, *, session: str | None = None, context: object = None
    ) -> Result[None]: ...
    @overload
    async def run(
        self,
        text: str,
        *,
        output_type: type[OutputT],
        session: str | None = None,
        context: object = None,
    ) -> Result[OutputT]: ...
    @overload
    async def run(
        self,
        text: str,
        *,
        output_type: object,
        session: str | None = None,
        context: object = None,
    ) -> Result[object]: ...
    async def run(
        self,
        text: str,
        *,
        output_type: object = None,
        session: str | None = None,
        context: object = None,
    ) -> Result[object]:
        """Answer a message, and tell everything about the run.

        Args:
            text: The user's message.
            output_type: What the answer must be instead of prose: a pydantic model, dataclass,
                enumeration, `Literal`, number, or lists of these. The value is `Result.output`.
            session: The conversation that it belongs to.
            context: What tools are given as `RunContext.value`; no model sees it.

        Raises:
            InvalidMessageError: the message is empty or far too long.
            SessionBusyError: the session is answering another message.
            ConfigError: no model can write values of `output_type`, or a tool needs another context
                than it was given.
            InvalidOutputError: the model gave no answer of `output_type`.
            ContextOverflowError: a part of the prompt that is never shortened does not fit.
            DeadlineExceededError: the run took longer than `config.timeout`.
            SmallholdError: the runtime failed.
        """
        check_message(text)
        request = self._request(session=session, context=context, output_type=output_type)
        with self._conversation(session) as conversation:
            turn = self._turn(text, conversation, request)
            async with aclosing(turn.events()) as events:
                async for _ in events:
                    pass
            return self._commit(turn, conversation)

    async def chat_async(
        self, text: str, *, session: str | None = None, context: object = None
    ) -> str:
        """Answer a message; raises as `run` does."""
        return (await self.run(text, session=session, context=context)).text

    def chat(self, text: str, *, session: str | None = None, context: object = None) -> str:
        """Answer a message from synchronous code; raises as `run` does."""
        return blocking.call(self.chat_async, text, session=session, context=context)

    async def aclose(self) -> None:
        """Free the model's memory; a later message loads it again."""
        await self._runtime.aclose()

    def close(self) -> None:
        """Free the model's memory from synchronous code."""
        blocking.call(self.aclose)

    def _request(
        self, *, session: str | None, context: object, output_type: object = None
    ) -> TurnRequest:
        check_examples(self.config.examples, self.tools.names)
        check_context(self.tools, context)
        output = None if output_type is None else as_output_type(output_type)
        return TurnRequest(session=session, context=context, output=output)

    def _turn(self, text: str, conversation: list[Message], request: TurnRequest) -> Turn:
        config = self.config
        settings = TurnSettings(
            runtime=self._runtime,
            instructions=self._instructions,
            tools=self.tools,
            examples=config.examples,
            sampling=Sampling(temperature=config.temperature),
            max_tokens=config.max_tokens,
            max_steps=config.max_steps,
            max_calls=config.max_calls,
            fitter=self._fitter,
            selection=self._selection,
            guardrails=config.guardrails,
        )
        message = Message(role=Role.USER, content=text)
        record = TurnRecord(
            deadline=Deadline(limit_s=config.timeout), conversation=[*conversation, message]
        )
        return Turn(settings=settings, request=request, record=record)

    def _commit(self, turn: Turn, conversation: list[Message]) -> Result[object]:
        """Keep a finished turn; one that failed or was rejected leaves the session as it was."""
        if turn.result is None:
            raise ModelOutputError(runtime=self._runtime.name, problem="a run without an end")
        if not turn.is_rejected:
            conversation[:] = turn.record.conversation
        return turn.result

    @contextmanager
    def _conversation(self, session: str | None) -> Generator[list[Message]]:
        if session is None:
            yield []
            return
        if session in self._busy:
            raise SessionBusyError(session=session)
        self._busy.add(session)
        try:
            yield self._sessions.setdefault(session, [])
        finally:
            self._busy.discard(session)


def _refuse_server(endpoint: str | None, api_key: str | None) -> None:
    """Refuse a server's address beside a runtime that already knows its own."""
    for field, value in (("model_endpoint", endpoint), ("api_key", api_key)):
        if value is not None:
            raise ConfigError(
                field=field,
                value="(set)",
                remedy="a `runtime` was given too; leave one of them out",
            )


def check_message(text: str) -> None:
    """Refuse a message that cannot be meant. Raises `InvalidMessageError`."""
    if not text.strip():
        raise InvalidMessageError(
            problem="is empty", length_chars=len(text), limit_chars=MAX_MESSAGE_CHARS
        )
    if len(text) > MAX_MESSAGE_CHARS:
        raise InvalidMessageError(
            problem="is too long", length_chars=len(text), limit_chars=MAX_MESSAGE_CHARS
        )
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidMessageError(
            problem="holds a lone surrogate, which UTF-8 cannot express",
            length_chars=len(text),
            limit_chars=MAX_MESSAGE_CHARS,
        ) from error
