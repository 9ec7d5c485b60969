"""Fetching what the user names: this file holds the way from its words to a file in the store."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from smallhold.cli.pull_views import PullBar, PullEvents
from smallhold.cli.terminal import foreign
from smallhold.exceptions import BudgetTooSmallError, ConfigError
from smallhold.models import (
    Catalog,
    CatalogEntry,
    CatalogReference,
    FileReference,
    ModelStore,
    PullPolicy,
    PullProgress,
    detect_hardware,
    open_catalog,
    open_store,
    parse_reference,
    pull,
    resolve,
    source_opener,
)
from smallhold.models.own_models import OwnModels
from smallhold.models.sources import SourceOpener
from smallhold.models.sources.transfer_settings import CONNECTIONS
from smallhold.settings import Settings, parse_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """What the command line asks for."""

    text: str
    """An alias, words such as `routing`, or a place; see `smallhold.models.catalog.references`."""
    alias: str | None = None
    """Name for a model that no catalog knows."""
    variant: str | None = None
    """Quantization of a catalog's model."""
    limit_rate: str | None = None
    """Bytes a second as people write them."""
    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class PullTools:
    """What every pull of one command is done with."""

    store: ModelStore
    open_source: SourceOpener
    policy: PullPolicy
    console: Console
    """For people; where progress goes to `events`, nothing is written here."""
    events: PullEvents | None = None

    @classmethod
    def of(
        cls,
        settings: Settings,
        request: PullRequest,
        *,
        console: Console,
        events: PullEvents | None = None,
    ) -> PullTools:
        """Make them as the settings and the command line say.

        Raises:
            ConfigError: The rate is no size, or the number of connections helps nobody.
        """
        rate = request.limit_rate
        return cls(
            store=open_store(settings),
            open_source=source_opener(
                settings,
                connections=request.connections,
                limit_bytes_s=None if rate is None else parse_bytes(rate, field="--limit-rate"),
            ),
            policy=PullPolicy.of(settings),
            console=console,
            events=events,
        )


async def pull_named(request: PullRequest, *, settings: Settings, tools: PullTools) -> Path:
    """Fetch what a user names and show how it goes.

    Raises:
        ConfigError: The words make no sense, or not with each other.
        UnknownModelError: No catalog has such a model.
        UnknownVariantError: The model has no such file.
        UnknownNeedError: Words that mean nothing here, or that no model fulfils.
        ModelError: See `smallhold.models.pulling.pull` and `OwnModels.pull`.
    """
    reference = _reference(request.text)
    if isinstance(reference, FileReference):
        if request.variant is not None:
            remedy = "a place names one file; leave it out"
            raise ConfigError(field="--variant", value=request.variant, remedy=remedy)
        return await _pull_place(reference, alias=request.alias, settings=settings, tools=tools)
    if request.alias is not None:
        remedy = "it is for files that no catalog knows; leave it out"
        raise ConfigError(field="--as", value=request.alias, remedy=remedy)
    entry = choose_entry(
        reference or request.text,
        variant=request.variant,
        catalog=open_catalog(settings),
        store=tools.store,
        say=lambda text: tools.console.print(foreign(text), soft_wrap=True),
    )
    return await pull_model(entry, tools=tools)


async def pull_model(entry: CatalogEntry, *, tools: PullTools) -> Path:
    """Fetch a file of the catalog, showing how it goes. Raises as `smallhold.models.pull`."""
    was_there = tools.store.holds(entry)
    with ExitStack() as stack:
        path = await pull(
            entry,
            store=tools.store,
            open_source=tools.open_source,
            on_progress=_shown(tools, stack),
            policy=tools.policy,
        )
    _announce(entry, path, was_there=was_there, tools=tools)
    return path


async def _pull_place(
    reference: FileReference, *, alias: str | None, settings: Settings, tools: PullTools
) -> Path:
    steps: list[PullProgress] = []
    with ExitStack() as stack:
        show = _shown(tools, stack)

        def watch(step: PullProgress) -> None:
            steps.append(step)
            show(step)

        entry = await OwnModels(settings=settings, store=tools.store).pull(
            reference,
            alias=alias,
            open_source=tools.open_source,
            on_progress=watch,
            policy=tools.policy,
        )
    path = tools.store.require(entry)
    _announce(entry, path, was_there=len(steps) == 1, tools=tools)
    return path


def choose_entry(
    named: CatalogReference | str,
    *,
    variant: str | None,
    catalog: Catalog,
    store: ModelStore,
    say: Callable[[str], None],
) -> CatalogEntry:
    """Choose the file that is meant: the one that is named, or the best for this machine.

    Args:
        named: A model, or words such as `fast routing`.
        variant: Quantization, where it is not part of the name.
        catalog: The models that there are.
        store: A file that is here comes before one that is not.
        say: Takes a line for people.

    Raises:
        ConfigError: Two quantizations are named.
        UnknownModelError: No such model.
        UnknownVariantError: It has no such file.
        UnknownNeedError: Words that mean nothing here, or that no model fulfils.
        BudgetTooSmallError: Nothing that the words mean fits this machine.
    """
    model = named if isinstance(named, CatalogReference) else None
    if variant is not None:
        if model is None or model.quantization not in {None, variant}:
            remedy = "it goes with an alias that names no quantization of its own"
            raise ConfigError(field="--variant", value=variant, remedy=remedy)
        model = replace(model, quantization=variant)
    if model is not None and model.quantization is not None:
        return catalog.resolve(f"{model.alias}:{model.quantization}")
    words = named if isinstance(named, str) else named.alias
    try:
        choice = resolve(
            words,
            catalog=catalog,
            hardware=detect_hardware(),
            is_installed=store.holds,
        )
    except BudgetTooSmallError as error:
        if words not in catalog:
            raise
        # It may be meant for another machine.
        say(f"No file of this model fits this machine's memory: {error}")
        return catalog.resolve(words)
    entry = choice.entry
    if words not in catalog or entry != catalog.resolve(words):
        say(f"{entry.reference} suits this machine; --variant takes another file")
    return entry


def _reference(text: str) -> CatalogReference | FileReference | None:
    """Read a reference; a relative path is one of the current folder; `None` for other words."""
    is_local = (text.startswith(("./", "../", "~/")) or text.lower().endswith(".gguf")) and (
        ":" not in text
    )
    if is_local:
        return parse_reference(str(Path(text).expanduser().absolute()))
    if " " in text.strip() and ":" not in text and not text.startswith("/"):
        return None
    return parse_reference(text)


def _shown(tools: PullTools, stack: ExitStack) -> Callable[[PullProgress], None]:
    if tools.events is not None:
        return tools.events.show
    return PullBar(console=tools.console, stack=stack).show


def _announce(entry: CatalogEntry, path: Path, *, was_there: bool, tools: PullTools) -> None:
    size_bytes = path.stat().st_size
    if tools.events is not None:
        tools.events.done(reference=entry.reference, path=str(path), size_bytes=size_bytes)
        return
    is_in_place = tools.store.root not in path.parents
    ready = "is used where it lies" if is_in_place else "is ready"
    verb = "is already there" if was_there else ready
    text = f"{entry.reference} {verb} ({size_bytes / 1e6:,.0f} MB, {path})"
    tools.console.print(foreign(text), soft_wrap=True)
