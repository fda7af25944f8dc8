"""A callback or logger by its bare name.

## What it finds

A word where `trainer.callbacks` or `trainer.logger` takes a section with a `class_path`.

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
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import OBJECT_HOMES
from getiaction_cli.rules import rule

_EXAMPLES = {"callbacks": "EarlyStopping", "logger": "CSVLogger", "plugins": "MixedPrecision"}


@rule("GA145", stops=True)
def object_by_name(recipe: Recipe) -> Iterator[Finding]:
    """Words in the place of sections."""
    for name in _EXAMPLES:
        home = OBJECT_HOMES[name]
        value = recipe.trainer(name)
        entries = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, entry in entries:
            if not isinstance(entry, str) or (not entry and name == "plugins"):  # an empty list of them
                continue
            at = f"trainer.{name}" if index is None else f"trainer.{name}.{index}"
            class_path = class_called(name, entry)
            needed = required_arguments(class_path)
            example = f"{{class_path: {class_path}, init_args: {{{', '.join(f'{key}: …' for key in needed)}}}}}"
            help = f"for example `class_path: {home}.{_EXAMPLES[name]}`" if not class_path else ""
            yield Finding(
                f"`{entry[:60]}` is a name; `{name}` takes a section with a `class_path`",
                at=at,
                fix=Change(f"name {class_path}", set=((at, {"class_path": class_path}),))
                if class_path and not needed
                else None,
                help=f"write `{example}`" if needed else help,
            )
