"""The policy does not use the robot's state.

## What it finds
With states of random other moments, the error grows by less than 5 %. Measured at up to 128 moments. Not judged with
fewer than 16.

## Why it matters
Most policies that predict positions need to know where the robot is. One that does not may have been trained with a
state that was constant, in another unit, or is dominated by other inputs. If the cameras show the robot well, a policy
may not need the state: then leave it out, which removes one possible source of errors.

## Example
```text
error 4.1 % of the range, 4.1 % with states of other moments
```

## Instead
Check the state and its statistics: `getiaction inspect-dataset DATASET --deep`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity, Unavailable
from getiaction_cli.rules import rule
from getiaction_cli.rules.evaluation._phrases import percent

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation

_GROWTH = 0.05


@rule("GA604", severity=Severity.WARNING, cause=("skill",))
def ignores_state(evaluation: Evaluation) -> Iterator[Finding]:
    """Check how much the predictions change with an exchanged state."""
    probe = evaluation.state
    if probe is None:
        raise Unavailable("too few moments to exchange states", is_reported=evaluation.reads_state)
    if probe.growth < _GROWTH:
        yield Finding(
            f"the policy does not use {' and '.join(probe.inputs)}: with those of other moments its error hardly "
            f"changes ({percent(probe.error)} to {percent(probe.exchanged)} of the range)"
        )
