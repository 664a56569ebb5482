"""The command line as typer reads it: help, errors, and all that `declared` does not read."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from wfgen import __version__
from wfgen.cli.commands import COMMANDS, GROUPS, module_of
from wfgen.cli.console import echo
from wfgen.cli.declared import Option, parameters
from wfgen.errors import WfgenError


def application(named: str | None) -> typer.Typer:
    """The commands, without the module of any but the one that is named.

    Where one is named, it has no other commands: each costs time.
    """
    app = typer.Typer(
        name="wfgen",
        help="Generates GitHub Actions delivery pipelines from one short spec per service.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root_options)
    groups: dict[str, typer.Typer] = {}
    for name in [named] if named else COMMANDS:
        *above, command = name.split()
        for group in set(above) - set(groups):
            groups[group] = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
            app.add_typer(groups[group], name=group, help=GROUPS[group])
        add = groups[above[0]].command if above else app.command
        if named:
            module = module_of(name)
            add(command, help=module.__doc__)(_typed(module.run))
        else:
            add(command, help=COMMANDS[name])(_not_imported)
    return app


def _typed(run: Callable[..., int]) -> Callable[..., int]:
    """The function with typer's declarations in its signature."""

    def call(**values: Any) -> int:
        return run(**values)

    signature = inspect.signature(run)
    typed = []
    for name, (kind, parameter) in parameters(run).items():
        declare = typer.Option if isinstance(parameter, Option) else typer.Argument
        annotation = Annotated[kind, declare(*parameter.names, **parameter.settings)]  # type: ignore[valid-type]
        typed.append(signature.parameters[name].replace(annotation=annotation))
    call.__signature__ = signature.replace(parameters=typed)  # type: ignore[attr-defined]
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in typed}
    return call


def _not_imported() -> None:
    raise WfgenError("expected the command as the first argument")


def _root_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        echo(f"wfgen {__version__}")
        raise typer.Exit
