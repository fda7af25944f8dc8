"""More elites than samples.

## What it finds

TD-MPC's `n_elites` is greater than `n_gaussian_samples + n_pi_samples`.

## Why it matters

Planning keeps the best `n_elites` of all sampled plans. Training goes through; the first call of the trained policy
stops with `selected index k out of range`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    n_gaussian_samples: 32
    n_pi_samples: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/rewarded
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.TDMPC
  init_args:
    n_gaussian_samples: 32
    n_pi_samples: 8
    n_elites: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/rewarded
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.policies import PolicyConfig
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.policy._values import Values, contradiction


@rule("GA223", severity=Severity.WARNING, dataset="rewarded")
def more_elites_than_samples(recipe: Recipe, policy: PolicyConfig) -> Iterator[Finding]:
    """Count the samples."""
    if not policy.facts.picks_elites:
        return
    samples = policy.n_gaussian_samples + policy.n_pi_samples
    if policy.n_elites <= samples or samples < 1:
        return
    values = Values(recipe, policy.policy)
    yield contradiction(
        values,
        f"{values.quoted('n_elites')} are to be chosen from {samples} samples "
        f"({values.quoted('n_gaussian_samples')}, {values.quoted('n_pi_samples')}): "
        "planning stops when the policy is used",
        "n_elites",
        "n_gaussian_samples",
        "n_pi_samples",
        fix=values.set_to("n_elites", samples, safe=not values.is_set("n_elites")),
    )
