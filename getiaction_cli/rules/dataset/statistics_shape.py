"""The shape of the statistics differs from the feature's.

## What it finds
A feature whose statistics have more or fewer numbers than the feature has dimensions (cameras: than it has channels).

## Why it matters
Normalizing stops with a broadcast error at the first batch; with a single number it is spread over all dimensions,
silently. It happens when features are edited by hand, or when datasets of different robots are merged.

## Example
```json
{"action": {"mean": [0.1], "std": [1.0], "min": [-1], "max": [1], "count": [66]}}
```
for an action of shape `[2]`.

## Instead
```console
getiaction inspect-dataset FOLDER --deep --write-stats
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.datasets.features import KNOWN_DTYPES
from getiaction_cli.diagnostics import Finding, Related
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count, recompute

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule("GA434", dataset="stats-short", cause=("columns",))
def statistics_shape(dataset: Dataset) -> Iterator[Finding]:
    """Compare the lengths with the shapes."""
    for key, entry in (dataset.stats or {}).items():
        feature = dataset.features.get(key)
        if feature is None or not feature.shape or feature.dtype not in KNOWN_DTYPES:
            continue
        if feature.is_camera and (len(feature.shape) != 3 or not feature.channels or feature.channels > 4):
            continue  # the shape itself is wrong, which another rule reports
        sizes = {name: values.size for name, values in entry.items() if name != "count"}
        # For a feature with rows and columns, LeRobot stores one statistic per column.
        right = {feature.size} if feature.is_camera else {feature.size, feature.shape[-1]}
        wrong = {name: size for name, size in sizes.items() if size not in right}
        if wrong:
            name, size = next(iter(wrong.items()))
            unit = "channels" if feature.is_camera else "dimensions"
            yield Finding(
                f"{name} of {key} has {count(size, 'number')}, the feature has {feature.size} {unit}",
                file=dataset.stats_source,
                key=f"{key}.{name}",
                related=(Related("the shape", file="meta/info.json", key=f"features.{key}.shape"),),
                help=recompute(dataset),
                features=(key,),
                statistics=tuple(wrong),
            )
