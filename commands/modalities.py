"""Options of `render` that modalities declare, as typer takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Annotated, Any

import typer

from ..renderers.modality import Modality, Option
from ..renderers.registry import BUILT_IN, find_modality, list_modalities

Command = Callable[..., None]


def parse_modalities(text: str) -> list[str]:
    """The names in "notes,retina"."""
    return [name.strip() for name in text.split(",")]


def offer_options(command: Command, modalities: Sequence[Modality]) -> Command:
    """`command` with the options that the modalities declare. Its keyword `typed` gets what was typed, by flag.

    Where several declare one flag, it is offered once, as the first declares it; each parses it for itself.
    """
    offered: dict[str, Option] = {}
    owners: dict[str, list[str]] = {}
    for modality in modalities:
        for option in modality.options:
            offered.setdefault(option.word, option)
            owners.setdefault(option.word, []).append(modality.name)

    @wraps(command)
    def wrapper(**arguments: Any) -> None:
        texts = {option.flag: arguments.pop(word) for word, option in offered.items()}
        command(**arguments, typed={flag: text for flag, text in texts.items() if text not in (None, [], ())})

    own = inspect.signature(command, eval_str=True).parameters
    declared = [_describe(option, owners[word]) for word, option in offered.items()]
    parameters = [*(parameter for name, parameter in own.items() if name != "typed"), *declared]
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return wrapper


def _describe(option: Option, owners: Sequence[str]) -> inspect.Parameter:
    """An option as typer reads it from a signature."""
    kind: Any = list[str] | None if option.repeatable else str | None
    told = typer.Option(
        option.flag, help=option.help, metavar=option.metavar, rich_help_panel=f"Options of {' and '.join(owners)}"
    )
    return inspect.Parameter(
        option.word, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, told]
    )


def find_modalities(arguments: Sequence[str] = ()) -> list[Modality]:
    """The built-in modalities, and those of other packages that the arguments of a command name."""
    named: list[str] = []
    for place, argument in enumerate(arguments):
        flag, equals, text = argument.partition("=")
        if flag == "--modality":
            named += parse_modalities(text if equals else "".join(arguments[place + 1 : place + 2]))
    others = [name for name in dict.fromkeys(named) if name not in BUILT_IN]
    known = list_modalities() if others else []  # a search of what is installed, which costs a moment
    return [find_modality(name) for name in (*BUILT_IN, *(name for name in others if name in known))]
