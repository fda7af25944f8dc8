"""A precision that can't be used here.

## What it finds

`trainer.precision` that converts the weights (`16-true`, `bf16-true`, `64-true`), or that needs another accelerator or
a package: 16-bit floats on the CPU, bfloat16 on a GPU before Ampere, Transformer Engine that is not installed.

## Why it matters

LeRobot's batches are float32: weights of another type stop the first batch with `Input type … and weight type … should
be the same`. Lightning takes bfloat16 instead of float16 on a CPU; old GPUs emulate bfloat16 and get slower by it; a
missing package stops the run.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: 16-mixed
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args:
    chunk_size: 8
    n_action_steps: 8
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
  precision: bf16-mixed
```
"""

from collections.abc import Iterator

from getiaction_cli.analysis.class_objects import object_routes
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Severity
from getiaction_cli.installed import install_command
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe
from getiaction_cli.rules import rule
from getiaction_cli.rules.machine._asked import chosen

_ROUTE = "trainer.precision"
_AMPERE = (8, 0)
_PLUGINS = {"DoublePrecision": "64-true", "HalfPrecision": "16-true"}


@rule("GA503", cause=("accelerator", "precision"), stops=True)
def precision_here(recipe: Recipe, machine: Machine, fit: Fit) -> Iterator[Finding]:
    """Compare the precision with the accelerator, and with the batches."""
    given, kind = recipe.get(_ROUTE), chosen(recipe, machine)
    asked, at = str(given), _ROUTE
    for route in object_routes(recipe):
        plugin = str(recipe.get(f"{route}.class_path")).rpartition(".")[2]
        if plugin in _PLUGINS:
            asked = str(recipe.get(f"{route}.init_args.precision") or _PLUGINS[plugin])
            at = f"{route}.class_path"
    in_float32 = fit.facts.codebook_in_float32
    if asked.startswith("transformer-engine") and "transformer-engine" not in machine.packages:
        mixed = "32-true" if in_float32 else "bf16-mixed"
        yield Finding(
            f"precision `{asked}` needs the package transformer-engine, which is not installed",
            at=_ROUTE,
            help=install_command("transformer-engine"),
            fix=Change(f"set precision to {mixed}", set=((_ROUTE, mixed),)),
        )
    elif asked in ("16-true", "bf16-true", "64-true", "64"):
        mixed = "32-true" if in_float32 or asked.startswith("64") else f"{asked.partition('-')[0]}-mixed"
        goes = asked != "16-true" and _all_converted(fit)
        then = "the batches with them" if goes else "LeRobot's batches stay float32: the first batch stops"
        yield Finding(
            f"precision `{asked}` converts the weights, and {then}",
            at=at,
            fix=Change(f"set precision to {mixed}", set=((_ROUTE, mixed),)) if at == _ROUTE else None,
            severity=Severity.WARNING if goes else None,
        )
    elif asked in ("16", "16-mixed") and kind == "cpu":
        yield Finding(
            f"precision `{asked}` is for GPUs; on this machine's CPU Lightning takes bf16-mixed instead",
            at=_ROUTE,
            fix=Change("set precision to 32-true", set=((_ROUTE, "32-true"),)),
            severity=Severity.WARNING,
        )
    elif asked.startswith("bf16") and kind == "cuda":
        old = [gpu for gpu in machine.gpus if gpu.capability and gpu.capability < _AMPERE]
        for gpu in old[:1]:
            yield Finding(
                f"precision `{asked}` is emulated on {gpu.name}, which is older than Ampere: it gets slower",
                at=_ROUTE,
                fix=Change("set precision to 16-mixed", set=((_ROUTE, "16-mixed"),)),
                severity=Severity.WARNING,
            )


def _all_converted(fit: Fit) -> bool:
    """True if Lightning converts all inputs of the network: images are floats, and no code creates further inputs."""
    pictures = [fit.dataset.features.get(key) for key in fit.policy.image_features]
    as_floats = fit.recipe.data("frame_store") in ("off", False) and all(p and p.dtype == "image" for p in pictures)
    converts = fit.facts.known and fit.facts.weights_and_batches_convert
    return bool(converts) and (not pictures or (as_floats and converts != "without cameras"))
