"""A value that is not one of the allowed words.

## What it finds

A value of a setting that takes one of a few words: the trainer's accelerator, strategy and precision, a
policy's device, the video backend, and every setting whose type lists its values.

## Why it matters

It is refused when training starts, or later: an unknown video backend fails at the first batch.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    video_backend: pyavv
trainer:
  max_steps: 100
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    video_backend: pyav
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from getiaction_cli.analysis.choices import CHOICES, LIKELY, SYNONYMS
from getiaction_cli.analysis.recipe_schema import sections
from getiaction_cli.analysis.spelling import closest, same_letters
from getiaction_cli.analysis.type_errors import mistaken
from getiaction_cli.analysis.unknown_keys import policy_of
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

# Lightning knows 28 strategies.
_MAX_WORDS, _SOME_WORDS = 12, 6
# LeRobot still accepts these, with a deprecation warning.
_STILL_READ = {("video_backend", "video_reader")}


@rule("GA121", in_itself=True)
def unknown_value(recipe: Recipe) -> Iterator[Finding]:
    """Report values that are not among the choices of their key."""
    for section in sections(recipe, policy_of(recipe)):
        for name in recipe.keys(section.route):
            route = section.at(name)
            value = recipe.get(route)
            key = section.keys.get(name)
            allowed = _allowed(section.route, name, key.type.choices if key else ())
            if not isinstance(value, str) or not allowed or _fits(name, value, allowed):
                continue
            if key is not None and key.type.choices and key.complaint is not None and key.complaint(value) is None:
                continue
            if key is not None and not key.type.choices and route in mistaken(recipe):
                continue
            words = list(dict.fromkeys(map(str, allowed)))
            word = (name, value.lower())
            meant = SYNONYMS.get(word) or LIKELY.get(word)
            near = (meant,) if meant else closest(value, words)
            named = ["true", "false", *words] if key is not None and key.type.has("bool") else words
            shown = ", ".join(named if len(named) <= _MAX_WORDS else [*named[:_SOME_WORDS], "…"])
            shown = f"a number, a list of numbers or {shown}" if name == "devices" else f"one of {shown}"
            same = bool(near) and (word in SYNONYMS or same_letters(value, near[0]))
            yield Finding(
                f"`{name}` is {shown}; `{value[:60]}` is none of them",
                at=route,
                label=f"did you mean `{near[0]}`?" if near else "",
                fix=Change(f"set it to {near[0]}", set=((route, near[0]),), safe=same) if near else None,
                severity=Severity.WARNING if (name, value) in _STILL_READ else None,
            )


def _allowed(section: str, name: str, declared: tuple[Any, ...]) -> tuple[Any, ...]:
    section = "model.init_args" if section == "model.init_args.config_kwargs" else section
    return CHOICES.get((section, name), declared)


def _fits(name: str, value: str, allowed: tuple[Any, ...]) -> bool:
    if name == "devices":  # "2", "-1", "0, 1"
        return value == "auto" or bool(re.fullmatch(r"\s*-?\d+\s*(,\s*\d+\s*)*,?\s*", value))
    if name == "strategy":  # Lightning ignores the case
        value = value.lower()
    if name in ("device", "accelerator"):  # cuda:1 names one of several
        value = value.partition(":")[0]
    return value in map(str, allowed)
