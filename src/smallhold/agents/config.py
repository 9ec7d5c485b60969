"""Who an agent is and what it may use: this file holds its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from smallhold.agents.context import ContextBudget
from smallhold.agents.examples import Example
from smallhold.agents.guardrails import (
    Guardrail,
    InjectedResults,
    UnfoundedActions,
    check_guardrails,
)
from smallhold.agents.tool_selection import DEFAULT_TOOL_LIMIT
from smallhold.exceptions import ConfigError
from smallhold.runtimes.residency.resources import check_keep_alive

DEFAULT_MODEL: Final = "qwen2.5-coder-0.5b"
"""Smallest model in the catalog that fills tools' arguments well (`docs/accuracy.md`)."""
DEFAULT_MAX_STEPS: Final = 6
"""Decisions in one run. Tasks of small models need one or two calls; more is a loop."""
DEFAULT_GUARDRAILS: Final[tuple[Guardrail, ...]] = (InjectedResults(), UnfoundedActions())
"""Instructions in tools' results are cut before the model reads them, and an answer that claims an
action which no tool has done is flagged. Neither stops an answer from being streamed."""
_PROVIDERS: Final = ("embedded",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings of one agent.

    Raises:
        ConfigError: a value cannot be used; the message names field, value and remedy.
    """

    name: str
    """Name for traces and, through `role`, for the model."""
    model_provider: str = "embedded"
    """`embedded` runs the model in a worker process of this program."""
    model_id: str | None = None
    """Path of a GGUF file to use instead of a catalog model."""
    model_alias: str = DEFAULT_MODEL
    """Alias in the catalog; see `smallhold models list`."""
    fallback_alias: str | None = None
    """A smaller model, by its alias, that answers while the memory has no room for the agent's own,
    or battery, heat or memory pressure ask for less; `Result.degraded` then says so. `None` waits
    or fails instead."""
    keep_alive_s: float | None = None
    """Seconds that the model stays in memory after a request: 0 unloads it at once, `math.inf`
    never. `None` takes `ResourceConfig.keep_alive_s`."""
    endpoint: str | None = None
    """Address of a model server, for providers that have one."""
    api_key: str | None = field(default=None, repr=False)
    """Key for `endpoint`."""
    max_tokens: int = 512
    """Most tokens of one answer or one call's arguments."""
    temperature: float = 0.0
    """0 always takes the likeliest token of an answer; calls never vary."""
    timeout: float = 120.0
    """Seconds for one run, tools included."""
    offline_mode: bool = True
    """Open no connection to another machine. The embedded provider never does."""
    role: str | None = None
    """The agent's instructions, written for the model: who it is and how it behaves."""
    specialized_for: str | None = None
    """What the agent is best at, in a few words; added to the instructions."""
    context: str | None = None
    """Facts that the agent always knows; added to the instructions."""
    examples: tuple[Example, ...] = ()
    """Messages with the right decision for each. Small models learn from two for each tool, and two
    that no tool serves, far more than from instructions (`docs/accuracy.md`)."""
    max_steps: int = DEFAULT_MAX_STEPS
    """Most decisions in one run."""
    max_calls: int | None = None
    """Tool calls after which the agent answers without deciding again; `None` decides each time.
    Where one call always suffices, 1 saves the decision after it."""
    tool_limit: int = DEFAULT_TOOL_LIMIT
    """Most tools that the model is shown. Of more, those are shown that look likely for the user's
    message, and those that were used in the session before."""
    context_budget: ContextBudget = field(default_factory=ContextBudget)
    """How the model's context window is shared out."""
    guardrails: tuple[Guardrail, ...] = DEFAULT_GUARDRAILS
    """What looks at messages, calls, results and answers, each on what the one before let through.
    Put your own beside the default ones with `(*DEFAULT_GUARDRAILS, mine)`."""
    privacy_mode: bool = False
    """Redaction of personal data; refused until this version has it."""
    compliance: str | None = None
    """A compliance regime to follow; refused until this version has one."""

    def __post_init__(self) -> None:
        """Check every field that has limits."""
        _require_text("name", self.name)
        _require_text("model_alias", self.model_alias)
        _require_range("max_tokens", self.max_tokens, low=1)
        _require_range("temperature", self.temperature, low=0.0)
        _require_range("timeout", self.timeout, low=0.001)
        _require_range("max_steps", self.max_steps, low=1)
        if self.max_calls is not None:
            _require_range("max_calls", self.max_calls, low=1)
        _require_range("tool_limit", self.tool_limit, low=1)
        if self.fallback_alias is not None:
            _require_text("fallback_alias", self.fallback_alias)
        check_keep_alive(self.keep_alive_s)
        check_guardrails(self.guardrails)
        self._require_supported()

    def _require_supported(self) -> None:
        if self.model_provider not in _PROVIDERS:
            raise ConfigError(
                field="model_provider",
                value=self.model_provider,
                remedy=f"this version offers {', '.join(_PROVIDERS)}; or pass `runtime=` to Agent",
            )
        if self.endpoint is not None or self.api_key is not None:
            raise ConfigError(
                field="endpoint" if self.endpoint is not None else "api_key",
                value="(set)",
                remedy="the embedded provider has no server; leave it out",
            )
        # Accepting these without acting on them would be a promise that nobody keeps.
        if self.privacy_mode:
            raise ConfigError(
                field="privacy_mode", value=True, remedy="this version cannot redact; leave it out"
            )
        if self.compliance is not None:
            raise ConfigError(
                field="compliance",
                value=self.compliance,
                remedy="this version has no compliance regimes; leave it out",
            )


def _require_text(name: str, value: str) -> None:
    if not value.strip():
        raise ConfigError(field=name, value=value, remedy="give a text that is not empty")


def _require_range(name: str, value: float, *, low: float) -> None:
    if not value >= low:  # so that NaN is refused too
        raise ConfigError(field=name, value=value, remedy=f"give at least {low}")
