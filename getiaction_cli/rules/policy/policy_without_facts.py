"""A policy of LeRobot that this version of getiaction does not know.

## What it finds

A policy that the installed LeRobot registers and for which getiaction has no facts: LeRobot added or renamed it after
this version of getiaction was written. If the installed LeRobot lacks a part that training imports, the report names
that part under "not run", and training does not start.

## Why it matters

The parameters are checked with LeRobot's own code, and the policy can be trained. What no configuration states is not
checked: how many cameras it takes, whether it needs a state or a task, what it downloads, and how it behaves in
training. The rules about these things do not run.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACTPlus
  init_args:
    chunk_size: 10
    n_action_steps: 10
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

import shlex
from collections.abc import Iterator

from getiaction_cli.diagnostics import Finding, Severity, Unavailable
from getiaction_cli.installed import versions
from getiaction_cli.policies import PolicyClass, missing_part
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule


@rule("GA247", severity=Severity.WARNING)
def policy_without_facts(recipe: Recipe, policy_class: PolicyClass) -> Iterator[Finding]:
    """Look for the modules of LeRobot that training imports, and for the policy in the table of facts."""
    if part := missing_part():
        raise Unavailable(f"LeRobot has no {part}, which training needs", lerobot=True)
    if policy_class.known or policy_class.entry.plugin:
        return
    named = recipe.has("model.init_args.policy_name")
    yield Finding(
        f"getiaction has no facts about `{policy_class.name}` of LeRobot {versions().get('lerobot', '')}: "
        "cameras, state, language, downloads and its behaviour in training are not checked",
        at="model.init_args.policy_name" if named else "model.class_path",
        label="its parameters are checked with LeRobot's own code",
        help="it can be trained; upgrade getiaction to have the rest checked, or try it first: "
        f"getiaction validate-config {shlex.quote(recipe.file)} --smoke",
    )
