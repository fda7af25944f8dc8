"""Targets that are mostly padding.

## What it finds

A horizon or chunk that is so long against the episodes that more than half of all action targets extend past an
episode's end.

## Why it matters

Behind the end the last action is repeated. ACT leaves such targets out of its loss, so most of what it predicts is
hardly trained; diffusion and VQ-BeT learn from them that the robot stands still.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 100
    n_action_steps: 100
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
    chunk_size: 20
    n_action_steps: 20
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import ACTION, TIMING, Fit, ordinal
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._shorter import a_quarter, shortened

_HALF = 0.5


@rule("GA326", severity=Severity.WARNING, dataset="pusht", cause=("samples",))
def padded_targets(fit: Fit) -> Iterator[Finding]:
    """Compute the share of padding."""
    steps = fit.window(ACTION)
    if not fit.policy.action_delta_indices or not len(fit.lengths) or fit.padded < _HALF:
        return
    written = [name for name in TIMING if fit.policy.get(name) is not None and name != "n_obs_steps"]
    name = next((n for n in written if fit.recipe.has(fit.recipe.param_route(n))), written[0] if written else "")
    median = float(np.median(fit.lengths))
    default = "" if not name or fit.recipe.has(fit.recipe.param_route(name)) else ", its default"
    every = f" at every {ordinal(fit.stride)} frame" if fit.stride > 1 else ""
    ahead = (
        f"{fit.policy.policy.class_name} looks {steps[-1] / fit.fps:g} s ahead "
        f"({name} {fit.policy.get(name)}{default}{every})"
    )
    shorter = a_quarter(fit)
    yield Finding(
        f"{fit.padded:.0%} of the action targets extend past the end of an episode: {ahead}, and half of the episodes "
        f"are no longer than {median / fit.fps:g} s",
        at=fit.recipe.param_route(name),
        related=(Related(f"{fit.fps:g} frames per second", file="meta/info.json", key="fps"),),
        help=f"a {name} of {shorter} or less pads about an eighth"
        if fit.stride < median
        else f"a stride of {fit.stride} frames is longer than half of the episodes",
        # If the stride is longer than the episodes, no chunk is short enough.
        fix=shortened(fit, name, shorter) if fit.stride < median else None,
    )
