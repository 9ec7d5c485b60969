"""`smallhold outbox`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.state_options import StateOption, TenantOption, with_state
from smallhold.cli.terminal import result_console, write_json

if TYPE_CHECKING:
    from smallhold.state.outbox import OutboxItem

outbox_app = typer.Typer(help="Effects that wait for a network.", no_args_is_help=True)

IdArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="An effect's id, as `outbox list` gives it.")
]
StatusWord: TypeAlias = Literal["waiting", "sent", "rejected", "dropped"]


@outbox_app.command("list")
@shows_failures
def list_effects(
    *,
    session: Annotated[str | None, typer.Option(help="Only this session's.")] = None,
    status: Annotated[StatusWord | None, typer.Option(help="Only those that stand so.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """List effects, the oldest first."""
    from smallhold.cli.outbox_views import effect_json, effects_table
    from smallhold.state.outbox import OutboxStatus

    chosen = None if status is None else OutboxStatus(status)
    found = with_state(
        state,
        lambda opened: opened.outbox.list(session=session, status=chosen, limit=limit),
        tenant=tenant,
    )
    if as_json:
        write_json([effect_json(item) for item in found])
    else:
        result_console().print(effects_table(found))


@outbox_app.command("show")
@shows_failures
def show_effect(
    effect_id: IdArgument,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show an effect with its body and why it has not been sent."""
    found = with_state(state, lambda opened: opened.outbox.get(effect_id), tenant=tenant)
    _show(found, as_json=as_json)


@outbox_app.command("retry")
@shows_failures
def retry_effect(
    effect_id: IdArgument,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Let an effect be sent at once, also one that was rejected."""
    found = with_state(state, lambda opened: opened.outbox.retry(effect_id), tenant=tenant)
    _show(found, as_json=as_json)


@outbox_app.command("drop")
@shows_failures
def drop_effect(
    effect_id: IdArgument,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Decide that an effect will not be sent; those behind it may go on."""
    found = with_state(state, lambda opened: opened.outbox.drop(effect_id), tenant=tenant)
    _show(found, as_json=as_json)


def _show(item: "OutboxItem", *, as_json: bool) -> None:
    from smallhold.cli.outbox_views import effect_json, effect_view

    if as_json:
        write_json(effect_json(item))
    else:
        result_console().print(effect_view(item), soft_wrap=True)
