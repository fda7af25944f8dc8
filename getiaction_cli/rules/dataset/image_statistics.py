"""The statistics of a camera are not for pictures between 0 and 1.

## What it finds
A colour camera whose `max` or `mean` is above 1: computed from pixels of 0 to 255.

## Why it matters
Policies get pictures between 0 and 1. Normalized with statistics of 0 to 255 every picture is the same dark grey to
the policy: it trains blind, silently. (With `use_imagenet_stats: true`, the default, these numbers are not used.)

## Example
```json
{"observation.images.top": {"mean": [[[120.0]], [[118.0]], [[110.0]]], "max": [[[255.0]], [[255.0]], [[255.0]]]}}
```

## Instead
```json
{"observation.images.top": {"mean": [[[0.47]], [[0.46]], [[0.43]]], "max": [[[1.0]], [[1.0]], [[1.0]]]}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA437", severity=Severity.WARNING, dataset="image-stats-255", cause=("statistics",))
def image_statistics(dataset: Dataset) -> Iterator[Finding]:
    """Look for image statistics outside 0 to 1."""
    for feature in dataset.by_role("image"):
        if feature.channels is None:
            continue  # not an image: another rule reports it
        entry = (dataset.stats or {}).get(feature.key, {})
        large = [name for name in ("mean", "max") if name in entry and (entry[name] > 1.5).any()]
        if large:
            yield Finding(
                f"{large[0]} of {feature.key} is {entry[large[0]].max():.4g}: "
                "statistics of pixels from 0 to 255, not 0 to 1",
                file=dataset.stats_source,
                key=f"{feature.key}.{large[0]}",
                help=recompute(dataset),
                features=(feature.key,),
            )
