"""The table of short options, such as `--steps`, and the keys of the recipe that they set.

Parsing, help, completion and suggestions read this table, and diagnostics show the option that was typed. It includes
LightningCLI's options (`--model`, `--data`, `--seed_everything`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShortForm:
    """A short option.

    Args:
        names: its spellings without leading dashes; `-` and `_` are equivalent.
        route: path of the recipe's key that it sets.
        metavar: type of its value, for help and completion.
        help: its help text.
    """

    names: tuple[str, ...]
    route: str
    metavar: str
    help: str


SHORT_FORMS = (
    ShortForm(("model",), "model.class_path", "POLICY", "Policy class or name: ACT, diffusion, …"),
    ShortForm(("data",), "data.class_path", "CLASS", "Data module class: LeRobotDataModule."),
    ShortForm(("dataset",), "data.repo_id", "DATASET", "Dataset id."),
    ShortForm(("steps", "max-steps"), "trainer.max_steps", "N", "Optimizer steps to train for."),
    ShortForm(("epochs", "max-epochs"), "trainer.max_epochs", "N", "Epochs to train for."),
    ShortForm(("batch-size",), "data.train_batch_size", "N", "Samples per batch."),
    ShortForm(("num-workers",), "data.num_workers", "N", "Processes that load data."),
    ShortForm(("lr", "learning-rate"), "model.learning_rate", "RATE", "Learning rate."),
    ShortForm(("logger",), "trainer.logger", "LOGGER", "Logger: wandb, tensorboard, csv, mlflow, …"),
    ShortForm(("fast-dev-run",), "trainer.fast_dev_run", "[N]", "Try one batch (or N) and keep nothing."),
    ShortForm(("seed", "seed-everything"), "seed", "N", "Seed, which makes a run repeatable."),
    ShortForm(("output_dir",), "output_dir", "FOLDER", "The recipe's `output_dir`; --output-dir wins over it."),
)
_ROUTES = {name: short.route for short in SHORT_FORMS for name in short.names}


def route_of(word: str) -> str | None:
    """Return the recipe key that an option without its dashes sets; None for other options.

    "max_steps" gives "trainer.max_steps", and "logger.project" gives "trainer.logger.project".
    """
    name, dot, rest = word.partition(".")
    route = _ROUTES.get(name) or _ROUTES.get(name.replace("_", "-"))
    if dot and not (route and route.endswith(f".{name}")):
        return None
    return f"{route}.{rest}" if dot else route
