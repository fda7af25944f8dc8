"""A joint's recorded values are clipped at a limit.

## What it finds
A dimension that lies exactly at its smallest or largest value in more than a tenth of the frames (grippers, and
values with only two positions, are left out). Only with `inspect-dataset --deep`.

## Why it matters
The recorded value is not the intended one: the command was larger, and the driver or a wrong calibration clipped it.
The policy learns to push against the limit.

## Example
```text
action x = 0.800 (its largest value) in 21 % of the frames
```

## Instead
Check the calibration and the limits of the robot; it may be what you want, as for a robot that rests at its limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


_SHARE = 0.10


@rule("GA474", severity=Severity.WARNING, dataset="clipped-joint")
def clipped_joint(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Count the frames at the extremes."""
    for feature in dataset.by_role("state", "action"):
        found = scan.features.get(feature.key)
        if found is None or found.count < 50 or not feature.is_continuous:
            continue
        for dimension in range(feature.size):
            low, high = found.at_min[dimension] / found.count, found.at_max[dimension] / found.count
            name = feature.dimension(dimension)
            if found.min[dimension] == found.max[dimension] or low + high > 0.6 or "grip" in name.lower():
                continue
            if max(low, high) > _SHARE:
                value, what, share = (
                    (found.min[dimension], "smallest", low) if low > high else (found.max[dimension], "largest", high)
                )
                yield Finding(
                    f"{name} of {feature.key} is exactly {value:.4g}, its {what} value, "
                    f"in {100 * share:.0f} % of the frames",
                    file=next(iter(dataset.data_files), ""),
                )
