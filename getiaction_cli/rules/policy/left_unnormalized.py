"""A kind of feature that the recipe's normalization leaves out.

## What it finds

A `normalization_mapping` without one of the kinds of features that the policy normalizes by default: `VISUAL` (the
cameras), `STATE`, `ACTION` or `ENV`.

## Why it matters

The mapping replaces the policy's own as a whole. What it leaves out reaches the network in the robot's raw numbers,
degrees or pixels, and is learned badly or not at all; nothing says so. Where that is meant, write `IDENTITY`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    normalization_mapping:
      ACTION: MIN_MAX
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    normalization_mapping:
      ACTION: MIN_MAX
      STATE: MEAN_STD
      VISUAL: MEAN_STD
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.unknown_keys import is_stray
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.policies import PolicyConfig, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

_NAME = "normalization_mapping"


@rule("GA246", severity=Severity.WARNING, dataset="pusht")
def left_unnormalized(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Hold the recipe's mapping against the policy's own, for the features that are there."""
    field = policy.policy.config_class.__dataclass_fields__.get(_NAME)
    route = recipe.param_route(_NAME)
    written = recipe.get(route)
    if field is None or not isinstance(written, dict) or any(is_stray(recipe, f"{route}.{kind}") for kind in written):
        return  # a kind of another name may be the one that is missing
    own = plain(field.default_factory())
    features = {**policy.input_features, **policy.output_features}
    there = {kind: [key for key, feature in features.items() if feature.type.value == kind] for kind in own}
    left = [kind for kind in own if kind not in policy.normalization and own[kind] != "IDENTITY" and there[kind]]
    if not left:
        return
    modes = ", ".join(f"{kind}: {own[kind]}" for kind in left)
    yield Finding(
        f"`{_NAME}` leaves out {' and '.join(left)}: "
        + ", ".join(f"`{key}`" for kind in left for key in there[kind])
        + " would not be normalized",
        at=route,
        help="where that is meant, write IDENTITY",
        fix=Change(
            f"add {modes}, as {policy.policy.class_name} has it", set=tuple((f"{route}.{k}", own[k]) for k in left)
        ),
    )
