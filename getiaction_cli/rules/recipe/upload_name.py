"""A policy that can't be uploaded under its name.

## What it finds

`push_to_hub: true` without a `repo_id`, or with one that the Hugging Face Hub does not accept as a name.

## Why it matters

The policy is uploaded after the last step. Hours of training would end with a refusal.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    push_to_hub: true
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

Upload later: `getiaction push RUN me/act-pusht`.
"""

from collections.abc import Iterator

from getiaction.spec.publishing import name_problem, upload_of
from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA163", breaks=("upload",), stops=True)
def upload_name(recipe: Recipe) -> Iterator[Finding]:
    """Check the name of the repository."""
    upload = upload_of(recipe.params())
    if upload is None:
        return
    at = recipe.param_route("repo_id" if upload.repo_id else "push_to_hub")
    if not upload.repo_id:
        yield Finding(
            "`push_to_hub: true` needs the `repo_id` to upload to", at=at, help="repo_id: user/name beside it"
        )
    elif wrong := name_problem(upload.repo_id):
        yield Finding(f"`{upload.repo_id}`: {wrong}", at=at)
