"""A kind of feature that the recipe's normalization leaves out.

## What it finds

A `normalization_mapping` without one of the kinds of features that the policy normalizes by default: `VISUAL` (the
cameras), `STATE`, `ACTION` or `ENV`. Also an `observation.environment_state` with large values that the policy leaves
as they are: the mappings of LeRobot's ACT and Diffusion have no `ENV`.

## Why it matters

The mapping replaces the policy's own as a whole. The network gets the raw values of what it leaves out, in degrees or
pixels, and learns from them badly or not at all, without a warning. If this is intended, write `IDENTITY`.

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

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.analysis.unknown_keys import is_stray
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.policies import PolicyConfig, plain
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset

_NAME = "normalization_mapping"
_ENV = "ENV"
_LARGE = 10.0  # normalized values are in the order of 1


@rule("GA246", severity=Severity.WARNING, dataset="pusht")
def left_unnormalized(recipe: Recipe, policy: PolicyConfig, dataset: Dataset) -> Iterator[Finding]:
    """Compare the recipe's mapping with the policy's default for the features of the dataset."""
    field = policy.policy.config_class.__dataclass_fields__.get(_NAME)
    route = recipe.param_route(_NAME)
    written = recipe.get(route)
    if field is None or not isinstance(written, dict | None):
        return
    if written and any(is_stray(recipe, f"{route}.{kind}") for kind in written):
        return  # an unknown key may be a misspelled one
    own = plain(field.default_factory())
    features = {**policy.input_features, **policy.output_features}
    there = {kind: [key for key, feature in features.items() if feature.type.value == kind] for kind in own}
    left = [kind for kind in own if kind not in policy.normalization and own[kind] != "IDENTITY" and there[kind]]
    yield from _environment_state(policy, dataset, route, own if written is None else written)
    if not left or written is None:
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


def _environment_state(
    policy: PolicyConfig, dataset: Dataset, route: str, mapping: dict[str, str]
) -> Iterator[Finding]:
    """Report an environment state without normalization whose values are much larger than normalized ones."""
    if _ENV in policy.normalization:
        return
    for key, feature in policy.input_features.items():
        if feature.type.value != _ENV:
            continue
        found = (dataset.stats or {}).get(key, {})
        sizes = [np.abs(found[name]).max() for name in ("mean", "std") if name in found and np.size(found[name])]
        if sizes and max(sizes) > _LARGE:
            mode = mapping.get("STATE", "MEAN_STD")
            yield Finding(
                f"`{key}` would not be normalized: the `{_NAME}` of {policy.policy.class_name} has no {_ENV}, and the "
                f"mean or the standard deviation of its values is {max(sizes):,.4g}",
                at=route,
                help="where that is meant, write ENV: IDENTITY",
                fix=Change(f"add ENV: {mode}", set=((route, {**mapping, _ENV: mode}),)),
            )
