"""Every field of the installed LeRobot's training configuration, as LeRobot itself writes it, has an outcome."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from migration_helpers import migrated, outcomes

from getiaction_cli import policies
from getiaction_cli.analysis.migration import Kind
from getiaction_cli.environments import known_environments

pytestmark = pytest.mark.slow


def written(**fields: Any) -> dict[str, Any]:
    """A train_config.json as LeRobot writes it into a checkpoint."""
    import draccus
    from lerobot.configs.default import DatasetConfig
    from lerobot.configs.train import TrainPipelineConfig

    config = TrainPipelineConfig(dataset=DatasetConfig(repo_id="getiaction/pusht-demo"), **fields)
    values = json.loads(json.dumps(draccus.encode(config)))
    assert set(values) == {field.name for field in dataclasses.fields(TrainPipelineConfig)}
    return values


def policy(name: str) -> Any:
    from lerobot.policies.factory import make_policy_config

    return make_policy_config(name, device="cpu", push_to_hub=False)


@pytest.mark.parametrize("name", policies.names())
def test_what_lerobot_writes_for_each_policy_loses_nothing(name: str) -> None:
    try:
        config = policy(name)
    except (ImportError, OSError) as error:
        pytest.skip(f"LeRobot can't make its configuration here: {type(error).__name__}")
    migration = migrated(written(policy=config))
    assert [outcome.key for outcome in migration.lost] == []


@pytest.mark.parametrize("name", [name for name, each in known_environments().items() if not each.refused])
def test_every_field_of_each_environment_has_an_outcome(name: str) -> None:
    from lerobot.envs import EnvConfig

    migration = migrated(written(policy=policy("act"), env=EnvConfig.get_choice_class(name)()))
    assert [outcome.key for outcome in migration.lost] == []
    assert migration.recipe["evaluation"]["env"]["type"] == name


def test_every_optimizer_schedule_and_section_has_an_outcome() -> None:
    from lerobot.configs.default import PeftConfig, WandBConfig
    from lerobot.optim import LRSchedulerConfig, OptimizerConfig

    schedules = {
        kind: {field.name: 1 for field in dataclasses.fields(LRSchedulerConfig.get_choice_class(kind))}
        for kind in LRSchedulerConfig.get_known_choices()
    }
    for kind in OptimizerConfig.get_known_choices():
        for schedule, arguments in schedules.items():
            fields: dict[str, Any] = {
                "policy": policy("diffusion"),
                "optimizer": OptimizerConfig.get_choice_class(kind)(),
                "scheduler": LRSchedulerConfig.get_choice_class(schedule)(**arguments),
                "use_policy_training_preset": False,
            }
            migrated(written(**fields))
    migration = migrated(written(policy=policy("act"), wandb=WandBConfig(enable=True), peft=PeftConfig()))
    assert migration.recipe["trainer"]["logger"]["init_args"]["project"] == "lerobot"
    assert migration.recipe["model"]["init_args"]["peft"] == {"method_type": "LORA", "r": 16}


def test_no_field_is_unknown_when_it_is_not_at_its_default() -> None:
    """Each single field with another value of its kind: carried over, without meaning, or lost with an alternative."""
    base = written(policy=policy("act"))
    for route, value in _scalars(base):
        source = json.loads(json.dumps(base))
        section: Any = source
        for key in route[:-1]:
            section = section[key]
        section[route[-1]] = _another(value)
        found = outcomes(migrated(source))
        outcome = next(found[key] for key in _above(route) if key in found)
        assert outcome.kind is not Kind.LOST or "no such key" not in outcome.why, route


def _above(route: tuple[str, ...]) -> list[str]:
    return [".".join(route[:end]) for end in range(len(route), 0, -1)]


def _scalars(values: dict[str, Any], route: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found += _scalars(value, (*route, key))
        elif not isinstance(value, list):
            found.append(((*route, key), value))
    return found


def _another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "other"
