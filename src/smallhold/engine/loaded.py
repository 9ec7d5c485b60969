"""One model ready to be evaluated: this file holds the model with its context and its caches."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import Final, TypeAlias

from llguidance import LLTokenizer

from smallhold.engine.chat_template import ChatTemplate
from smallhold.engine.config import ModelConfig, automatic_settings
from smallhold.engine.draft_model import DraftModel
from smallhold.engine.grammar import vocabulary_tokenizer
from smallhold.engine.llama import MAX_OUTPUTS, Context, Model, version
from smallhold.engine.pass_plan import PassLimits
from smallhold.engine.pass_times import AcceptanceRatio, PassTimes
from smallhold.engine.pass_trial import PassTrial
from smallhold.engine.prefix_tree import PrefixTree
from smallhold.engine.prompting import EncodedPrompt, PromptEncoder
from smallhold.engine.recent import RecentValues
from smallhold.engine.residents import Resident
from smallhold.engine.scheduler import Scheduler
from smallhold.engine.snapshots import (
    SnapshotStore,
    file_identity,
    folder_name,
    model_fingerprint,
)
from smallhold.engine.template_defaults import CHATML_TEMPLATE
from smallhold.exceptions import ContextOverflowError, UnknownAdapterError
from smallhold.models.machine.hardware import detect_hardware

MAX_BASELINES: Final = 256
"""One per agent and set of tools; each is a few numbers."""
COPY_PRIOR: Final = 0.6
"""How often a copied guess is right before any has been seen. Source: `docs/benchmarks.md`, tool
calls."""
DRAFT_MODEL_PRIOR: Final = 0.7
"""The same for a smaller model of the same family."""

BaselineKey: TypeAlias = tuple[bytes, str, str | None, str, tuple[str, ...]]


class LoadedModel:
    """Model, context, scheduler, prompt encoder, prefix tree and snapshots.

    Raises:
        ModelLoadError: llama.cpp refused the file or the context.
    """

    def __init__(self, config: ModelConfig, *, stack: ExitStack) -> None:
        config = automatic_settings(config, detect_hardware(accelerators=False))
        self.config = config
        self.model = Model(config, stack=stack)
        self.context = Context(self.model, stack=stack)
        self.encoder = PromptEncoder(self.model, _template(self.model))
        self.prefixes = PrefixTree(
            limit_bytes=config.cache_bytes or 0, is_divisible=not self.model.keeps_whole_states
        )
        self.snapshots = _snapshots(config)
        self.context_tokens = min(config.context_tokens, self.model.trained_context_tokens)
        self.residents: list[Resident] = []
        """What running requests hold."""
        running = config.concurrent_requests
        self.free_sequences = list(range(running))
        self.spare_sequence = running
        """For moving segments and for measuring; empty between two steps."""
        self.canary_sequence = running + 1
        self.branch_sequences = list(range(running + 2, self.context.n_sequences))
        """Free ones, for the branches of scored choices."""
        self.branch_width = len(self.branch_sequences)
        self.baselines = RecentValues[BaselineKey, list[float]](limit=MAX_BASELINES)
        """Scores of choices after content-free prompts."""
        self.scheduler = Scheduler(
            self.context,
            PassLimits(
                batch_tokens=self.context.batch_tokens,
                chunk_tokens=config.chunk_tokens,
                outputs=MAX_OUTPUTS,
            ),
            concurrent_requests=running,
            queue_limit=config.queue_limit,
        )
        self.traffic = self.scheduler.traffic
        self.copying = {is_json: AcceptanceRatio(prior=COPY_PRIOR) for is_json in (False, True)}
        """How often copied guesses are right, in free text and in JSON."""
        self.draft_model = (
            None
            if config.draft_path is None
            else DraftModel(config, self.model, prior=DRAFT_MODEL_PRIOR, stack=stack)
        )
        self.trial = PassTrial(self.context, sequence=self.spare_sequence)

    @cached_property
    def grammar_tokenizer(self) -> LLTokenizer:
        """The vocabulary as llguidance reads it; built once, on first use."""
        return vocabulary_tokenizer(self.model)

    @property
    def pass_times(self) -> PassTimes | None:
        """What passes cost here; `None` until it has been measured."""
        return self.trial.result

    @property
    def step_tokens(self) -> int:
        """Most tokens of an indivisible step: few while another request streams its answer."""
        return self.config.chunk_tokens if self.traffic.rows else self.context.batch_tokens

    def idle_work(self) -> bool:
        """Do a piece of what makes later requests quicker; false when nothing is left to do."""
        if "grammar_tokenizer" not in self.__dict__:
            _ = self.grammar_tokenizer
            return True
        return self.trial.go_on() or (
            self.draft_model is not None and self.draft_model.trial.go_on()
        )

    def require_adapter(self, adapter: str | None) -> None:
        """Refuse a LoRA adapter that was not loaded. Raises `UnknownAdapterError`."""
        if adapter is not None and adapter not in self.config.adapters:
            raise UnknownAdapterError(adapter=adapter, known=sorted(self.config.adapters))

    def variant(self, adapter: str | None) -> str:
        """Name what a LoRA adapter's keys and values depend on, for snapshots."""
        return "" if adapter is None else file_identity(self.config.adapters[adapter])

    def check_fits(self, encoded: EncodedPrompt) -> None:
        """Refuse a prompt that leaves no room for an answer. Raises `ContextOverflowError`."""
        if len(encoded.tokens) >= self.context_tokens:
            raise ContextOverflowError(
                prompt_tokens=len(encoded.tokens), limit_tokens=self.context_tokens
            )


def _template(model: Model) -> ChatTemplate:
    return ChatTemplate(
        model.chat_template() or CHATML_TEMPLATE,
        bos_token=model.token_text(model.bos),
        eos_token=model.token_text(model.eos),
    )


def _snapshots(config: ModelConfig) -> SnapshotStore | None:
    if config.snapshot_folder is None:
        return None
    fingerprint = model_fingerprint(
        config.path,
        engine_version=version(),
        context=f"{config.kv_type}|{config.gpu_layers}|{config.uses_flash_attention}",
    )
    return SnapshotStore(
        folder=config.snapshot_folder / folder_name(config.path),
        fingerprint=fingerprint,
        limit_bytes=config.snapshot_bytes,
    )
