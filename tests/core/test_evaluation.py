"""Which episodes an evaluation takes, what it says of them, and what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tiny_policies
import torch

from getiaction.data.lerobot import LeRobotDataModule
from getiaction.errors import DataError, PolicyError, TrainingError
from getiaction.evaluation import source
from getiaction.evaluation.result import HOLD_ACTION, MEAN, Evaluation
from getiaction.evaluation.run import evaluate
from getiaction.policies.lerobot import LeRobotPolicy
from getiaction.policies.lerobot.policy import load_pretrained


@pytest.fixture(scope="module")
def run(small_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as `train` leaves it: an ACT of two steps, a recipe that holds one of three episodes out."""
    folder = tmp_path_factory.mktemp("outputs") / "run"
    (folder / "checkpoints").mkdir(parents=True)
    data = LeRobotDataModule("made/set", root=small_root, val_split=0.3, num_workers=0)
    policy = LeRobotPolicy("act", config_kwargs=tiny_policies.ACT)
    trainer = tiny_policies.trainer(folder, 2)
    trainer.fit(policy, data)
    policy.save_pretrained(folder / "pretrained_model")
    trainer.save_checkpoint(folder / "checkpoints" / "last.ckpt")
    recipe = {
        "model": {"class_path": "getiaction.policies.lerobot.LeRobotPolicy", "init_args": {"policy_name": "act"}},
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/set", "root": str(small_root), "val_split": 0.3},
        },
    }
    (folder / "recipe.yaml").write_text(json.dumps(recipe))  # JSON is YAML
    return folder


@pytest.fixture
def data(small_root: Path) -> dict[str, Any]:
    return {"repo_id": "made/set", "root": str(small_root)}


def of(run: Path, data: dict[str, Any], **options: Any) -> Evaluation:
    return evaluate(source.find(str(run)), data, device="cpu", **options)


def test_the_held_out_episodes_are_evaluated_and_compared_with_training_episodes(run: Path, data: Any) -> None:
    found = of(run, data, trained_on={**data, "val_split": 0.3})
    assert found.part == "held-out"
    assert [episode.number for episode in found.episodes] == [2] and found.frames == 22
    assert found.trained is not None and len(found.trained.episodes) == 1
    assert set(found.baselines) >= {HOLD_ACTION, MEAN}
    assert found.cameras is not None and found.cameras.inputs == ("observation.image",)
    assert found.state is not None and found.state.moments == 22
    assert found.latency is not None and found.latency.seconds > 0


@pytest.mark.parametrize(
    ("options", "part", "episodes"),
    [
        ({"trained_on": "same"}, "training", [0, 1, 2]),
        ({"trained_on": "other"}, "new", [0, 1, 2]),
        ({}, "unknown", [0, 1, 2]),
        ({"trained_on": "split", "chosen": [0, 2]}, "training", [0, 2]),
        ({"trained_on": "split", "chosen": [2]}, "held-out", [2]),
        ({"trained_on": "same", "most_episodes": 2}, "training", [0, 2]),
        ({"trained_on": "excluding"}, "training", [0, 1]),
        ({"trained_on": "excluding", "chosen": [2]}, "held-out", [2]),
    ],
)
def test_it_says_what_the_policy_knows_of_the_episodes(
    options: dict[str, Any], part: str, episodes: list[int], run: Path, data: Any
) -> None:
    known = {
        "same": data,
        "other": {"repo_id": "some/other"},
        "split": {**data, "val_split": 0.3},
        "excluding": {**data, "exclude_episodes": [2]},
    }
    name = options.pop("trained_on", "")
    found = of(run, known[name] if name == "excluding" else data, trained_on=known.get(name), **options)
    assert (found.part, [episode.number for episode in found.episodes]) == (part, episodes)


def test_a_checkpoint_and_a_pretrained_model_are_the_same_policy(run: Path, data: Any) -> None:
    one = of(run / "checkpoints" / "last.ckpt", data, chosen=[1])
    other = of(run / "pretrained_model", data, chosen=[1])
    assert one.error == pytest.approx(other.error, rel=1e-5)


def test_a_saved_policy_acts_as_lerobot_loads_it(run: Path, small_root: Path) -> None:
    from lerobot.policies.act.modeling_act import ACTPolicy
    from lerobot.policies.factory import make_pre_post_processors

    model = str(run / "pretrained_model")
    theirs = ACTPolicy.from_pretrained(model)
    before, after = make_pre_post_processors(theirs.config, pretrained_path=model)
    seen = {"observation.image": torch.rand(1, 3, 48, 48), "observation.state": torch.rand(1, 2)}
    actions = [after(theirs.select_action(before(dict(seen)))) for _ in range(4)]
    ours = load_pretrained(model).predict_chunk([seen])
    torch.testing.assert_close(ours, torch.stack(actions, dim=1))


