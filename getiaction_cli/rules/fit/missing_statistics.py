"""Statistics that normalization needs are missing.

## What it finds

A feature of the dataset whose statistics lack the numbers that the policy normalizes it by: `mean` and `std` for
MEAN_STD, `min` and `max` for MIN_MAX, `q01` and `q99` for QUANTILES, `q10` and `q90` for QUANTILE10.

## Why it matters

Datasets recorded or converted before LeRobot 0.4 have no quantiles, and pi05 and MolmoAct2 normalize by them:
training stops at the first batch, after a model of billions of weights was loaded. LeRobot passes a feature without
any statistics through as it is, silently.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    normalization_mapping:
      VISUAL: MEAN_STD
      STATE: QUANTILES
      ACTION: MEAN_STD
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/no-quantiles
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
    normalization_mapping:
      VISUAL: MEAN_STD
      STATE: MIN_MAX
      ACTION: MEAN_STD
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/no-quantiles
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import recompute
from getiaction_cli.rules.fit._statistics import NEEDS, normalized, statistics


@rule("GA322", dataset="no-quantiles", cause=("meta/stats", "statistics", "complete statistics"), stops=True)
def missing_statistics(fit: Fit) -> Iterator[Finding]:
    """Look up the statistics that each feature is normalized with."""
    for key, kind, mode in normalized(fit):
        there = statistics(fit, key)
        missing = [name for name in NEEDS.get(mode, ()) if name not in there]
        if not missing or (not there and not fit.network_reads(key)):
            continue  # LeRobot does not normalize a feature without any statistics
        at = fit.recipe.param_route("normalization_mapping")
        written = fit.recipe.has(f"{at}.{kind}")
        yield Finding(
            f"{fit.policy.policy.class_name} normalizes `{key}` by {mode}, and {fit.dataset.repo_id} has no "
            f"{' and '.join(missing)} of it",
            at=f"{at}.{kind}" if written else "data.init_args.repo_id",
            related=(Related("what is there", file=fit.dataset.stats_source, key=key),) if there else (),
            help=recompute(fit.dataset),
            features=(key,),
        )
