"""The policy does not use its cameras.

## What it finds
With pictures of random other moments, the error grows by less than 5 %. Measured at up to 128 moments, with all cameras
at once. Not judged with fewer than 16.

## Why it matters
The policy acts from the robot's own state alone: it repeats one movement, wherever the objects are. Often the pictures
were not what they should have been in training (black, frozen, of another camera, out of step with the actions), or the
movement can be guessed from the state, and the loss was low without looking.

## Example
```text
error 4.1 % of the range, 4.1 % with pictures of other moments
```

## Instead
Look at the pictures (`getiaction inspect-dataset DATASET --html page.html`); start from pretrained weights; train
without the state for a while (`input_features`), so that it has to use the pictures. If the task needs no camera, leave
the cameras out.
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


@rule("GA603", severity=Severity.WARNING, cause=("skill",))
def ignores_cameras(evaluation: Evaluation) -> Iterator[Finding]:
    """Check how much the predictions change with exchanged images."""
    probe = evaluation.cameras
    if probe is None:
        raise Unavailable("too few moments to exchange pictures", is_reported=evaluation.reads_cameras)
    if probe.growth < _GROWTH:
        yield Finding(
            f"the policy does not use its cameras: with the pictures of other moments its error hardly changes "
            f"({percent(probe.error)} to {percent(probe.exchanged)} of the range)"
        )
