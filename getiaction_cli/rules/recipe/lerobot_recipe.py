"""A recipe for lerobot-train.

## What it finds

The sections of LeRobot's own configuration files (`policy:`, `dataset:`, `wandb:` …) instead of `model:` and
`data:`.

## Why it matters

`getiaction train` reads another layout: a class path and its arguments for the policy and for the data, and
Lightning's trainer. The fix rewrites what has a counterpart; read it before you take it.

## Example

```yaml
dataset:
  repo_id: lerobot/pusht
policy:
  type: act
  chunk_size: 10
  n_action_steps: 10
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.LeRobotPolicy
  init_args:
    policy_name: act
    config_kwargs:
      chunk_size: 10
      n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from getiaction_cli import policies
from getiaction_cli.analysis.foreign_evaluation import foreign_evaluation
from getiaction_cli.analysis.renamed_keys import RENAMED, WITHOUT_EFFECT, counterpart
from getiaction_cli.analysis.unknown_keys import foreign_sections, parameters_of
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.policies import NOT_PARAMETERS
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.layout import DATAMODULE, WRAPPER
from getiaction_cli.recipe.signatures import read_signature
from getiaction_cli.rules import rule

_WHERE = {
    "policy": "`policy:` becomes `model:` with a class_path and init_args",
    "dataset": "`dataset:` becomes `data:` with a class_path and init_args",
    "env": "`env:` becomes `evaluation.env`",
    "eval": "`eval:` becomes `evaluation`: n_episodes is episodes",
}


# LeRobot's defaults of keys that have no counterpart here: removed without a note.
_LEROBOTS = {"repo_type": "dataset", "return_uint8": True, "depth_output_unit": "m"}


@rule("GA116", stops=True)
def lerobot_recipe(recipe: Recipe) -> Iterator[Finding]:
    """Sections of LeRobot's own layout."""
    foreign = foreign_sections(recipe)
    if not foreign:
        return
    yield Finding(
        "this is a configuration for `lerobot-train`, which is laid out differently",
        at=foreign[0],
        on="key",
        help="; ".join(dict.fromkeys(_WHERE.get(name) or f"for `{name}:`, {RENAMED['', name][1]}" for name in foreign)),
        fix=_rewritten(recipe, foreign),
    )


def _rewritten(recipe: Recipe, foreign: list[str]) -> Change | None:
    policy, dataset = recipe.get("policy"), recipe.get("dataset")
    if not isinstance(policy, dict) or not isinstance(dataset, dict) or not isinstance(policy.get("type"), str):
        return None
    if policy["type"] not in policies.names():
        return None
    known = parameters_of(policy["type"])
    model: dict[str, Any] = {"policy_name": policy["type"]}
    if path := policy.get("path") or policy.get("pretrained_path"):
        model["pretrained_path"] = path
    own = {"type", "path", "pretrained_path", *NOT_PARAMETERS, *WITHOUT_EFFECT}
    # What neither side has a place for comes along, and is reported there.
    kwargs = {name: value for name, value in policy.items() if name in known or (name not in own and value)}
    kwargs.pop("pretrained_path", None)
    if kwargs:
        model["config_kwargs"] = kwargs
    signature = read_signature(DATAMODULE)
    taken = signature.parameters if signature else {}
    data: dict[str, Any] = {}
    for name, value in dataset.items():
        target, _ = RENAMED.get(("data.init_args", name), (None, ""))
        if name in taken or target:
            data[name if name in taken else str(target).rpartition(".")[2]] = value
        elif value and value != _LEROBOTS.get(name):
            data[name] = value
    rollouts = foreign_evaluation(recipe)
    evaluation = rollouts.section if rollouts else None
    sections: tuple[tuple[str, Any], ...] = (
        ("model", {"class_path": WRAPPER, "init_args": model}),
        ("data", {"class_path": DATAMODULE, "init_args": data}),
    )
    if evaluation is not None and not recipe.has("evaluation"):
        sections += (("evaluation", evaluation),)
    logger = counterpart("", "wandb", recipe.get("wandb"))
    if "trainer.logger" in logger and not recipe.has("trainer.logger"):
        sections += tuple(logger.items())
    # LeRobot writes the policy's own optimizer into its configurations; another one is reported by itself.
    other = ("optimizer", "scheduler") if recipe.get("use_policy_training_preset") is False else ()
    gone = tuple(name for name in foreign if not recipe.has(f"trainer.{name}") and name not in other)
    if rollouts and evaluation is not None:
        gone = (*gone, *(route for route in rollouts.routes if route not in gone and "." not in route))
    return Change("lay it out as a recipe", set=sections, remove=gone)
