"""A required key is missing.

## What it finds

A recipe without `model` or `data`, a section without its `class_path`, a data module with neither `repo_id` nor `root`,
a `LeRobotPolicy` without `policy_name`, a callback without a required argument.

## Why it matters

Training can't begin. Where there is only one possible value, the fix writes it.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 10
    n_action_steps: 10
data:
  init_args:
    repo_id: lerobot/pusht
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
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.class_objects import object_routes
from getiaction_cli.analysis.recipe_schema import sections
from getiaction_cli.analysis.unknown_keys import foreign_sections, policy_of, strays
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import DATAMODULE, IMAGE_TRANSFORMS, POLICY_HOME, WRAPPER
from getiaction_cli.rules import rule

_EXAMPLES = {
    "model": f"model:\n  class_path: {POLICY_HOME}.ACT",
    "data": f"data:\n  class_path: {DATAMODULE}\n  init_args:\n    repo_id: …",
    "model.class_path": f"name a policy class, as {POLICY_HOME}.ACT",
    "model.init_args.policy_name": "name a policy, as act; `getiaction list-policies` shows all",
    "data.init_args.repo_id": "name a dataset, as lerobot/pusht, or its folder as `root`",
}
_OBJECT = "name its class, as lightning.pytorch.callbacks.ModelCheckpoint, and put its arguments under `init_args`"


@rule("GA114", cause=("recipe",), stops=True)
def missing_key(recipe: Recipe) -> Iterator[Finding]:
    """Report missing keys that are required."""
    if foreign_sections(recipe):
        return
    meant = {stray.target for kind in ("renamed", "misplaced") for stray in strays(recipe, kind)}
    misspelt = {stray.section.at(name) for stray in strays(recipe, "unknown") for name in stray.near[:1]}
    elsewhere = meant | misspelt
    for route, owner in _missing(recipe):
        parts = route.split(".")
        if any(".".join(parts[:end]) in elsewhere for end in range(1, len(parts) + 1)):
            continue  # it, or its section, exists under another name
        home, _, name = route.rpartition(".")
        yield Finding(
            f"{owner} has no `{name}`" if home else f"the recipe has no `{name}` section",
            at=route,
            on="key",
            help=_EXAMPLES.get(route) or _help(home, name),
            fix=_fix(recipe, route),
        )


def _missing(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield the paths of missing keys, each with the name of its section."""
    unread = any(code == "GA101" for code, _ in recipe.findings)  # a section may be in the part that was not read
    objects = dict.fromkeys(object_routes(recipe))
    for section in sections(recipe, policy_of(recipe)):
        if unread and not section.route:
            continue
        for name, key in section.keys.items():
            if key.required and not recipe.has(section.at(name)) and section.route not in objects:
                place = f"`{section.route}`"
                yield (
                    section.at(name),
                    section.name if section.route.startswith(("trainer.", IMAGE_TRANSFORMS)) else place,
                )
    for route in objects:
        if not recipe.has(f"{route}.class_path"):
            yield f"{route}.class_path", f"`{route}`"


def _help(section: str, key: str) -> str:
    if key == "class_path" and section.startswith(IMAGE_TRANSFORMS):
        return "name its class, as torchvision.transforms.v2.ColorJitter, and put its arguments under `init_args`"
    return _OBJECT if key == "class_path" and section.startswith("trainer.") else ""


def _fix(recipe: Recipe, route: str) -> Change | None:
    if route == "data.class_path":
        return Change(f"set it to {DATAMODULE}", set=((route, DATAMODULE),), safe=True)
    if route == "model.class_path" and recipe.has("model.init_args.policy_name"):
        return Change(f"set it to {WRAPPER}", set=((route, WRAPPER),), safe=True)
    return None
