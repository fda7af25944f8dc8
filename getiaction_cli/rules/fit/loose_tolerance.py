"""A tolerance of half a frame or more.

## What it finds

`tolerance_s` of half a frame or more.

## Why it matters

The tolerance is how far a decoded frame may lie from the moment that was asked for. From half a frame on, a neighbour
is as good: videos that have drifted against their actions train silently, one or more frames off. It is usually
raised to silence an error about exactly such videos.

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
    tolerance_s: 0.05
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
    tolerance_s: 0.01
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import DEFAULT_TOLERANCE, Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Severity
from getiaction_cli.rules import rule

_ROUTE = "data.init_args.tolerance_s"


@rule("GA331", severity=Severity.WARNING, dataset="pusht")
def loose_tolerance(fit: Fit) -> Iterator[Finding]:
    """Compare the tolerance with half a frame."""
    if fit.tolerance * fit.fps >= 0.5:
        yield Finding(
            f"tolerance_s {fit.tolerance:g} is {fit.tolerance * fit.fps:.2g} frames at {fit.fps:g} fps: "
            "a neighbouring frame is taken silently",
            at=_ROUTE,
            related=(Related(f"{fit.fps:g} frames per second", file="meta/info.json", key="fps"),),
            help="`getiaction inspect-dataset --deep` says which videos have drifted",
            fix=Change(f"set tolerance_s to its default, {DEFAULT_TOLERANCE:g}", set=((_ROUTE, DEFAULT_TOLERANCE),)),
        )
