"""Episodes that are too short to give a sample.

## What it finds

A policy that leaves out the last frames of each episode (`drop_n_last_frames`), and episodes that have no more than
that.

## Why it matters

Such an episode is skipped, with a line in a log. When all are, training stops: `No valid frames remain`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.Diffusion
  init_args:
    horizon: 16
    n_action_steps: 8
    drop_n_last_frames: 40
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
    drop_n_last_frames: 7
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._shorter import a_quarter, configured, shortened, shorter


@rule(
    "GA325",
    dataset="pusht",
    cause=("samples",),
    breaks=("samples",),
    stops=True,
    help="lower `drop_n_last_frames`, or train on longer episodes",
)
def no_sample_left(fit: Fit) -> Iterator[Finding]:
    """Compare each episode's length with the number of frames that are left out at its end."""
    drop, lengths = fit.dropped, fit.lengths
    short = int((lengths <= drop).sum())
    if drop <= 0 or not short:
        return
    ahead = "horizon" if fit.policy.get("horizon") is not None else "chunk_size"
    at = fit.recipe.param_route("drop_n_last_frames")
    stated = fit.recipe.has(at)
    if not stated:
        at = fit.recipe.param_route(ahead)
    # Some policies derive this number from their horizon.
    changed = {} if stated else shorter(fit, ahead, a_quarter(fit))
    after = configured(fit, changed) if changed else None
    everything = short == len(lengths)
    which = "every episode" if everything else f"{short} of {len(lengths)} episodes"
    yield Finding(
        f"{fit.policy.policy.class_name} leaves out the last {drop} frames of each episode; that is all of {which} "
        f"({drop / fit.fps:g} s; the longest has {int(lengths.max()) / fit.fps:g} s)",
        at=at,
        label="no sample is left" if everything else "these episodes give no sample",
        related=(Related(f"{fit.fps:g} frames per second", file="meta/info.json", key="fps"),),
        fix=shortened(fit, ahead, a_quarter(fit))
        if after and after.drop_n_last_frames * fit.frames_apart != drop
        else None,
        severity=None if everything else Severity.WARNING,
    )
