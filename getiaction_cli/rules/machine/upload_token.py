"""A policy that this machine can't upload.

## What it finds

`push_to_hub: true` on a machine without a Hugging Face token, or with HF_HUB_OFFLINE set.

## Why it matters

The policy is uploaded after the last step. Before the first one, training asks the Hub whether the token may write to
that repository, and stops where it may not.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    push_to_hub: true
    repo_id: me/act-pusht
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
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

import shlex
from collections.abc import Iterator

from getiaction.spec.publishing import upload_of
from getiaction_cli.diagnostics import Finding
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA164", cause=("upload",), stops=True)
def upload_token(recipe: Recipe, machine: Machine) -> Iterator[Finding]:
    """Look for a token and a network."""
    upload = upload_of(recipe.params())
    if upload is None or recipe.trainer("fast_dev_run"):
        return
    at = recipe.param_route("push_to_hub")
    later = f"leave push_to_hub out and upload later: `getiaction push RUN {shlex.quote(upload.repo_id)}`"
    if machine.offline:
        yield Finding(
            "HF_HUB_OFFLINE is set, so that the policy can't be uploaded", at=at, help=f"unset it, or {later}"
        )
    elif not machine.hub_token:
        yield Finding(
            "there is no Hugging Face token on this machine to upload with", at=at, help=f"`hf auth login`, or {later}"
        )
