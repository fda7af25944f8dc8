"""Parse a command line that starts a training: configuration file, overrides and launcher.

Nothing is executed. `lerobot-train`, `python -m lerobot.scripts.lerobot_train`, `accelerate launch … lerobot-train`,
`torchrun …` and LightningCLI's `… fit --config FILE` are read, with line continuations, quotes and variables in front.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from getiaction_cli.recipe import Recipe, read
from getiaction_cli.recipe.layout import FEATURE_SECTIONS
from getiaction_cli.recipe.nodes import MAX_DEPTH
from getiaction_cli.recipe.writing import write

_LEROBOT = re.compile(r"(?:^|[/\s(])lerobot[-_]train(?:\.py)?\)?$|(?:^|/|\.)scripts[./](?:lerobot_)?train(?:\.py)?$")
_CLI = re.compile(r"(?:^|/)(?:getiaction|physicalai|cli|main|train)(?:\.(?:py|cli|__main__))?$")
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
# Shell operators that end a command.
_END = re.compile(r"^(?:&&?|\|\|?|;|[12&]?>>?.*|<.*)$")
_LAUNCHERS = ("accelerate", "torchrun", "launch", "torch.distributed.run", "torch.distributed.launch")


@dataclass(frozen=True, slots=True)
class TrainingCommand:
    """A parsed command line.

    Args:
        config: the configuration file; empty without one.
        overrides: dotted keys and YAML texts, in the order of the command. Options of the launcher are below `launch`,
            environment variables below `environment`.
        lerobot: whether it is lerobot-train; otherwise it is a LightningCLI.
    """

    config: str
    overrides: tuple[tuple[str, str], ...]
    lerobot: bool


def split(text: str) -> list[str]:
    """Split the first command of a text, such as a shell script, that starts a training.

    Raises:
        ValueError: a quote is never closed.
    """
    lines = re.sub(r"[\\^`]\r?\n", " ", text).splitlines()
    found = [line for line in lines if not line.lstrip().startswith("#") and is_command(line.split())]
    return shlex.split(found[0].strip().lstrip("!$% "), comments=True) if found else []


def is_command(words: Sequence[str]) -> bool:
    """Whether one of the words is a program that trains."""
    return _program(words) is not None


def _program(words: Sequence[str]) -> tuple[int, bool] | None:
    """The position of the program that trains, and whether it is lerobot-train."""
    for index, word in enumerate(words):
        if word.startswith("-"):
            continue
        if _LEROBOT.search(word):
            return index, True
        if _CLI.search(word) and words[index + 1 : index + 2] == ["fit"]:
            return index + 1, False
    return None


def parse(words: Sequence[str]) -> TrainingCommand | None:
    """Parse a command line; None if it does not start a known training program."""
    found = _program(words)
    if found is None:
        return None
    place, lerobot = found
    before, after = list(words[:place]), list(words[place + 1 :])
    end = next((index for index, word in enumerate(after) if _END.match(word)), len(after))
    overrides: list[tuple[str, str]] = []
    for word in before:
        if match := _VARIABLE.fullmatch(word):
            overrides.append((f"environment.{match[1]}", json.dumps(match[2])))
    if any(word.rpartition("/")[2] in _LAUNCHERS for word in before):
        options = [(key.replace("-", "_"), value) for key, value in _options(before)]
        overrides += [(f"launch.{key}", value) for key, value in options if key not in ("m", "module")]
    config = ""
    for key, value in _options(after[:end]):
        if key in ("config_path", "config", "c"):
            config = value
        else:
            overrides.append((key, value))
    return TrainingCommand(config, tuple(overrides), lerobot)


def _options(words: Sequence[str]) -> list[tuple[str, str]]:
    """Parse `--key=value`, `--key value` and `--flag`, whose value is true."""
    found: list[tuple[str, str]] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if not word.startswith("-"):
            continue
        key, equals, value = word.lstrip("-").partition("=")
        if not equals and index < len(words) and not words[index].startswith("--"):
            value, equals = words[index], "="
            index += 1
        found.append((key, value if equals else "true"))
    return found


def with_arguments(recipe: Recipe, overrides: Sequence[tuple[str, str]]) -> Recipe:
    """Apply command line arguments to a configuration of lerobot-train; later ones override earlier ones."""
    values = recipe.plain()
    for dotted, text in overrides:
        section: Any = values
        keys = dotted.split(".", MAX_DEPTH)  # deeper ones are refused when the result is read
        if keys[0] in FEATURE_SECTIONS:
            keys = [keys[0], ".".join(keys[1:])] if keys[1:] else keys
        for key in keys[:-1]:
            if not isinstance(section.get(key), dict):
                section[key] = {}
            section = section[key]
        given = read(dotted, text=f"value: {text}")
        section[keys[-1]] = text if given.findings else given.get("value")
    return read(recipe.file, text=write(values))
