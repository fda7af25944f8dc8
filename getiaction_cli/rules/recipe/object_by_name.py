"""A class by its bare name.

## What it finds

A word where `model`, `data`, `trainer.callbacks`, `trainer.logger` or `image_transforms` takes a section with a
`class_path`.

## Why it matters

Training stops before its first step: a recipe names every object by its class path, so that its arguments have a
place.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  callbacks: [LearningRateMonitor]
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  callbacks: [{class_path: lightning.pytorch.callbacks.LearningRateMonitor}]
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.class_objects import class_called, required_arguments
from getiaction_cli.analysis.class_paths import intended_by
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import IMAGE_TRANSFORMS, OBJECT_HOMES
from getiaction_cli.rules import rule

_EXAMPLES = {"callbacks": "EarlyStopping", "logger": "CSVLogger", "plugins": "MixedPrecision"}


@rule("GA145", stops=True)
def object_by_name(recipe: Recipe) -> Iterator[Finding]:
    """Report names in place of sections."""
    for name in _EXAMPLES:
        home = OBJECT_HOMES[name]
        value = recipe.trainer(name)
        entries = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, entry in entries:
            if not isinstance(entry, str) or (not entry and name == "plugins"):  # an empty list
                continue
            at = f"trainer.{name}" if index is None else f"trainer.{name}.{index}"
            class_path = class_called(name, entry)
            needed = required_arguments(class_path)
            example = f"{{class_path: {class_path}, init_args: {{{', '.join(f'{key}: …' for key in needed)}}}}}"
            help = f"for example `class_path: {home}.{_EXAMPLES[name]}`" if not class_path else ""
            safe = entry.rpartition(".")[2].lower() in (own := class_path.rpartition(".")[2].lower(), own[: -len(name)])
            yield Finding(
                f"`{entry[:60]}` must be a section with a `class_path`, as `{name}` takes it",
                at=at,
                fix=Change(f"name {class_path}", set=((at, {"class_path": class_path}),), safe=safe)
                if class_path and not needed
                else None,
                help=f"write `{example}`" if needed else help,
            )
    for route in ("model", "data", IMAGE_TRANSFORMS):
        if isinstance(word := recipe.get(route), str) and word:
            yield _section(route, word)


def _section(route: str, word: str) -> Finding:
    """Report a name in place of the policy, the data module or a transform."""
    found = intended_by(route, word)
    class_path = found.meant if found else word
    sets = [(f"{where}", value) for where, value in (found.also if found else ())]
    section: dict[str, object] = {"class_path": class_path}
    if sets:
        section["init_args"] = {where.rpartition(".")[2]: value for where, value in sets}
    refused = f"; {found.message}" if found and not class_path else ""
    return Finding(
        f"`{route.rpartition('.')[2]}` takes a section with a `class_path`, not the name `{word[:60]}`{refused}",
        at=route,
        fix=Change(f"name {class_path}", set=((route, section),), safe=not found or found.certain)
        if class_path
        else None,
        help=found.help if found and not class_path else "",
    )
