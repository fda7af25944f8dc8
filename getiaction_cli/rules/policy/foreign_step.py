"""A checkpoint whose processors name code that is not LeRobot's.

## What it finds

A `pretrained_path` whose `policy_preprocessor.json` or `policy_postprocessor.json` asks for a class that is not a
processing step of LeRobot or of an installed policy plugin, or that can't be such a file at all.

## Why it matters

LeRobot imports and calls any class that these files name, with the arguments that they give:
`{"class": "subprocess.Popen", "config": {"args": [...]}}` starts a program. Training refuses such a checkpoint before
anything of it is loaded. If you trust its author, the step belongs in a plugin (`lerobot_policy_…`)
that you install yourself.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    pretrained_path: stranger/act-pusht
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
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
    pretrained_path: me/act-pusht
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction import trust
from getiaction_cli.analysis.checkpoint import MISSING, ROUTE, Checkpoint
from getiaction_cli.diagnostics import Finding
from getiaction_cli.policies.steps import InstalledSteps
from getiaction_cli.rules import rule


@rule("GA250", cause=("checkpoint", "checkpoint policy"), stops=True)
def foreign_step(checkpoint: Checkpoint) -> Iterator[Finding]:
    """Check both files as training does before LeRobot reads them."""
    for name, content in checkpoint.processors.items():
        try:
            trust.processor(content, InstalledSteps(), f"{name} of {checkpoint.path}")
        except trust.Refused as refused:
            yield Finding(refused.message, at=ROUTE, help=refused.hint)
    for name, why in checkpoint.unreadable.items():
        if why != MISSING:
            yield Finding(f"{name} of {checkpoint.path} can't be read: {why}", at=ROUTE)
