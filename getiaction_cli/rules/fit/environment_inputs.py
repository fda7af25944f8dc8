"""An environment without an input of the policy.

## What it finds

An input of the policy (a camera, the state, an environment state) that the environment of the `evaluation` section does
not provide.

## Why it matters

Every rollout fails at its first step, after the training up to there. A policy acts on what it was trained on.

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
evaluation:
  env:
    type: pusht
    obs_type: environment_state_agent_pos
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
evaluation:
  env:
    type: pusht
```
"""

from __future__ import annotations

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit, listed
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.environments import Simulation
from getiaction_cli.rules import rule

_ROUTE = "evaluation.env"
# Policies for several cameras pad these themselves.
_FILLED = "observation.images.empty_camera"


@rule("GA346", dataset="pusht", cause=("environment", "chosen features"))
def environment_inputs(fit: Fit, simulation: Simulation) -> Iterator[Finding]:
    """Look up each input of the policy in the observations of the environment."""
    missing = _missing(fit, simulation)
    if not missing:
        return
    provided = [key for key, each in simulation.provides.items() if each.kind != "ACTION"]
    fix = None
    for word in simulation.environment.observation_types:
        other = simulation.with_value("obs_type", word)
        if other is not None and not _missing(fit, other):
            fix = Change(f"use obs_type: {word}", set=((f"{_ROUTE}.obs_type", word),))
            break
    name = "obs_type" if fit.recipe.has(f"{_ROUTE}.obs_type") else "type"
    yield Finding(
        f"the policy reads {listed(missing)}, which the environment {simulation.environment.name} does not provide",
        at=f"{_ROUTE}.{name}",
        label=f"provides {listed(provided)}",
        help="" if fix else "choose the policy's inputs (`model.init_args.input_features`) or another environment",
        fix=fix,
    )


def _missing(fit: Fit, simulation: Simulation) -> list[str]:
    renames = fit.recipe.get("model.init_args.rename_map")
    renames = renames if isinstance(renames, dict) else {}
    provided = {renames.get(key, key) for key in simulation.provides}
    inputs = [key for key in fit.policy.input_features if not key.startswith(_FILLED)]
    return [key for key in inputs if renames.get(key, key) not in provided]
