"""Relative actions with statistics of absolute actions.

## What it finds

`use_relative_actions: true` with statistics of `action` that are those of the actions as they were recorded.

## Why it matters

The policy then learns each action as its distance from the state, and normalizes it by the range of the recorded
positions: it silently trains with a normalization for another distribution. LeRobot computes the right statistics with
`lerobot-edit-dataset`. GR00T computes them itself when training starts.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0  # getiaction: ignore[GA504]
  init_args:
    chunk_size: 8
    n_action_steps: 8
    use_relative_actions: true
    pretrained_path: lerobot/pi0_base
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/toy
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.PI0  # getiaction: ignore[GA504]
  init_args:
    chunk_size: 8
    n_action_steps: 8
    pretrained_path: lerobot/pi0_base
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/toy
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import ACTION, STATE, Fit
from getiaction_cli.datasets.dataset import STATS
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule

_RELATIVE = "use_relative_actions"


@rule("GA356", dataset="toy", cause=("meta/", "statistics", "complete statistics"))
def relative_actions(fit: Fit) -> Iterator[Finding]:
    """Compare the statistics of the dataset with those of the episodes, which describe the recorded actions."""
    if not fit.policy.get(_RELATIVE) or fit.policy.normalization.get("ACTION") in (None, "IDENTITY"):
        return
    if fit.facts.computes_relative_statistics:
        return
    if not any(_converted(fit)) or STATE not in fit.dataset.features or not _are_absolute(fit):
        return
    chunk = fit.policy.get("chunk_size")
    kept = fit.policy.get("relative_exclude_joints") or []
    where = fit.dataset.root
    command = (
        f"lerobot-edit-dataset --repo_id {fit.dataset.repo_id} --root {where} --new_root {where} --operation.type "
        f"recompute_stats --operation.relative_action true --operation.chunk_size {chunk} "
        f'--operation.relative_exclude_joints "{kept}" --operation.overwrite true'
    )
    yield Finding(
        f"`{_RELATIVE}` normalizes distances from the state by the statistics of the recorded actions",
        at=fit.recipe.param_route(_RELATIVE),
        related=(Related("of the recorded actions", file=fit.dataset.stats_source, key=ACTION),),
        help=f"{command} computes those of relative actions (other policies can't use them)",
    )


def _converted(fit: Fit) -> list[bool]:
    """Return for each dimension of the action whether LeRobot converts it (relative_action_processor.py)."""
    feature = fit.dataset.features[ACTION]
    kept = [str(name).lower() for name in fit.policy.get("relative_exclude_joints") or [] if name]
    names = [feature.dimension(i).lower() for i in range(feature.size)] if feature.names else [""] * feature.size
    return [not (name and any(joint in name for joint in kept)) for name in names]


def _are_absolute(fit: Fit) -> bool:
    """True if the dataset's statistics describe the recorded actions."""
    entry = (fit.dataset.stats or {}).get(ACTION, {})
    if fit.dataset.stats_source != STATS or not {"min", "max", "mean"} <= entry.keys():
        return bool(entry)  # older formats only have these
    sums = fit.dataset.episodes.sums.get(ACTION)
    if sums is not None and sums.min.size == entry["min"].size:
        span = np.maximum(sums.max - sums.min, 1e-9)
        low, high = (np.abs(entry[name].reshape(-1) - getattr(sums, name)) / span for name in ("min", "max"))
        return bool((low < 0.01).all() and (high < 0.01).all())
    frames = int(fit.dataset.episodes.length.sum())
    return "count" not in entry or int(entry["count"].flat[0]) == frames
