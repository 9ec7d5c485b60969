"""The agent that users hold: this file holds its public face."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar, Unpack, overload

from smallhold.agents import blocking
from smallhold.agents.config import Config
from smallhold.agents.examples import check_examples
from smallhold.agents.notes import notes_of
from smallhold.agents.output_types import OutputType
from smallhold.agents.output_types import output_type as as_output_type
from smallhold.agents.parts import AgentParts, refuse_unknown_parts
from smallhold.agents.playing import Playing
from smallhold.agents.prewarming import prewarm
from smallhold.agents.prompts import build_instructions
from smallhold.agents.providers import (
    Resources,
    fallback_runtime_for,
    installed_embedder,
    residency_for,
    runtime_for,
)
from smallhold.agents.recalling import Recall
from smallhold.agents.result import Result
from smallhold.agents.runs import RunInHand
from smallhold.agents.runs.opening import opened_state, runs_in
from smallhold.agents.serving import Served, Serving
from smallhold.agents.tool_selection import ToolSelection, no_embedder
from smallhold.agents.turn import Turn
from smallhold.agents.turn_settings import TurnRequest, TurnSettings
from smallhold.exceptions import (
    ConfigError,
    InvalidMessageError,
)
from smallhold.generation import Sampling
from smallhold.messages import DoneEvent, ErrorEvent, Event, Message, Role, Usage
from smallhold.runtimes.protocol import Runtime
from smallhold.runtimes.residency import Residency, ResidentRuntime
from smallhold.settings import load_settings
from smallhold.tools import AnyTool, ToolOptions, ToolSet, check_context, tool_from_function

MAX_MESSAGE_CHARS: Final = 100_000
"""About 25,000 tokens: more than any model of this catalog reads well, and a minute of prefill."""

if TYPE_CHECKING:
    from smallhold.state import State

OutputT = TypeVar("OutputT")

_log = logging.getLogger(__name__)


class Agent:
    """An AI agent on a small language model.

    The model is loaded at the first message. Messages of one session are a conversation; without
    a session each message stands alone. With a state, conversations outlive the process, and a run
    that was interrupted can be resumed; without, they are kept in memory.

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
        resource_limits: Resources | None = None,
        **parts: Unpack[AgentParts],
    ) -> None:
        """Make an agent.

        Args:
            config: Who the agent is and which model it uses.
            model_endpoint: Address of a model server; takes precedence over `config.endpoint`.
            api_key: Key for it; takes precedence over `config.api_key`.
            resource_limits: What models may take: agents with equal `ResourceConfig`s share it, and
                so do those with the same `Residency`. By default, what the machine has free. Of a
                `runtime` of your own only the number of runs is limited.
            **parts: `runtime`, `tools`, `embedder`, `state` and `recall` by name; see
                `AgentParts`.

        Raises:
            TypeError: there is no part of such a name.
        """
        refuse_unknown_parts(parts)
        runtime, embedder = parts.get("runtime"), parts.get("embedder")
        self.config = config
        self._tools = ToolSet(parts.get("tools", ()))
        self._instructions = build_instructions(config)
        if runtime is not None:
            _refuse_server(model_endpoint, api_key)
        self._runtime = runtime or runtime_for(
            config, endpoint=model_endpoint, api_key=api_key, resources=resource_limits
        )
        smaller = fallback_runtime_for(config, resources=resource_limits) if not runtime else None
        self._serving = Serving(
            runtime=self._runtime,
            budget=config.context_budget,
            smaller=smaller,
            residency=_residency_of(self._runtime, resource_limits),
        )
        find_embedder = installed_embedder if runtime is None else no_embedder
        self._selection = ToolSelection(
            tools=self._tools,
            limit=config.tool_limit,
            find_embedder=find_embedder if embedder is None else lambda: embedder,
        )
        self._is_state_own = isinstance(parts.get("state"), str | Path)
        self._state = opened_state(parts.get("state"))
        self._runs = runs_in(self._state)
        self._recall = Recall.of(parts.get("recall"))
        self._refuse_unapprovable()

    @property
    def tools(self) -> ToolSet:
        """The agent's tools; add, remove or replace them in the set itself."""
        return self._tools

    @property
    def runtime(self) -> Runtime:
        """What runs the model."""
        return self._runtime

    @property
    def state(self) -> State | None:
        """Where sessions and runs are kept; `None` for in memory."""
        return self._state

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

        With a state, a call is stored before its `ToolCallEvent`, its result before the
        `ToolResultEvent`, and the answer before the `DoneEvent`; tokens are a preview of it.

        Args:
            text: The user's message.
            session: The conversation that it belongs to.
            context: What tools are given as `RunContext.value`; no model sees it.

        Raises:
            InvalidMessageError: the message is empty or far too long.
            SessionBusyError: the session is answering another message.
            UnfinishedRunError: the session's latest run must be resumed or abandoned first.
            ConfigError: a tool needs another context than it was given.
            StateError: the state cannot be used.
        """
        check_message(text)
        self._check_ready(context)
        message = Message(role=Role.USER, content=text)
        limit_s = self.config.timeout
        async with self._runs.begin(message, session=session, output=None, limit_s=limit_s) as run:
            playing = self._playing(run, context=context, output=None)
            try:
                async with aclosing(playing.events()) as events:
                    async for event in events:
                        yield event  # noqa: ASYNC119 - see the docstring
                result = playing.result
            except Exception as error:  # noqa: BLE001 - handed to the caller as the last event
                _log.warning("agent.run_failed", extra={"error": type(error).__name__})
                yield ErrorEvent(error=error, run_id=run.run_id)  # noqa: ASYNC119 - all is closed
                return
            yield DoneEvent(  # noqa: ASYNC119 - nothing is left to close
                text=result.text,
                usage=result.usage,
                timing=result.timing,
                notes=notes_of(result),
                degraded=result.degraded,
                run_id=run.run_id,
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
            UnfinishedRunError: the session's latest run must be resumed or abandoned first.
            ConfigError: no model can write values of `output_type`, or a tool needs another context
                than it was given.
            StateError: the state cannot be used.
            InvalidOutputError: the model gave no answer of `output_type`.
            ContextOverflowError: a part of the prompt that is never shortened does not fit.
            DeadlineExceededError: the run took longer than `config.timeout`.
            SmallholdError: the runtime failed.
        """
        check_message(text)
        self._check_ready(context)
        output = None if output_type is None else as_output_type(output_type)
        message = Message(role=Role.USER, content=text)
        limit_s = self.config.timeout
        async with self._runs.begin(
            message, session=session, output=output, limit_s=limit_s
        ) as run:
            return await self._finished(run, context=context, output=output)

    @overload
    async def resume(self, run_id: str, *, context: object = None) -> Result[object]: ...
    @overload
    async def resume(
        self, run_id: str, *, output_type: type[OutputT], context: object = None
    ) -> Result[OutputT]: ...
    @overload
    async def resume(
        self, run_id: str, *, output_type: object, context: object = None
    ) -> Result[object]: ...
    async def resume(
        self, run_id: str, *, output_type: object = None, context: object = None
    ) -> Result[object]:
        """Go on with a run where it was interrupted, or where it waits for a person's approval.

        A call that was started and has no result is not started again unless its tool is
        idempotent: the model reads that nobody knows whether it was done. A run that is over gives
        its result again.

        Args:
            run_id: `Result.run_id`, or as the session's log tells it.
            output_type: As for `run`; the same as the run was begun with.
            context: As for `run`: it is not stored.

        Raises:
            UnknownRunError: there is no such run.
            SessionBusyError: a process is working on it.
            RunNotResumableError: it was given up, or it failed and another run followed.
            ConfigError: the agent has no state, or needs another `context` or `output_type`.
            StateError: the state cannot be used.
            SmallholdError: as `run`.
        """
        self._check_ready(context)
        output = None if output_type is None else as_output_type(output_type)
        async with self._runs.resume(run_id, output=output, limit_s=self.config.timeout) as run:
            if isinstance(run, Result):
                return run
            return await self._finished(run, context=context, output=output)

    def resume_sync(self, run_id: str, *, context: object = None) -> Result[object]:
        """Go on with a run from synchronous code; see `resume`."""
        return blocking.call(self.resume, run_id, context=context)

    async def chat_async(
        self, text: str, *, session: str | None = None, context: object = None
    ) -> str:
        """Answer a message; raises as `run` does."""
        return (await self.run(text, session=session, context=context)).text

    def chat(self, text: str, *, session: str | None = None, context: object = None) -> str:
        """Answer a message from synchronous code; raises as `run` does."""
        return blocking.call(self.chat_async, text, session=session, context=context)

    async def prewarm(self) -> Usage:
        """Load the model, and have it read what all of this agent's prompts begin with.

        The first message is then read as quickly as a later one. Where there are more tools than
        `Config.tool_limit`, those that will be offered are not known yet, and only the instructions
        are read.

        Returns:
            What it cost.

        Raises:
            MemoryRefusedError: the model does not fit the memory.
            EngineError: the model cannot be loaded.
        """
        has_choice = len(self.tools) > self.config.tool_limit
        return await prewarm(
            self._runtime,
            instructions=self._instructions,
            examples=self.config.examples,
            tools=() if has_choice else self.tools.schemas,
        )

    def prewarm_sync(self) -> Usage:
        """Get ready from synchronous code; see `prewarm`."""
        return blocking.call(self.prewarm)

    async def aclose(self) -> None:
        """Free the model's memory and close a state that the agent opened; both open again.

        A model that another agent uses as well stays, until that one is closed or it is idle.
        """
        await self._serving.aclose()
        if self._state is not None and self._is_state_own:
            await self._state.aclose()

    def close(self) -> None:
        """Free the model's memory from synchronous code."""
        blocking.call(self.aclose)

    def _check_ready(self, context: object) -> None:
        """Refuse a run whose tools could not be used as they are meant."""
        check_examples(self.config.examples, self.tools.names)
        check_context(self.tools, context)
        self._refuse_unapprovable()

    def _refuse_unapprovable(self) -> None:
        if self._state is not None:
            return
        for tool in self.tools:
            if tool.may_require_approval:
                raise ConfigError(
                    field="state",
                    value=None,
                    remedy=(
                        f"the tool {tool.name!r} requires approvals, which wait in a database; "
                        "pass `state=` to Agent"
                    ),
                )

    def _playing(
        self, run: RunInHand, *, context: object, output: OutputType[object] | None
    ) -> Playing:
        turn_on = partial(self._turn, run, context=context, output=output)
        return Playing(run=run, serving=self._serving, turn_on=turn_on)

    def _turn(
        self,
        run: RunInHand,
        served: Served,
        *,
        context: object,
        output: OutputType[object] | None,
    ) -> Turn:
        config = self.config
        request = TurnRequest(
            session=run.session, run_id=run.run_id, context=context, output=output
        )
        settings = TurnSettings(
            runtime=served.runtime,
            instructions=self._instructions,
            tools=self.tools,
            examples=config.examples,
            sampling=Sampling(temperature=config.temperature),
            max_tokens=config.max_tokens,
            max_steps=config.max_steps,
            max_calls=config.max_calls,
            fitter=served.fitter,
            selection=self._selection,
            guardrails=config.guardrails,
            recall=self._recall,
        )
        return Turn(
            settings=settings,
            request=request,
            record=run.record,
            journal=run.journal,
            approver=run.approver,
            is_degraded=lambda: served.is_degraded,
        )

    async def _finished(
        self, run: RunInHand, *, context: object, output: OutputType[object] | None
    ) -> Result[object]:
        playing = self._playing(run, context=context, output=output)
        async with aclosing(playing.events()) as events:
            async for _ in events:
                pass
        return playing.result


def _residency_of(runtime: Runtime, resources: Resources | None) -> Residency | None:
    """Find what hands out the places for runs; on a runtime of the user's own only that counts."""
    if isinstance(runtime, ResidentRuntime):
        return runtime.residency
    return None if resources is None else residency_for(resources, settings=load_settings())


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
