"""A task longer than the policy reads.

## What it finds

A task text that probably has more tokens than the policy's `tokenizer_max_length`. The number of tokens is an
estimate: 1.3 per word; pi05 and pi0_fast also write the state into the prompt, about four tokens per number.

## Why it matters

The rest is silently cut off. Two tasks that differ only in their last words become one.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    pretrained_path: lerobot/smolvla_base
    chunk_size: 10
    n_action_steps: 10
    tokenizer_max_length: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.SmolVLA
  init_args:
    pretrained_path: lerobot/smolvla_base
    chunk_size: 10
    n_action_steps: 10
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

import math
from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import STATE, Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.rules import rule

_PER_WORD, _PER_NUMBER = 1.3, 4


@rule("GA330", severity=Severity.WARNING, dataset="pusht")
def long_task(fit: Fit) -> Iterator[Finding]:
    """Estimate the tokens of the longest task."""
    name = fit.facts.prompt_limit
    most = fit.policy.get(name)
    if not isinstance(most, int) or not fit.dataset.tasks:
        return
    state = fit.dataset.features.get(STATE)
    digits = _PER_NUMBER * math.prod(state.shape) if state and fit.facts.state_in_prompt else 0
    task = fit.dataset.longest_task
    tokens = math.ceil(len(task.split()) * _PER_WORD) + digits
    if tokens <= most:
        return
    at = fit.recipe.param_route(name)
    shown = task if len(task) <= 60 else task[:57] + "..."
    yield Finding(
        f"the task `{shown}` has about {tokens} tokens{' with the state' if digits else ''}, and "
        f"{fit.policy.policy.class_name} reads {most} ({name})",
        at=at,
        fix=Change(
            f"set {name} to {2 ** math.ceil(math.log2(tokens))}", set=((at, 2 ** math.ceil(math.log2(tokens))),)
        ),
    )
