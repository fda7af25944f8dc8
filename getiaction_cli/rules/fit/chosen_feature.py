"""A chosen feature that is not there.

## What it finds

A key in `input_features` or `output_features` that the dataset doesn't have, or that a policy can't read or predict.

## Why it matters

The policy would be built without it. Nothing says so: it trains on less than you chose.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    input_features: [observation.images.top, observation.state]
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

from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule
from getiaction_cli.rules.fitting import INPUTS, OUTPUTS, Fit, listed


@rule("GA306", dataset="pusht")
def chosen_feature(fit: Fit) -> Iterator[Finding]:
    """Look up each chosen feature among those that a policy can have."""
    for route, there, verb in ((INPUTS, fit.readable, "read"), (OUTPUTS, fit.writable, "predict")):
        said = fit.recipe.get(route)
        if said in ([], {}):
            yield Finding(
                f"an empty {'section' if said == {} else 'list'} leaves the policy nothing to {verb}",
                at=route,
                fix=Change(f"remove it: the policy may {verb} everything", remove=(route,)),
            )
        for i, key in enumerate(said if isinstance(said, list) else []):
            if not isinstance(key, str) or key in there:
                continue
            close = get_close_matches(key, there, 1)
            known = key in fit.dataset.features
            yield Finding(
                f"`{key}` is nothing that a policy can {verb}" if known else f"{fit.dataset.repo_id} has no `{key}`",
                at=f"{route}.{i}",
                label=f"did you mean `{close[0]}`?" if close else "",
                help=f"it has {listed(list(there))}" if there else "",
                fix=Change(f"write {close[0]}", set=((f"{route}.{i}", close[0]),)) if close and not known else None,
            )
