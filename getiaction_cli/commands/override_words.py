"""Splits a command line into overrides of the recipe and options of the command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperOption

from getiaction_cli.errors import UsageError
from getiaction_cli.short_forms import SHORT_FORMS, ShortForm, route_of

if TYPE_CHECKING:
    from collections.abc import Collection

_OVERRIDE = re.compile(r"--(?P<name>[A-Za-z_][\w-]*(?:\.[\w/-]+)*\+?)(?:=(?P<value>.*))?", re.DOTALL)
_OPTION = re.compile(r"--|-[A-Za-z]$")
_BARE = re.compile(r"[A-Za-z_]\w*(\.\w+)+=")
LATEST = "latest"
RECIPE_SUFFIXES = (".yaml", ".yml")


class CommandWithOverrides(TyperCommand):
    """Takes overrides (`--trainer.max_steps 20`, `--steps 20`) out of the words before typer looks at the rest.

    So every other unknown option stays a usage error with a suggestion, and `--resume` may be without a value. The
    short forms are options of the command as well, for its help, for completion and for suggestions.
    """

    takes_overrides: tuple[str, ...] = ("model", "data", "trainer")  # for completion
    short_forms: tuple[ShortForm, ...] = SHORT_FORMS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for short in self.short_forms:
            self.params.append(
                TyperOption(
                    param_decls=[f"--{name}" for name in short.names],
                    metavar=short.metavar,
                    help=short.help,
                    expose_value=False,
                )
            )

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Split the arguments; ``ctx.obj`` gets the overrides."""
        rest, ctx.obj = split_overrides(args, short=bool(self.short_forms))
        rest = with_values(rest, {name for param in self.params for name in param.opts})
        for word in rest:
            if _BARE.match(word) and not Path(word).exists():
                raise UsageError(f"{word} is neither a file nor an option", f"an override begins with dashes: --{word}")
        return super().parse_args(ctx, rest)


def split_overrides(words: list[str], *, short: bool = True) -> tuple[list[str], tuple[tuple[str, str], ...]]:
    """Split a command line into its other words and its overrides.

    Args:
        words: the command line.
        short: short forms (`--steps`) are overrides, too.

    Returns:
        The words that are not overrides, and the overrides as (word without dashes, YAML text).

    Raises:
        UsageError: an override without a value.
    """
    rest: list[str] = []
    overrides: list[tuple[str, str]] = []
    words = list(words)
    while words:
        word = words.pop(0)
        if word == "--":
            return [*rest, word, *words], tuple(overrides)
        match = _OVERRIDE.fullmatch(word)
        name = match["name"] if match else ""
        if match is None or not ("." in name or (short and route_of(name))):
            rest.append(word)
            continue
        following = words[0] if words else None
        if match["value"] is not None:
            overrides.append((name, match["value"]))
        elif (following is None or _is_no_value(following)) and _may_be_true(name):
            overrides.append((name, "true"))
        elif following is not None and not following.startswith("--"):
            overrides.append((name, words.pop(0)))
        else:
            raise UsageError(f"{word} has no value", f"write {word} VALUE or {word}=VALUE")
    return rest, tuple(overrides)


def _is_no_value(word: str) -> bool:
    """True for an argument that is not the value of a boolean option: an option, a recipe, or the id of a dataset."""
    from getiaction_cli import shipped

    return (
        bool(_OPTION.match(word)) or word.endswith(RECIPE_SUFFIXES) or "/" in word or shipped.path_of(word) is not None
    )


def _may_be_true(name: str) -> bool:
    """True for a boolean key, which needs no value, such as `--trainer.fast_dev_run`."""
    from getiaction_cli import policies
    from getiaction_cli.recipe.layout import DATAMODULE, WRAPPER
    from getiaction_cli.recipe.signatures import read_signature

    section, _, key = (route_of(name) or name).partition(".")
    key = key.removeprefix("init_args.").removeprefix("config_kwargs.")
    home = {"trainer": "lightning.Trainer", "data": DATAMODULE, "model": WRAPPER}.get(section)
    signature = read_signature(home) if home else None
    if signature and key in signature.parameters:
        return signature.parameters[key].type.has("bool")
    fields = (policies.load(policy).fields.get(key) for policy in (policies.names() if section == "model" else ()))
    return any(field is not None and isinstance(field.default, bool) for field in fields)


def with_values(words: list[str], own: Collection[str] = ()) -> list[str]:
    """Join options with their values: `--resume` without one is the latest run, `--slurm` has no options of sbatch.

    Args:
        words: the command line without its overrides.
        own: the options of the command; one of them behind `--slurm` is not an option of sbatch.
    """
    done: list[str] = []
    words = list(words)
    while words:
        word = words.pop(0)
        following = words[0] if words else "-"
        if word == "--resume" and (following.startswith("-") or following.endswith(RECIPE_SUFFIXES)):
            word = f"--resume={LATEST}"
        elif word == "--slurm":
            name = re.split(r"[\s=]", following)[0]
            is_own = name.startswith("--") and name in own and not re.search(r"\s-", following)
            sbatch = following.startswith("-") and re.search(r"[\s=]", following) and not is_own
            word = f"--slurm={words.pop(0) if sbatch else ''}"
        elif word == "--array" and words:
            word = f"--array={words.pop(0)}"
        done.append(word)
    if sum(word.startswith("--array=") for word in done) > 1:
        raise UsageError(
            "--array can be given once: one override differs between the tasks",
            "submit an array for each value of the other override: --array seed=1-5 --steps=1000, then --steps=2000",
        )
    return done
