"""Booleans or integers where the policy computes with floats.

## What it finds

A `bool` or integer feature that LeRobot can't normalize as the policy asks (`normalization_mapping`), or that reaches
the network as it is:

- booleans that are normalized: LeRobot subtracts them, and torch refuses that;
- integers normalized by `MEAN_STD` or quantiles: LeRobot rounds their statistics down to whole numbers, so that a
  spread below 1 becomes 0 and the network gets values in the millions;
- booleans or integers with `IDENTITY` in a feature that the network computes with.

## Why it matters

Training stops at its first step with an error of torch, or it runs on numbers that are far from what the dataset
holds.

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
    repo_id: made/buttons
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
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/buttons
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

import numpy as np

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, Fit
from getiaction_cli.datasets.features import Feature
from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.fit._statistics import NEEDS


@rule("GA354", dataset="buttons", cause=("columns", "feature dtype", "statistics"), breaks=("number type",))
def number_type(fit: Fit) -> Iterator[Finding]:
    """Determine the dtype of each feature after LeRobot's normalization, at the input of the network."""
    for key, kind in {**fit.readable, **fit.writable}.items():
        feature = fit.dataset.features[key]
        whole = feature.dtype.startswith(("int", "uint"))
        if not fit.reads(key) or not (whole or feature.dtype == "bool"):
            continue
        mode = fit.policy.normalization.get(kind.type.value, "IDENTITY")
        normalized = mode != "IDENTITY" and bool((fit.dataset.stats or {}).get(key))
        reported = _normalized(fit, feature, mode) if normalized else _as_it_is(fit, feature)
        if reported is None:
            continue
        message, severity = reported
        unread = key in fit.unread()
        yield Finding(
            message,
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
            related=(Related(feature.dtype, file="meta/info.json", key=f"features.{key}.dtype"),),
            help="" if unread else f"store `{key}` as float32 in the dataset",
            fix=fit.without([key]) if unread else None,
            severity=severity,
            features=(key,),
        )


def _normalized(fit: Fit, feature: Feature, mode: str) -> tuple[str, Severity | None] | None:
    """Return the problem of a normalized feature, and its severity."""
    if feature.dtype == "bool":
        return f"`{feature.key}` holds booleans, and LeRobot can't normalize those by {mode}", None
    if mode == "MIN_MAX" or not fit.network_reads(feature.key):
        return None  # min and max are integers
    entry = (fit.dataset.stats or {})[feature.key]
    numbers = [entry[name].reshape(-1) for name in NEEDS.get(mode, ()) if name in entry]
    if len(numbers) != len(NEEDS.get(mode, ())) or not all(np.isfinite(n).all() for n in numbers):
        return None
    low, high = numbers
    spread, rounded = (high, np.trunc(high)) if mode == "MEAN_STD" else (high - low, np.trunc(high) - np.trunc(low))
    lost = np.nonzero((rounded == 0) & (spread > 0))[0].tolist()
    how = f"`{feature.key}` holds integers, and LeRobot rounds its statistics for {mode} down to whole numbers"
    if not lost:
        same = all((n == np.trunc(n)).all() for n in numbers)
        return None if same else (how, Severity.WARNING)
    return f"{how}: the spread of {feature.dimension(lost[0])}, {spread[lost[0]]:.3g}, becomes 0", None


def _as_it_is(fit: Fit, feature: Feature) -> tuple[str, Severity | None] | None:
    """Return the problem of a feature that is not normalized."""
    if not fit.network_reads(feature.key):
        return None
    # Concatenating integers with image features, or adding noise, converts them to floats.
    mixed = fit.facts.joins_state if feature.role == "state" else not fit.facts.layer_on_actions
    if mixed and not (feature.role == "action" and feature.dtype == "bool"):
        return None
    what = "booleans" if feature.dtype == "bool" else "integers"
    return (
        f"{fit.policy.policy.class_name} computes with `{feature.key}`, which holds {what} and is not normalized",
        None,
    )
