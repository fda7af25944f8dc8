"""Read the commands and options to complete from the Typer application."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import typer

# Metavar → kind of value that the shell or `answer` can list.
KINDS = {
    "RECIPE": "recipe",
    "RECIPES": "recipe",
    "DATASET": "dataset",
    "POLICY": "policy",
    "CODES": "code",
    "RULE": "code",
    "FILE": "file",
    "FOLDER": "folder",
    "RUN": "run",
    "NAME": "shipped",
    "LOGGER": "logger",
    "TYPE": "environment",
}


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command. ``takes``: "" for a flag, a kind in `KINDS`, "text", or "words" for its ``choices``."""

    names: tuple[str, ...]
    help: str
    takes: str = ""
    choices: tuple[str, ...] = ()


# The keys of a recipe, as options of the commands that take overrides.
OVERRIDES = (
    Option(("--model.",), "the policy"),
    Option(("--data.",), "the dataset"),
    Option(("--trainer.",), "Lightning's Trainer"),
    Option(("--env.",), "fields of the simulated environment"),
)


@dataclass(frozen=True, slots=True)
class Command:
    """A command. ``takes``: the kind of its arguments; ``overrides``: whether it accepts dotted recipe keys."""

    name: str
    help: str
    options: tuple[Option, ...]
    takes: str = ""
    overrides: bool = False


def read_commands(app: typer.Typer) -> tuple[Command, list[Command]]:
    """The application's own options (as a command without name), and its commands in the order of the help."""
    group: Any = typer.main.get_command(app)
    return _command("", group), [_command(name, command) for name, command in group.commands.items()]


def _command(name: str, command: Any) -> Command:
    options, takes = [], ""
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            takes = takes or _takes(parameter)
        elif not parameter.hidden:
            names = tuple(sorted(parameter.opts + parameter.secondary_opts, key=len, reverse=True))
            options.append(Option(names, _first_sentence(parameter.help), _takes(parameter), _choices(parameter)))
    options.append(Option(("--help", "-h"), "Show this message and exit."))
    sections = getattr(command, "takes_overrides", ())
    options += [option for option in OVERRIDES if option.names[0].strip("-.") in sections]
    return Command(name, _first_sentence(command.help), tuple(options), takes, bool(sections))


def _takes(parameter: Any) -> str:
    if getattr(parameter, "is_flag", False):
        return ""
    if _choices(parameter):
        return "words"
    metavar = (parameter.metavar or "").strip("[].")
    return KINDS.get(metavar) or ("folder" if parameter.type.name == "path" else "text")


def _choices(parameter: Any) -> tuple[str, ...]:
    return tuple(str(getattr(choice, "value", choice)) for choice in getattr(parameter.type, "choices", ()))


def _first_sentence(text: str | None) -> str:
    first = " ".join((text or "").split("\n\n")[0].split())
    return first.split(". ")[0].rstrip(".")
