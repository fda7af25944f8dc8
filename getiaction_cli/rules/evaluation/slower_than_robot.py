"""A prediction takes longer than its actions last.

## What it finds
Even the fastest of several predictions takes longer on this machine than `n_action_steps` actions at the dataset's
frames per second.

## Why it matters
The robot has executed all actions and must wait for the next ones: it stops between chunks, and everything takes
longer than in the demonstrations.

## Example
```text
a prediction takes 410 ms, its 8 actions at 30 fps last 267 ms
```

## Instead
Execute more actions of each chunk (`n_action_steps`), take fewer denoising steps (`num_inference_steps`), or predict on
a GPU. Evaluate on the machine that drives the robot: `--device`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Severity, Unavailable
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction.evaluation.result import Evaluation


@rule("GA610", severity=Severity.WARNING)
def slower_than_robot(evaluation: Evaluation) -> Iterator[Finding]:
    """Compare the latency with the time that a chunk lasts."""
    latency = evaluation.latency
    if latency is None:
        raise Unavailable("no prediction was timed", is_reported=False)
    if latency.fastest > evaluation.chunk_seconds:
        one = "its one action lasts" if evaluation.steps == 1 else f"its {evaluation.steps} actions last"
        yield Finding(
            f"a prediction takes {1000 * latency.fastest:.0f} ms on this machine ({latency.device}), {one} "
            f"{1000 * evaluation.chunk_seconds:.0f} ms at {evaluation.fps:g} fps"
        )