def test_the_dataset_of_lerobot_train_is_found_beside_the_policy(run: Path, data: Any, tmp_path: Path) -> None:
    model = tmp_path / "checkpoints" / "last" / "pretrained_model"
    shutil.copytree(run / "pretrained_model", model)
    (model / "train_config.json").write_text(json.dumps({"dataset": {**data, "eval_split": 0.3}}))
    found = evaluate(source.find(str(tmp_path)), None, device="cpu")
    assert (found.part, [episode.number for episode in found.episodes]) == ("held-out", [2])


def test_without_a_dataset_it_says_how_to_name_one(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run / "pretrained_model", tmp_path / "model")
    with pytest.raises(DataError, match="does not record which dataset") as caught:
        evaluate(source.find(str(tmp_path / "model")), None, device="cpu")
    assert "--data.repo_id" in caught.value.hint


def test_a_dataset_that_does_not_fit_is_refused(run: Path, tmp_path: Path) -> None:
    import make_dataset

    three = make_dataset.make(tmp_path / "three", cameras={"observation.image": (48, 48)}, state=3, codec="h264")
    with pytest.raises(DataError, match=r"observation\.state of 2 numbers, made/three has 3"):
        of(run, {"repo_id": "made/three", "root": str(three)})
    other = make_dataset.make(tmp_path / "other", cameras={}, state=2)
    with pytest.raises(DataError, match=r"act reads observation\.image, which made/other does not have"):
        of(run, {"repo_id": "made/other", "root": str(other)})


@pytest.mark.parametrize("name", ["nothing", "no/where/at/all"])
def test_what_is_not_there_is_told(name: str) -> None:
    with pytest.raises(PolicyError, match=f"no run or policy at {name}"):
        source.find(name)


def test_a_folder_of_runs_names_the_newest(run: Path) -> None:
    with pytest.raises(PolicyError) as caught:
        source.find(str(run.parent))
    assert str(run) in caught.value.hint


def test_a_device_that_is_not_there_is_told(run: Path, data: Any) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has it")
    with pytest.raises(TrainingError, match="this machine has no cuda"):
        evaluate(source.find(str(run)), data, device="cuda")


def test_lightning_tests_and_predicts_on_held_out_episodes(small_root: Path, tmp_path: Path) -> None:
    data = LeRobotDataModule("made/set", root=small_root, val_split=0.3, num_workers=0, val_batch_size=4)
    policy = LeRobotPolicy("act", config_kwargs=tiny_policies.ACT)
    trainer = tiny_policies.trainer(tmp_path, 1)
    trainer.fit(policy, data)
    (logged,) = trainer.test(policy, data, verbose=False)
    predicted = trainer.predict(policy, data)
    assert predicted is not None
    actions = torch.cat(predicted)
    assert actions.shape == (6, 4, 2), "six predictions of four actions for 22 frames"
    batches = list(data.predict_dataloader())
    recorded = torch.cat([batch["recorded"] for batch in batches])
    valid = torch.cat([batch["valid"] for batch in batches])
    assert logged["test/error"] == pytest.approx(float((actions - recorded).abs()[valid].mean()), rel=1e-4)
    (validated,) = trainer.validate(policy, data, verbose=False)
    assert "val/loss" in validated


@pytest.mark.slow
def test_the_command_evaluates_a_run(run: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "getiaction_cli.main", "evaluate", str(run), "--device", "cpu"]
    page = tmp_path / "report.html"
    done = subprocess.run(
        [*command, "--format", "json", "--html", str(page)], capture_output=True, text=True, check=False
    )
    document = json.loads(done.stdout)
    assert document["part"] == "held-out" and document["frames"] == 22
    assert done.returncode == (1 if document["verdict"] == "error" else 0), done.stderr
    assert f"wrote {page}" in done.stderr and "Traceback" not in done.stderr
    assert page.read_text().count("data:image/jpeg") == 6
    kept = json.loads((run / "evaluation.json").read_text())
    assert {key: kept[key] for key in ("part", "error", "findings")} == {
        key: document[key] for key in ("part", "error", "findings")
    }
    drawn = (run / "report.html").read_text()
    assert "On recorded episodes" in drawn and all(finding["code"] in drawn for finding in document["findings"])
    (run / "evaluation.json").unlink()
    subprocess.run([*command, "--data.episodes", "[0]"], capture_output=True, check=False)
    assert not (run / "evaluation.json").exists(), "kept are the episodes that the run held out, not chosen ones"
