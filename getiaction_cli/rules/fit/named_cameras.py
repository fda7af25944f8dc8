"""Camera names of the policy that the dataset doesn't have.

## What it finds

- `obs_cam_keys` of LingBot-VA and `image_keys` of MolmoAct2, where they name a camera that the dataset, after
  `rename_map`, doesn't have. LingBot-VA looks for LIBERO's cameras by default.
- FastWAM on cameras whose names don't begin with `observation.images.`: it sees no others.

## Why it matters

Training stops at the first batch, after gigabytes of weights were loaded: `KeyError: 'observation.images.image'`, or
``FastWAM batch must contain `video` or `observation.images.*` keys``. A FastWAM that finds some of its cameras trains
without the others.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.MolmoAct2
  init_args:
    chunk_size: 8
    n_action_steps: 8
    inference_action_mode: continuous
    image_keys: [observation.images.front]
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
  class_path: getiaction.policies.lerobot.MolmoAct2
  init_args:
    chunk_size: 8
    n_action_steps: 8
    inference_action_mode: continuous
    image_keys: [observation.image]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit, listed
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._cameras import in_batch


@rule("GA305", dataset="pusht", cause=("chosen features", "camera"))
def named_cameras(fit: Fit) -> Iterator[Finding]:
    """Look up the cameras that the policy names in the batch."""
    if prefix := fit.facts.camera_prefix:
        yield from _prefixed(fit, prefix)
        return
    name = fit.facts.camera_names
    there = in_batch(fit)
    missing = [key for key in fit.policy.get(name) or () if key not in there] if name else []
    if not missing or not there:
        return
    at = fit.recipe.param_route(name)
    default = "" if fit.recipe.has(at) else ", its default,"
    colour = [key for key, feature in there.items() if feature.shape[0] == 3]
    yield Finding(
        f"{name}{default} names {listed(missing)}, and {fit.dataset.repo_id} has {listed(list(there))}",
        at=at,
        fix=Change(f"set {name} to {listed(colour)}", set=((at, colour),)) if colour else None,
    )


def _prefixed(fit: Fit, prefix: str) -> Iterator[Finding]:
    unseen = [
        key
        for key, feature in fit.readable.items()
        if feature.type.value == "VISUAL" and not fit.renames.get(key, key).startswith(prefix)
    ]
    if unseen:
        yield Finding(
            f"{fit.policy.policy.class_name} reads only cameras whose names begin with {prefix}, and not "
            f"{listed(unseen)}",
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
            related=tuple(Related("its name", file="meta/info.json", key=f"features.{key}") for key in unseen[:1]),
            help="rename the camera in the dataset; or start from a pretrained_path, with a rename_map",
        )
