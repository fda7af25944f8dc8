"""What a command line asks to train, and the recipe that this is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from getiaction_cli.short_forms import route_of

if TYPE_CHECKING:
    from getiaction_cli.recipe import Recipe

PIPED = "GETIACTION_PIPED_RECIPE"


@dataclass(frozen=True)
class TrainRequest:
    """What the command line asks for.

    Args:
        path: the recipe; None where the command line is all of it, or where a run is resumed.
        under: files over which the recipe is laid, lowest first.
        text: the recipe's text, where it is drafted rather than read.
        overrides: as `split_overrides` gives them.
        output_dir: the run folder.
        resume: a run folder, a checkpoint, or `LATEST`.
        ignore: code prefixes of findings despite which the recipe is trained.
        unchecked: train although checks did not run.
        print_config: print the resolved recipe instead of training.
        slurm: options of sbatch; None trains on this machine.
        array: the override that differs between the tasks of a SLURM array.
        dry_run: print the batch script and submit nothing.
    """

    path: str | None
    under: tuple[str, ...] = ()
    text: str | None = None
    overrides: tuple[tuple[str, str], ...] = ()
    output_dir: Path | None = None
    resume: str | None = None
    ignore: tuple[str, ...] = ()
    unchecked: bool = False
    print_config: bool = False
    slurm: str | None = None
    array: str | None = None
    dry_run: bool = False

    @property
    def is_described(self) -> bool:
        """Whether the command line is a recipe: it names a policy or a dataset."""
        return any((route_of(word) or word).startswith(("model.", "data.")) for word, _ in self.overrides)

    @property
    def name(self) -> str:
        """What the runs of the recipe are filed under: its file's name, or its policy and dataset."""
        if self.path == "-":
            return "stdin"
        if self.path is not None:
            return Path(self.path).stem
        from getiaction_cli.checking.drafting import name_of

        recipe = self.read()
        return name_of(recipe.policy_name or "policy", recipe.repo_id or "dataset")

    def read(self) -> Recipe:
        """The recipe; standard input can be read only once, and Lightning starts this command again for every rank."""
        from getiaction_cli.recipe import read

        piped = os.environ.get(PIPED) if self.path == "-" else self.text
        recipe = read(self.path, text=piped, overrides=self.overrides, under=self.under)
        if self.path == "-":
            os.environ[PIPED] = recipe.text
        return recipe


def own_text(recipe: Recipe) -> str:
    """The recipe in one file, with its overrides written in and its comments kept: what the run folder keeps."""
    from getiaction_cli.checking.resolved import flat
    from getiaction_cli.diagnostics import Change
    from getiaction_cli.recipe import apply_edits, edits_for
    from getiaction_cli.recipe.reader import read_one

    wanted = recipe.plain()
    text = recipe.text
    written = read_one(recipe.file, text=text)
    changes = tuple(_differences(written.plain(), wanted)) if len(recipe.sources) == 1 else ()
    if changes:
        text = apply_edits(text, edits_for(written, Change("apply the command line", set=changes)))
    if read_one(recipe.file, text=text).plain() == wanted:
        return text
    return flat(recipe)


def _differences(old: Any, new: Any, route: str = "") -> list[tuple[str, Any]]:
    """The routes whose values the command line changed."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [
            difference
            for key, value in new.items()
            for difference in _differences(old.get(key), value, f"{route}.{key}".lstrip("."))
        ]
    return [] if old == new else [(route, new)]
