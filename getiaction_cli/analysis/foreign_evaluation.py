"""Convert rollout settings of other trainers: `env` and `eval` of lerobot-train, the gyms of a data module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from getiaction_cli.environments import DECLARED, known_environments
from getiaction_cli.recipe import Recipe

_LEROBOT = ("env", "eval", "env_eval_freq", "eval_freq")
_GYMS = ("eval_gyms", "eval_gym", "val_gyms", "val_gym", "test_gyms", "test_gym", "gym")
_COUNTS = ("num_rollouts_eval", "num_rollouts_val", "num_rollouts_test", "num_rollouts")
_LENGTH = "max_episode_steps"
_DATA = "data.init_args"


@dataclass(frozen=True)
class ForeignEvaluation:
    """The rollout settings of a recipe in another trainer's format.

    Args:
        routes: their routes.
        section: the equivalent `evaluation:` section; None if the environment is unknown.
        lost: routes whose values have no equivalent.
    """

    routes: tuple[str, ...]
    section: dict[str, Any] | None
    lost: tuple[str, ...] = ()


def foreign_evaluation(recipe: Recipe) -> ForeignEvaluation | None:
    """The rollout settings of a recipe in another trainer's format; None without any."""
    top = [key for key in _LEROBOT if key in recipe.keys("")]
    if "env" not in top and "eval" not in top:  # `eval_freq` without them had other meanings
        top = [key for key in top if key == "env_eval_freq"]
    data = [key for key in (*_GYMS, *_COUNTS) if key in recipe.keys(_DATA)]
    if data and _LENGTH in recipe.keys(_DATA):
        data.append(_LENGTH)
    routes = (*top, *(f"{_DATA}.{key}" for key in data))
    if not routes:
        return None
    lost: list[str] = []
    section = _of_lerobot(recipe, top, lost) if top else _of_gyms(recipe, data, lost)
    return ForeignEvaluation(routes, section, tuple(lost))


def _of_lerobot(recipe: Recipe, keys: list[str], lost: list[str]) -> dict[str, Any] | None:
    env = recipe.get("env")
    if not isinstance(env, dict) or str(env.get("type")) not in known_environments():
        return None
    known = known_environments()[str(env["type"])]
    if known.refused:
        return None
    for key, value in env.items():
        if key not in known.fields and key not in ("type", *DECLARED) and value not in (None, False):
            lost.append(f"env.{key}")
    section: dict[str, Any] = {"env": {key: v for key, v in env.items() if key in known.fields or key == "type"}}
    for key in ("env_eval_freq", "eval_freq"):
        steps = recipe.get(key) if key in keys else None
        if isinstance(steps, int) and steps > 0:
            section["every_n_steps"] = steps
    given = recipe.get("eval")
    for key, value in given.items() if isinstance(given, dict) else ():
        if key == "n_episodes":
            section["episodes"] = value
        elif key == "batch_size":
            if value:  # 0 lets LeRobot choose, as here
                section["batch_size"] = value
        elif value not in (None, False) and key != "use_async_envs":
            lost.append(f"eval.{key}")
    return section


def _of_gyms(recipe: Recipe, keys: list[str], lost: list[str]) -> dict[str, Any] | None:
    gyms = [recipe.get(f"{_DATA}.{key}") for key in keys if key in _GYMS]
    gyms = [each for gym in gyms for each in (gym if isinstance(gym, list) else [gym]) if each]
    names = {_environment_of(gym) for gym in gyms}
    if len(names) != 1 or None in names:
        return None
    name = str(next(iter(names)))
    fields = known_environments()[name].fields
    env: dict[str, Any] = {"type": name}
    for gym in gyms:
        arguments = gym.get("init_args") if isinstance(gym, dict) else None
        for key, value in arguments.items() if isinstance(arguments, dict) else ():
            if key in fields:
                env[key] = value
            elif key == _LENGTH and "episode_length" in fields:
                env["episode_length"] = value
            else:
                lost.append(key)
    length = recipe.get(f"{_DATA}.{_LENGTH}") if _LENGTH in keys else None
    if isinstance(length, int) and "episode_length" in fields:
        env["episode_length"] = length
    section: dict[str, Any] = {"env": env}
    counts = [recipe.get(f"{_DATA}.{key}") for key in keys if key in _COUNTS]
    if counts and isinstance(counts[0], int):
        section["episodes"] = counts[0]
    return section


def _environment_of(gym: Any) -> str | None:
    """The environment type of a class path or name: "pusht" for "physicalai.gyms.PushTGym"."""
    named = gym.get("class_path") if isinstance(gym, dict) else gym
    word = str(named).rpartition(".")[2].lower().replace("_", "").replace("-", "")
    return next((name for name in known_environments() if name.replace("_", "") in word), None)
