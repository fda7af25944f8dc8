"""Cameras that the pretrained policy does not have.

## What it finds

Cameras of the dataset, after `rename_map`, that are not those that the checkpoint was trained with.

## Why it matters

LeRobot stops with `Feature mismatch` after the weights were loaded. With any `rename_map` it doesn't look: then ACT
and diffusion stop at the first batch, and SmolVLA and the pi0 family see blank pictures, or don't see a camera,
silently.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/square
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    pretrained_path: me/act-pusht
    rename_map:
      observation.images.top: observation.image
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/square
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator
from difflib import SequenceMatcher

from getiaction_cli.analysis.checkpoint import ROUTE, Checkpoint
from getiaction_cli.analysis.recipe_on_dataset import Fit, listed
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._cameras import in_batch

_RENAMES = "model.init_args.rename_map"


@rule("GA342", cause=("checkpoint", "checkpoint policy", "chosen features"), breaks=("checkpoint cameras",))
def checkpoint_cameras(fit: Fit, checkpoint: Checkpoint) -> Iterator[Finding]:
    """Compare the sets of cameras."""
    known = [key for key, (kind, _) in checkpoint.features("input_features").items() if kind == "VISUAL"]
    renames = fit.recipe.get(_RENAMES) or {}
    if not known or not isinstance(renames, dict):
        return
    cameras = in_batch(fit)
    there = {name: key for key in fit.readable if (name := renames.get(key, key)) in cameras}
    missing = [key for key in known if key not in there]
    extra = [key for key in there if key not in known]
    if not missing:
        if extra and not fit.recipe.has("model.init_args.input_features"):
            yield Finding(
                f"{checkpoint.path} was trained without {listed(extra)}: the policy doesn't look at it",
                at=ROUTE,
                severity=Severity.INFO,
                breaks=(),
            )
        return
    alone = fit.facts.needs_every_camera or len(missing) == len(known) or (bool(extra) and not renames)
    colour = [key for key in extra if cameras[key].shape[0] == 3]
    pairs = {there[new]: old for old, new in _pairs(missing, colour)}
    yield Finding(
        f"{checkpoint.path} was trained with {listed(known)}, and {fit.dataset.repo_id} has "
        f"{listed(list(there.values())) or 'no camera'}" + ("" if alone else f"; {listed(missing)} will be blank"),
        at=_RENAMES if renames else ROUTE,
        help="rename_map says which camera of the dataset is which camera of the checkpoint" if extra else "",
        fix=Change(
            "rename " + ", ".join(f"{old} to {new}" for old, new in pairs.items()),
            set=((_RENAMES, {**renames, **pairs}),),
        )
        if pairs
        else None,
        # There is no camera left to rename: a robot with fewer cameras, which these policies support.
        severity=None if alone else Severity.WARNING if extra else Severity.INFO,
        breaks=None if alone else (),
    )


def _pairs(missing: list[str], extra: list[str]) -> Iterator[tuple[str, str]]:
    """Pair each missing camera with the remaining camera that has the most similar name."""
    left = list(extra)
    for key in missing:
        if left:
            best = max(left, key=lambda other: SequenceMatcher(None, key, other).ratio())
            left.remove(best)
            yield key, best
