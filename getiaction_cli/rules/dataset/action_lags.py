"""The action lags behind the state.

## What it finds
Actions that look like the state of an earlier frame, or of the same one: the correlation between both is largest if the
action is delayed. Only with `inspect-dataset --deep`, for actions and states of the same joints.

## Why it matters
An action is the robot's next command: the state should follow it. An action that follows the state was recorded late,
or is a copy of it: the policy learns to repeat where the robot is, and stops moving.

## Example
```text
the action of frame t is the state of frame t - 3
```

## Instead
Record the command, not the measured position; or shift the actions when the delay is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.analysis.recipe_on_dataset import ACTION, STATE
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule
from getiaction_cli.rules.dataset._phrases import count

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.datasets.scan import Scan


@rule("GA480", severity=Severity.WARNING, dataset="action-late", cause=("values", "row order"))
def action_lags(dataset: Dataset, scan: Scan) -> Iterator[Finding]:
    """Use the shift with the largest correlation between both."""
    lag = scan.lag
    if lag is None or lag.similarity < 0.9 or lag.frames > 0:
        return
    if lag.frames == 0:
        if lag.similarity > 0.9999:
            yield Finding(
                "the action is a copy of the state of the same frame: there is nothing to predict",
                file=next(iter(dataset.data_files), ""),
                features=(ACTION, STATE),
            )
        return
    seconds = f" ({-lag.frames / dataset.fps:.3g} s)" if dataset.fps else ""
    yield Finding(
        f"the action lags {count(-lag.frames, 'frame')}{seconds} behind the state: "
        f"shifted by as much, they move alike to {100 * lag.similarity:.0f} %",
        file=next(iter(dataset.data_files), ""),
        features=(ACTION, STATE),
    )
