"""`smallhold approvals`: this file holds its commands with their arguments."""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - each command imports what it needs, so that `--help` stays fast

import getpass
import json
import sys
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias, cast

import typer

from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.state_options import StateOption, TenantOption, with_state
from smallhold.cli.terminal import result_console, write_json
from smallhold.exceptions import ConfigError

if TYPE_CHECKING:
    from smallhold.messages import JsonObject
    from smallhold.state import State
    from smallhold.state.approvals import Approval

approvals_app = typer.Typer(help="Calls that wait for a person's yes.", no_args_is_help=True)
FROM_STDIN: Final = "-"

IdArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="A request's id, as `approvals list` gives it.")
]
ByOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Who decides.", show_default="the user's name"),
]
CommentOption: TypeAlias = Annotated[
    str | None, typer.Option("--comment", metavar="TEXT", help="Kept with the decision.")
]
HashOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--hash",
        metavar="HASH",
        help="Hash of the arguments that were looked at, as `approvals show` gives it; "
        "a request for other arguments is then refused.",
    ),
]


@approvals_app.command("list")
@shows_failures
def list_approvals(
    *,
    session: Annotated[str | None, typer.Option(help="Only this session's.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were decided or have expired.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="With --all: the latest so many.")] = 100,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """List what waits, the oldest first."""
    from smallhold.cli.approval_views import approval_json, approvals_table

    async def read(opened: "State") -> "tuple[Approval, ...]":
        if everything:
            return await opened.approvals.history(session=session, limit=limit)
        return await opened.approvals.pending(session)

    found = with_state(state, read, tenant=tenant)
    if as_json:
        write_json([approval_json(approval) for approval in found])
    else:
        result_console().print(approvals_table(found))


@approvals_app.command("show")
@shows_failures
def show_approval(
    approval_id: IdArgument,
    *,
    state: StateOption = None,
    tenant: TenantOption = "default",
    as_json: JsonOption = False,
) -> None:
    """Show a request with everything that a decision is about."""
    found = with_state(state, lambda opened: opened.approvals.get(approval_id), tenant=tenant)
    _show(found, as_json=as_json)


@approvals_app.command("approve")
@shows_failures
def approve(
    approval_id: IdArgument,
    *,
    by: ByOption = None,
    comment: CommentOption = None,
    arguments_hash: HashOption = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Say yes: the call may run as it was asked for."""

    async def decide(opened: "State") -> "Approval":
        return await opened.approvals.approve(
            approval_id, by=_name(by), comment=comment, arguments_hash=arguments_hash
        )

    _show(with_state(state, decide, tenant=tenant))


@approvals_app.command("deny")
@shows_failures
def deny(
    approval_id: IdArgument,
    *,
    by: ByOption = None,
    comment: CommentOption = None,
    arguments_hash: HashOption = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Say no: the call will not run, and the agent is told the comment."""

    async def decide(opened: "State") -> "Approval":
        return await opened.approvals.deny(
            approval_id, by=_name(by), comment=comment, arguments_hash=arguments_hash
        )

    _show(with_state(state, decide, tenant=tenant))


@approvals_app.command("edit")
@shows_failures
def edit(
    approval_id: IdArgument,
    arguments: Annotated[
        str, typer.Argument(metavar="JSON", help="All arguments as one object; - reads stdin.")
    ],
    *,
    by: ByOption = None,
    arguments_hash: HashOption = None,
    state: StateOption = None,
    tenant: TenantOption = "default",
) -> None:
    """Say yes to the call with other arguments."""
    text = sys.stdin.read() if arguments == FROM_STDIN else arguments
    edited = _json_object(text)

    async def decide(opened: "State") -> "Approval":
        return await opened.approvals.edit(
            approval_id, edited, by=_name(by), arguments_hash=arguments_hash
        )

    _show(with_state(state, decide, tenant=tenant))


def _show(approval: "Approval", *, as_json: bool = False) -> None:
    from smallhold.cli.approval_views import approval_json, approval_view

    if as_json:
        write_json(approval_json(approval))
    else:
        result_console().print(approval_view(approval), soft_wrap=True)


def _name(by: str | None) -> str:
    """Say who decides: whoever is named, else whoever is logged in."""
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise ConfigError(field="--by", value="", remedy="say who decides") from error


def _json_object(text: str) -> "JsonObject":
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ConfigError(field="JSON", value=text[:80], remedy=f"mend it: {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(field="JSON", value=text[:80], remedy="give one object, in braces")
    return cast("JsonObject", value)
