"""Truth values and whole numbers through LeRobot's normalization: the verdict says what training does."""

from pathlib import Path

import make_dataset
import pytest
import tiny_policies
import yaml

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.diagnostics import Severity
from getiaction_cli.recipe import read

KEYS = {"state": "observation.state", "extra": "observation.buttons", "action": "action"}
POLICIES = {"act": "ACT", "diffusion": "Diffusion", "tdmpc": "TDMPC"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    """Small sets in which one feature has another type of number: (feature, dtype) → folder."""
    folder = tmp_path_factory.mktemp("typed")
    made = {}
    for role, key in KEYS.items():
        for dtype in ("bool", "int64"):
            made[role, dtype] = make_dataset.make(
                folder / f"{role}-{dtype}",
                cameras={"observation.image": (48, 48)},
                storage="image",
                reward=True,
                lengths=(8, 8),
                state=None if role == "state" else 2,
                others={key: (dtype, (2,))},
            )
    return made


def recipe(root: Path, policy: str, role: str, mode: str) -> str:
    modes = {"VISUAL": "IDENTITY", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"}
    modes["ACTION" if role == "action" else "STATE"] = mode
    return yaml.safe_dump(
        {
            "seed": 1,
            "model": {
                "class_path": f"getiaction.policies.lerobot.{POLICIES[policy]}",
                "init_args": {**tiny_policies.CONFIGS[policy], "normalization_mapping": modes},
            },
            "data": {
                "class_path": "getiaction.data.lerobot.LeRobotDataModule",
                "init_args": {"repo_id": "made/typed", "root": str(root), "train_batch_size": 4, "num_workers": 0},
            },
            "trainer": {"max_steps": 2, "accelerator": "cpu"},
        }
    )


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["MEAN_STD", "MIN_MAX", "IDENTITY"])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("dtype", ["bool", "int64"])
@pytest.mark.parametrize("role", KEYS)
def test_a_type_of_number_is_refused_where_training_stops(
    dataset: dict[tuple[str, str], Path],
    role: str,
    dtype: str,
    policy: str,
    mode: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from getiaction.train.run import train

    monkeypatch.chdir(tmp_path)
    text = recipe(dataset[role, dtype], policy, role, mode)
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True))
    errors = [d for d in report.diagnostics if d.severity is Severity.ERROR]
    try:
        train(yaml.safe_load(text), recipe_name="typed", recipe_text=text, quiet=True)
        failed = ""
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"
    assert bool(errors) == bool(failed), (errors, failed)
