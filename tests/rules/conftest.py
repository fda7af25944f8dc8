"""Datasets and checkpoints that the pages of GA3xx and GA5xx name, made when a test asks for them."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import odd_datasets
import pytest
from filelock import FileLock
from verdict_helpers import HEALTHY, Judge

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Diagnostic
from getiaction_cli.machine import Machine
from getiaction_cli.recipe import read


@pytest.fixture(scope="session")
def dataset_of(lerobot_home: Path, toy_root: Path) -> Callable[[str], None]:
    """Makes the dataset that a recipe calls ``made/<name>`` where LeRobot's home is."""

    def build(name: str) -> None:
        folder = lerobot_home / "made" / name
        folder.parent.mkdir(exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if folder.exists():
                return
            if name == "toy":
                folder.symlink_to(toy_root)
                return
            if name == "metadata-only":
                odd_datasets.metadata_only(toy_root, Path(os.environ["HF_HOME"]) / "hub", f"made/{name}")
                return
            fresh = folder.with_name(f"{name}.building")
            odd_datasets.BUILDERS[name](fresh)
            fresh.rename(folder)

    return build


@pytest.fixture(scope="session")
def checkpoint() -> Path:
    """`me/act-pusht` in the Hub's cache: the config.json of an ACT that was trained on `lerobot/pusht`.

    Beside it lie `stranger/act-pusht`, whose preprocessor would start a program, `old/act-pusht`, which another LeRobot
    wrote, and `me/gr00t`, a base model.
    """
    odd_datasets.base_model(Path(os.environ["HF_HOME"]) / "hub")
    odd_datasets.outdated_checkpoint(Path(os.environ["HF_HOME"]) / "hub")
    odd_datasets.hostile_checkpoint(Path(os.environ["HF_HOME"]) / "hub")
    return odd_datasets.checkpoint(Path(os.environ["HF_HOME"]) / "hub")


@pytest.fixture
def judge(dataset_of: Callable[[str], None], checkpoint: Path) -> Judge:
    """`judge(text)`: the diagnostics of a recipe by code; the datasets it names are made first."""

    def judged(text: str, machine: Machine = HEALTHY) -> dict[str, Diagnostic]:
        for name in re.findall(r"repo_id: made/([\w-]+)", text):
            dataset_of(name)
        report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=machine))
        return {diagnostic.code: diagnostic for diagnostic in report.diagnostics}

    return judged
