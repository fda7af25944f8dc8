"""The schema for editors: valid itself, accepts every shipped recipe, and refuses wrong keys and types."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from getiaction_cli.main import app
from getiaction_cli.recipe import read

RECIPES = sorted((Path(__file__).parents[2] / "recipes").glob("*.yaml"))


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    result = CliRunner().invoke(app, ["schema"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _errors(schema: dict[str, Any], recipe: dict[str, Any]) -> list[str]:
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(recipe)]


def test_the_one_that_the_shipped_recipes_name_is_up_to_date(whole: dict[str, Any]) -> None:
    for recipe in RECIPES:
        assert recipe.read_text().startswith("# yaml-language-server: $schema=recipe.schema.json\n")
    shipped = json.loads((RECIPES[0].parent / "recipe.schema.json").read_text())
    assert shipped == whole, "run: getiaction schema > recipes/recipe.schema.json"


def test_it_is_a_schema(whole: dict[str, Any]) -> None:
    jsonschema.Draft7Validator.check_schema(whole)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_shipped_recipes_are_accepted(whole: dict[str, Any], path: Path) -> None:
    assert _errors(whole, read(path).plain()) == []


@pytest.mark.parametrize(
    ("route", "value"),
    [
        ("modell", {}),
        ("model.class_path", "torch.nn.Linear"),
        ("model.init_args.chunksize", 10),
        ("model.init_args.chunk_size", "ten"),
        ("model.init_args.vision_backbone", "resnet7"),
        ("model.init_args.normalization_mapping", {"ACTION": "MEANSTD"}),
        ("data.init_args.batch_size", 8),
        ("data.init_args.train_batch_size", "eight"),
        ("data.init_args.repo_id", 3),
        ("trainer.max_stepps", 10),
        ("trainer.max_steps", "ten"),
        ("seed", "a"),
    ],
)
def test_mistakes_are_refused(whole: dict[str, Any], route: str, value: Any) -> None:
    recipe = copy.deepcopy(read(next(path for path in RECIPES if path.name == "lerobot_act_simple.yaml")).plain())
    *parents, last = route.split(".")
    section = recipe
    for parent in parents:
        section = section.setdefault(parent, {})
    section[last] = value
    assert _errors(whole, recipe)


def test_one_policy() -> None:
    result = CliRunner().invoke(app, ["schema", "--policy", "vqbet"])
    schema = json.loads(result.stdout)
    assert list(schema["definitions"]) == ["vqbet", "transform"]
    paths = schema["properties"]["model"]["properties"]["class_path"]["enum"]
    assert paths == ["getiaction.policies.lerobot.VQBeT", "getiaction.policies.lerobot.LeRobotPolicy"]
    steps = schema["definitions"]["vqbet"]["properties"]["n_vqvae_training_steps"]
    assert steps == {
        "type": "integer",
        "default": 20000,
        "description": "Number of optimization steps for training Residual VQ.",
    }


def test_a_wrapped_policys_parameters_are_checked_too(whole: dict[str, Any]) -> None:
    recipe = {
        "model": {
            "class_path": "getiaction.policies.lerobot.LeRobotPolicy",
            "init_args": {"policy_name": "act", "config_kwargs": {"horizon": 16}},
        },
        "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": {"repo_id": "lerobot/pusht"}},
    }
    assert _errors(whole, recipe)
    recipe["model"]["init_args"]["policy_name"] = "diffusion"
    assert _errors(whole, recipe) == []
