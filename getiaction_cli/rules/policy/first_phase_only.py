"""A run that ends in VQ-BeT's first phase.

## What it finds

The run ends before `n_vqvae_training_steps` batches (20000 by default) have been trained.

## Why it matters

VQ-BeT trains in two phases: first an autoencoder that turns actions into tokens, then the policy that predicts them.
A run that ends in the first phase has a falling loss and leaves a policy that was never trained at all.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 5000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: [84, 84]
    n_vqvae_training_steps: 1000
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 5000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import fit
from getiaction_cli.datasets.dataset import Dataset
from getiaction_cli.diagnostics import Finding, Related, Unavailable
from getiaction_cli.errors import CliError
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values


@rule("GA221", dataset="pusht")
def first_phase_only(
    recipe: Recipe, policy: PolicyConfig, dataset_or_reason: Dataset | CliError | Unavailable
) -> Iterator[Finding]:
    """Compare the batches of the run with those of the first phase."""
    name = policy.facts.first_phase
    if not name or recipe.get("model.init_args.pretrained_path") or recipe.trainer("fast_dev_run"):
        return
    batches, where = _batches(recipe, policy, dataset_or_reason)
    first = policy.get(name)
    if batches is None or batches > first:
        return
    values = Values(recipe, policy.policy)
    at = values.at(name) if values.is_set(name) else where
    yield Finding(
        f"the run ends after {batches} batches, still in {policy.policy.title}'s first phase ({values.quoted(name)}): "
        "its autoencoder is trained, the policy itself is not",
        at=at,
        related=(Related(f"{batches} batches", at=where),) if at != where else (),
        fix=values.set_to(name, max(1, batches // 5), why="a fifth of the run, as in LeRobot's own recipe for PushT")
        if batches > 1
        else None,
    )


def _batches(recipe: Recipe, policy: PolicyConfig, dataset: Dataset | CliError | Unavailable) -> tuple[int | None, str]:
    """Return the maximum number of training batches, and the setting that limits it; None if unknown."""
    ends: list[tuple[int, str]] = []
    accumulated = recipe.trainer("accumulate_grad_batches", 1)
    steps, epochs = recipe.trainer("max_steps"), recipe.trainer("max_epochs")
    if isinstance(steps, int) and steps > 0:
        ends.append((steps * (accumulated if isinstance(accumulated, int) else 1), "trainer.max_steps"))
    if isinstance(epochs, int) and epochs > 0 and isinstance(dataset, Dataset):
        limit = recipe.trainer("limit_train_batches")
        per_epoch = fit(recipe, dataset, policy).batches_per_epoch
        if isinstance(limit, int) and not isinstance(limit, bool):
            per_epoch = min(per_epoch, limit)
        ends.append((epochs * per_epoch, "trainer.max_epochs"))
    return min(ends, default=(None, ""))
