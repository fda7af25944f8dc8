"""An input that shifts VQ-BeT's tokens.

## What it finds

VQ-BeT with inputs other than one camera and `observation.state`.

## Why it matters

VQ-BeT counts its inputs to find its action tokens, but reads only these two. A third input moves every index: the
first phase trains for `n_vqvae_training_steps` steps, and the second stops at once with `index … is out of bounds`.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: null
    n_vqvae_training_steps: 100
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/velocity
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.VQBeT
  init_args:
    crop_shape: null
    n_vqvae_training_steps: 100
    input_features: [observation.images.top, observation.state]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: made/velocity
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.recipe_on_dataset import INPUTS, STATE, Fit, listed
from getiaction_cli.diagnostics import Change, Finding
from getiaction_cli.rules import rule


@rule("GA319", dataset="velocity", cause=("camera", "state", "cameras"), breaks=("inputs",), stops=True)
def vqbet_inputs(fit: Fit) -> Iterator[Finding]:
    """Find inputs that VQ-BeT counts but doesn't read."""
    if not fit.facts.counts_its_inputs:
        return
    keep = [*fit.policy.image_features, STATE]
    extra = [key for key in fit.policy.input_features if key not in keep]
    if extra:
        yield Finding(
            f"{fit.policy.policy.class_name} reads one camera and `{STATE}` and miscounts its tokens with "
            f"{listed(extra)}: it stops when its second phase begins",
            at=INPUTS if fit.recipe.has(INPUTS) else "data.init_args.repo_id",
            help="choose with `input_features` what the policy reads",
            fix=Change(f"read {', '.join(keep)}", set=((INPUTS, keep),), safe=True),
        )
