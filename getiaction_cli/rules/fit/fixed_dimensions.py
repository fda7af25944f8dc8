"""Policy parameters that contradict the robot's dimensions.

## What it finds

A policy whose parameters say how wide the robot is, and a dataset that says otherwise: `action_dim` and `proprio_dim`
of FastWAM, the action space of X-VLA (`action_mode`), `used_action_channel_ids` of LingBot-VA.

## Why it matters

FastWAM and LingBot-VA stop with a shape error. X-VLA doesn't: it cuts off the joints that its action space has no
room for, or pads with zeros, and trains a robot that is not yours.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    torch_dtype: float32
    action_dim: 14
    proprio_dim: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.FastWAM
  init_args:
    torch_dtype: float32
    action_dim: 14
    proprio_dim: 14
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/aloha_sim_transfer_cube_human
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import ACTION, Fit
from getiaction_cli.diagnostics import Change, Finding, Related
from getiaction_cli.policies.networks import action_spaces
from getiaction_cli.rules import rule


@rule("GA321", dataset="aloha", breaks=("dimensions",))
def fixed_dimensions(fit: Fit) -> Iterator[Finding]:
    """Compare the widths that parameters state with the dataset's."""
    for name, key, width, fix in _stated(fit):
        feature = fit.dataset.features.get(key)
        if feature is None or len(feature.shape) != 1 or feature.shape[0] == width:
            continue
        at = fit.recipe.param_route(name)
        yield Finding(
            f"{name} {fit.policy.get(name)!r} means {width} numbers, but `{key}` has {feature.shape[0]}",
            at=at,
            related=(Related(f"{feature.shape[0]} numbers", file="meta/info.json", key=f"features.{key}.shape"),),
            fix=Change(f"set {name} to {fix or feature.shape[0]}", set=((at, fix or feature.shape[0]),))
            if fix != []
            else None,
        )


def _stated(fit: Fit) -> Iterator[tuple[str, str, int, str | list[int] | None]]:
    """Yield (parameter, feature, its width, the corrected value: None for the feature's width, [] for no fix)."""
    policy = fit.policy
    for name, key in fit.facts.exact_widths.items():
        yield name, key, policy.get(name), None
    if spaces := fit.facts.action_spaces:
        name = spaces["parameter"]
        if width := action_spaces(spaces["file"]).get(str(policy.get(name)).lower()):
            yield name, ACTION, width, "auto"
    if channels := fit.facts.action_channels:
        action = fit.dataset.features.get(ACTION)
        width = action.shape[0] if action and len(action.shape) == 1 else 0
        first = list(range(width)) if width <= policy.get(channels["of"]) else []
        yield channels["used"], ACTION, len(policy.get(channels["used"], ())), first
