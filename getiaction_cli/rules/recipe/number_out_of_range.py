"""A number that is out of range.

## What it finds

A batch size of 0, a negative step count, a learning rate that is not positive, a fraction above 1, a number
that is infinite or not a number.

## Why it matters

It fails deep inside the run, or trains nothing: a learning rate of 0 is accepted everywhere and learns
nothing.

## Example

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
    train_batch_size: 0
trainer:
  max_steps: 100
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
    train_batch_size: 8
trainer:
  max_steps: 100
```
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from getiaction_cli.analysis import transform_arguments
from getiaction_cli.analysis.image_transforms import class_routes, is_built, transform_routes
from getiaction_cli.analysis.type_errors import mistaken, oversized_numbers
from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe import Recipe
from getiaction_cli.recipe.writing import write
from getiaction_cli.rules import rule

_BELOW_ONE = math.nextafter(1, 0)
# Route → (minimum, maximum, whether the minimum itself is allowed, description). None means no bound.
_RANGES: dict[str, tuple[float | None, float | None, bool, str]] = {
    "seed": (0, 2**32 - 1, True, "a seed lies between 0 and 4294967295"),
    "model.init_args.learning_rate": (0, None, False, "a learning rate is above 0"),
    "model.init_args.ema.decay": (0, 1, True, "near 1: 0.999 averages about the last 1,000 steps"),
    "model.init_args.ema.min_decay": (0, 1, True, ""),
    "model.init_args.ema.max_decay": (0, 1, True, ""),
    "model.init_args.ema.inv_gamma": (0, None, False, "a number of steps"),
    "model.init_args.ema.power": (0, None, False, ""),
    "model.init_args.ema.update_after_step": (0, None, True, "a number of optimizer steps"),
    "model.init_args.peft.lora_alpha": (0, None, False, "the adapters are multiplied by lora_alpha / r"),
    "data.init_args.train_batch_size": (1, None, True, "a batch holds at least 1 frame"),
    "data.init_args.val_batch_size": (1, None, True, "a batch holds at least 1 frame"),
    "data.init_args.stride": (1, None, True, "1 is every frame"),
    "data.init_args.seed": (0, None, True, "a seed is 0 or above"),
    "data.init_args.num_workers": (0, None, True, "0 loads in the training process itself"),
    "data.init_args.val_split": (0, _BELOW_ONE, True, "a fraction of the episodes, at least 0 and below 1, like 0.2"),
    "data.init_args.tolerance_s": (1e-6, None, True, "a time in seconds; a frame's own is only known so exactly"),
    "data.init_args.image_transforms.max_num_transforms": (1, None, True, "at least 1 transform of a picture"),
    "data.init_args.frame_store.max_gb": (0, None, True, "a number of gigabytes; 0 keeps no frames"),
    "trainer.max_steps": (-1, None, True, "-1 means no limit"),
    "trainer.max_epochs": (-1, None, True, "-1 means no limit"),
    "trainer.min_steps": (0, None, True, ""),
    "trainer.min_epochs": (0, None, True, ""),
    "trainer.devices": (-1, None, True, "-1 is all of them"),
    "trainer.num_nodes": (1, None, True, ""),
    "trainer.accumulate_grad_batches": (1, None, True, "1 means no accumulation"),
    "trainer.gradient_clip_val": (0, None, True, "0 means no clipping"),
    "trainer.log_every_n_steps": (0, None, True, "0 logs nothing"),
    "trainer.check_val_every_n_epoch": (1, None, True, ""),
    "trainer.val_check_interval": (0, None, False, "a fraction of an epoch up to 1.0, or a number of batches"),
    "trainer.num_sanity_val_steps": (-1, None, True, "-1 runs the whole validation set"),
    "trainer.fast_dev_run": (0, None, True, "a number of batches"),
    "trainer.limit_train_batches": (0, None, True, "a fraction up to 1.0, or a number of batches"),
    "trainer.limit_val_batches": (0, None, True, "a fraction up to 1.0, or a number of batches"),
    "trainer.limit_test_batches": (0, None, True, "a fraction up to 1.0, or a number of batches"),
    "trainer.limit_predict_batches": (0, None, True, "a fraction up to 1.0, or a number of batches"),
    "trainer.reload_dataloaders_every_n_epochs": (0, None, True, "0 is never"),
    "trainer.overfit_batches": (0, None, True, "a fraction up to 1.0, or a number of batches"),
    "evaluation.episodes": (1, None, True, "at least 1 episode"),
    "evaluation.every_n_steps": (
        1,
        None,
        True,
        "a number of optimizer steps; leave it out to evaluate at the end only",
    ),
    "evaluation.batch_size": (1, None, True, "at least 1 environment"),
    "evaluation.seed": (0, 2**32 - 1, True, "a seed lies between 0 and 4294967295"),
    "evaluation.video": (0, None, True, "0 films nothing"),
}
# Argument of any callback → the same.
_OF_CALLBACKS: dict[str, tuple[float | None, float | None, bool, str]] = {
    "every_n_train_steps": (0, None, True, "0 is never"),
    "every_n_epochs": (0, None, True, "0 is never"),
    "save_top_k": (-1, None, True, "-1 keeps all"),
    "patience": (0, None, True, "a number of checks to wait for"),
    "swa_lrs": (0, None, False, "a learning rate is above 0"),
    "max_depth": (-1, None, True, "-1 shows all"),
}
_FRACTIONS = (
    "trainer.limit_train_batches",
    "trainer.limit_val_batches",
    "trainer.limit_test_batches",
    "trainer.limit_predict_batches",
    "trainer.overfit_batches",
    "trainer.val_check_interval",
)
_ZERO_IS_NOTHING = ("trainer.devices", "trainer.max_steps", "trainer.max_epochs")


@rule("GA122", in_itself=True, help="choose a value within these bounds")
def number_out_of_range(recipe: Recipe) -> Iterator[Finding]:
    """Report numbers outside their bounds, and values that are not finite."""
    for route, node in recipe.walk():
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or route in mistaken(recipe):
            continue
        # Report an item of a list under the name of the list.
        name = next(part for part in reversed(["", *route.split(".")]) if not part.isdigit())
        if route in oversized_numbers(recipe):
            yield Finding(f"`{name}` is {node.raw[:40]}, which is {oversized_numbers(recipe)[route]}", at=route)
        elif complaint := _complaint(route, value):
            yield Finding(f"`{name}` can't be {node.raw}: {complaint}", at=route)
    for route in transform_routes(recipe):
        weight = recipe.get(f"{route}.weight")
        if type(weight) in (int, float) and weight < 0:
            yield Finding(f"`weight` can't be {weight:g}: 0 leaves the transform out", at=f"{route}.weight")
        if is_built(recipe, route):
            yield from _transform(recipe, str(recipe.get(f"{route}.type")), f"{route}.kwargs")
    for route in class_routes(recipe):
        yield from _transform(recipe, str(recipe.get(f"{route}.class_path")), f"{route}.init_args")


def _transform(recipe: Recipe, class_path: str, route: str) -> Iterator[Finding]:
    """The arguments of a random change: a number, or a list of some."""
    arguments = recipe.get(route)
    for name in arguments if isinstance(arguments, dict) else ():
        if complaint := transform_arguments.complaint(class_path, name, arguments):
            yield Finding(f"`{name}` can't be {write(arguments[name])}: {complaint}", at=f"{route}.{name}")


def _complaint(route: str, value: float) -> str:
    if route in _ZERO_IS_NOTHING and value == 0:
        return "nothing would be trained" if route != "trainer.devices" else "there would be nothing to train on"
    if route in _FRACTIONS and isinstance(value, float) and value > 1:
        return "a fraction is at most 1.0; write a whole number for a count"
    bounds = (
        _OF_CALLBACKS.get(route.rpartition(".")[2]) if route.startswith("trainer.callbacks") else _RANGES.get(route)
    )
    return _outside(value, bounds) if bounds else ""


def _outside(value: float, bounds: tuple[float | None, float | None, bool, str]) -> str:
    least, most, including, words = bounds
    if least is not None and (value < least or (value == least and not including)):
        return words or f"the least is {least:g}"
    if most is not None and value > most:
        return words or f"the most is {most:g}"
    return ""
