"""No state for a policy that needs one.

## What it finds

A policy that reads `observation.state`, and no feature of exactly that name among its inputs.

## Why it matters

The model is built with the length of the state: without one it stops with `'NoneType' object has no attribute
'shape'`, or at the first batch with a `KeyError`. LeRobot finds the state only by this name.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    input_features: [observation.image]
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
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    input_features: [observation.image, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from difflib import get_close_matches

from getiaction_cli.analysis.recipe_on_dataset import ACTION, INPUTS, STATE, Fit
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule


@rule("GA308", dataset="pusht", cause=("chosen features", "feature names"), breaks=("state",), stops=True)
def no_state(fit: Fit) -> Iterator[Finding]:
    """Look for observation.state if the policy reads it."""
    if fit.policy.state_feature is not None:
        return
    if not fit.facts.needs_state and (STATE in fit.dataset.features or not fit.facts.needs_state_in_dataset):
        return
    chosen = fit.recipe.get(INPUTS)
    name = fit.policy.policy.class_name
    if STATE in fit.readable and chosen:
        yield Finding(
            f"{name} needs `{STATE}` among its inputs",
            at=INPUTS,
            fix=Change(f"add {STATE}", set=((INPUTS, [*chosen, STATE]),)) if isinstance(chosen, list) else None,
        )
        return
    others = [key for key, feature in fit.dataset.features.items() if feature.is_vector and key != "action"]
    close = get_close_matches(STATE, others, 1, 0.5) or [key for key in others if "state" in key][:1]
    if close and ACTION not in fit.dataset.features:
        return  # another rule reports a dataset whose features all have other names
    yield Finding(
        f"{name} needs the robot's state as `{STATE}`, and {fit.dataset.repo_id} has no such feature",
        at="data.init_args.repo_id",
        label=f"`{close[0]}` is close, but LeRobot finds the state by its name only" if close else "",
        related=tuple(Related("its nearest", file="meta/info.json", key=f"features.{key}") for key in close),
        help="write it under that name, in info.json, stats.json and the tables; LeRobot has no command that renames "
        "features",
    )
