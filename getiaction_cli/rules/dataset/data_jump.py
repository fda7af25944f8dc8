"""A joint jumps from one frame to the next.

## What it finds
A step between two frames of an episode that is larger than half of the joint's whole usual range, where such steps are
rare (grippers and buttons, which often jump, are left out). Only with `inspect-dataset --deep`.

## Why it matters
The cause is a dropped frame, a sensor's glitch or an angle that wraps around. The policy learns to command it.

## Example
```text
episode 1, frame 6: action x = 40.2, a frame before 0.2
```

## Instead
Fix the value, delete the episode, or write angles without wrapping.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import few, place

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


_RARE = 2e-4  # share of all frames: more frequent jumps are normal movements of the joint


@rule("GA472", severity=Severity.WARNING, dataset="data-jump")
def data_jump(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Compare the largest step of each joint with its usual range."""
    for feature in dataset.by_role("state", "action", "environment"):
        found = scan.features.get(feature.key)
        if found is None or found.count < 20 or not feature.is_continuous:
            continue
        span = found.quantiles["q99"] - found.quantiles["q01"]
        spread = np.where(span > 0, span, found.max - found.min)
        rare = found.jump_counts <= max(3, _RARE * found.count)
        large = found.largest_step > np.maximum(0.5 * spread, 4 * found.usual_step)
        suspicious = [s for s in found.jumps if rare[s.dimension] and large[s.dimension]]
        if suspicious:
            spot = max(suspicious, key=lambda s: s.value / max(spread[s.dimension], 1e-12))
            names = few([feature.dimension(s.dimension) for s in suspicious])
            yield Finding(
                f"{names} of {feature.key} {'jumps' if len(suspicious) == 1 else 'jump'}: "
                f"by {spot.value:.4g} in {place(spot)}, "
                f"usually by less than {found.usual_step[spot.dimension]:.3g} from frame to frame",
                file=spot.file,
            )
