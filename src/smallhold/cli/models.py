"""What can be done with models on disk: this file holds the commands `models`.

What a command does stands in a file of its own, which is imported when the command runs.
"""

# No `from __future__ import annotations`: Typer reads these annotations at run time.
# ruff: noqa: PLC0415 - see above: each command imports what it needs

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from smallhold.cli.adopting import adopt_models
from smallhold.cli.carrying import export_to_archive, import_from_archive
from smallhold.cli.failures import shows_failures
from smallhold.cli.options import JsonOption
from smallhold.cli.quantizing import quantize_model
from smallhold.cli.recommending import recommend_models
from smallhold.cli.storing import (
    clean_store,
    pin_models,
    remove_models,
    unpin_models,
    verify_models,
)
from smallhold.cli.terminal import foreign, result_console, write_json

UseCaseWord: TypeAlias = Literal[
    "lightweight-routing", "general-conversation", "complex-reasoning", "code-assistance"
]
CategoryWord: TypeAlias = Literal["ultra-light", "balanced", "code-specialist", "high-capability"]
ReferenceArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="ALIAS[:VARIANT]", help="A model of `smallhold models list`, or one file of it."
    ),
]

models_app = typer.Typer(help="The models that Smallhold knows by alias.", no_args_is_help=True)
models_app.command("recommend")(recommend_models)
models_app.command("adopt")(adopt_models)
models_app.command("export")(export_to_archive)
models_app.command("import")(import_from_archive)
models_app.command("quantize")(quantize_model)
models_app.command("verify")(verify_models)
models_app.command("gc")(clean_store)
models_app.command("pin")(pin_models)
models_app.command("unpin")(unpin_models)
models_app.command("remove")(remove_models)


@models_app.command("list")
@shows_failures
def list_models(
    *,
    use_case: Annotated[
        UseCaseWord | None, typer.Option(help="Only models that are good for this.")
    ] = None,
    category: Annotated[
        CategoryWord | None, typer.Option(help="Only models of this category.")
    ] = None,
    installed: Annotated[
        bool, typer.Option("--installed", help="Only models that are on this machine.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List the models of the catalog."""
    from smallhold.cli.model_listing import Filter, known_models, models_table
    from smallhold.models import Category, UseCase

    wanted = Filter(
        use_case=None if use_case is None else UseCase(use_case),
        category=None if category is None else Category(category),
        installed_only=installed,
    )
    models = known_models(wanted)
    if as_json:
        write_json([model.to_dict() for model in models])
    else:
        result_console().print(models_table(models))


@models_app.command("show")
@shows_failures
def show_model(model: ReferenceArgument, *, as_json: JsonOption = False) -> None:
    """Show what is known of one model and of each of its files."""
    from smallhold.cli.model_listing import known_model, model_table

    known = known_model(model)
    if as_json:
        write_json(known.to_dict())
    else:
        result_console().print(model_table(known))


@models_app.command("keygen")
@shows_failures
def make_key(
    file: Annotated[Path, typer.Argument(help="A new file for the key that signs.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a key that signs models. Keep the file secret; the public half is shown."""
    from smallhold.cli.catalog_signing import write_key

    public = write_key(file)
    if as_json:
        write_json({"file": str(file), "key_id": public.key_id, "public_key": public.text})
    else:
        result_console().print(f"SMALLHOLD_CATALOG_KEYS={public.text}", soft_wrap=True)


@models_app.command("sign")
@shows_failures
def sign(
    aliases: Annotated[
        list[str] | None, typer.Argument(metavar="[ALIAS]...", help="All models when left out.")
    ] = None,
    *,
    key: Annotated[Path, typer.Option(help="The file that `models keygen` made.")],
    output: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Catalog file for the signatures.",
            show_default="the file of your own models",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Sign models, and write the signatures into a catalog file."""
    from smallhold.cli.catalog_signing import sign_models
    from smallhold.settings import load_settings

    file, signed = sign_models(aliases or (), key_file=key, output=output, settings=load_settings())
    if as_json:
        write_json({"file": str(file), "signed": [*signed]})
    else:
        result_console().print(foreign(f"Signed in {file}: {', '.join(signed)}."))


@models_app.command("verify-catalog")
@shows_failures
def verify_catalog(
    file: Annotated[
        Path | None,
        typer.Argument(help="A catalog file.", show_default="the file of your own models"),
    ] = None,
    *,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PUBLIC_KEY",
            help="A key that counts; again for another.",
            show_default="SMALLHOLD_CATALOG_KEYS",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check the signature of each model. Exit code 0: each is signed by a key that counts."""
    from smallhold.cli.catalog_signing import verdicts, verdicts_table
    from smallhold.cli.exit_codes import ExitCode
    from smallhold.settings import load_settings

    judged = verdicts(file, keys=key or (), settings=load_settings())
    if as_json:
        write_json([verdict.to_dict() for verdict in judged])
    else:
        result_console().print(verdicts_table(judged))
    all_valid = all(verdict.refusal is None for verdict in judged)
    raise typer.Exit(ExitCode.OK if all_valid else ExitCode.FAILED)
