"""Rollouts in simulation: after training and during it, with real environments."""

import contextlib
import csv
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import make_dataset
import pytest
import tiny_policies
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st
from session_cache import once

from getiaction.errors import MachineError, RolloutError
from getiaction.evaluation import rollouts
from getiaction.evaluation.rollouts import Report, mean_and_half_width, wilson
from getiaction.lerobot.environments import Actor, Episode, StoppedEarly, environment_config, environments
from getiaction.policies.lerobot import ACT
from getiaction.spec.evaluation import Evaluation
from getiaction.train.run import train
from getiaction.train.summary import Summary

KEYPOINTS = {"type": "pusht", "obs_type": "environment_state_agent_pos", "episode_length": 12}


@pytest.fixture(scope="session")
def keypoints_root() -> Path:
    """A dataset with the features of gym-pusht's keypoints: 20 episodes of 12 frames, whatever they show."""
    return once(
        "lerobot/made/keypoints",
        lambda root: make_dataset.make(
            root,
            repo_id="made/keypoints",
            cameras={},
            extra={"observation.environment_state": 16},
            lengths=(12, 10, 11),
            low=50.0,
            high=450.0,
        ),
    )


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def recipe(root: Path, evaluation: dict[str, Any] | None = None, **trainer: Any) -> dict[str, Any]:
    made = {
        "seed": 3,
        "model": {
            "class_path": "getiaction.policies.lerobot.ACT",
            "init_args": {**tiny_policies.ACT, "learning_rate": 1e-3},
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": "made/keypoints", "root": str(root), "train_batch_size": 4, "num_workers": 0},
        },
        "trainer": {"accelerator": "cpu", "max_steps": 4, "log_every_n_steps": 1, **trainer},
    }
    return made if evaluation is None else {**made, "evaluation": evaluation}


def run(made: dict[str, Any], **arguments: Any) -> Summary:
    return train(made, recipe_name="tiny", recipe_text=yaml.safe_dump(made), quiet=True, **arguments)


def rows(folder: Path, column: str) -> dict[int, float]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(file) if row.get(column)}


def actor(root: Path) -> Actor:
    """A policy of random weights for a dataset."""
    from getiaction.data.lerobot import LeRobotDataModule

    torch.manual_seed(0)
    policy = ACT(**tiny_policies.ACT)
    data = LeRobotDataModule("made/keypoints", root=root, num_workers=0)
    tiny_policies.trainer(Path(), 1).fit(policy, datamodule=data)
    assert policy.lerobot_policy is not None
    return Actor(policy.lerobot_policy, policy.preprocessor, policy.postprocessor)


# -- numbers ---------------------------------------------------------------------------------------------------------


def test_wilson_intervals_are_those_of_the_books() -> None:
    """Newcombe 1998, Table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
    books = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
    for successes, count, low, high in books:
        assert wilson(successes, count) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_an_interval_holds_the_rate(counts: tuple[int, int]) -> None:
    successes, count = counts
    low, high = wilson(successes, count)
    assert 0 <= low <= successes / count <= high <= 1
    assert wilson(count - successes, count) == pytest.approx((1 - high, 1 - low))


def test_the_mean_of_one_value_has_no_interval() -> None:
    assert mean_and_half_width([3.0, 5.0]) == (4.0, pytest.approx(1.96, abs=0.01))
    mean, half = mean_and_half_width([3.0])
    assert mean == 3.0 and math.isnan(half)


def test_a_report_counts_its_episodes() -> None:
    episodes = tuple(Episode("pusht_0", 1000 + i, i < 2, 10.0, 0.5, 7 + i) for i in range(4))
    report = Report({"type": "pusht"}, episodes, 1.0)
    assert report.metrics["eval/success_rate"] == 0.5
    assert report.metrics["eval/episode_length"] == 8.5
    assert report.line() == "success 2 of 4 (50%, 95 % interval 15% to 85%), best reward 0.50 ± 0.00"


# -- environments ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"type": "pushed"}, "no environment `pushed`"),
        ({"type": "isaaclab_arena"}, "downloads from the Hub"),
        ({"type": "gym_manipulator"}, "real robot"),
        ({"type": "pusht", "obstype": "pixels"}, "no field `obstype`"),
        ({"type": "libero", "fps": 0}, "fps must be positive"),
        ({"type": "pusht", "fps": "fast"}, "the environment pusht"),
    ],
)
def test_an_environment_is_refused(env: dict[str, Any], message: str) -> None:
    with pytest.raises(RolloutError, match=message):
        environment_config(env)


def test_an_environment_whose_package_is_missing() -> None:
    with (
        pytest.raises(MachineError, match="metaworld") as caught,
        environments(environment_config({"type": "metaworld"}), 1),
    ):
        pass
    assert "getiaction[metaworld]" in caught.value.hint


@pytest.mark.slow
def test_what_is_said_of_an_environment_is_what_it_does() -> None:
    """`getiaction_cli.environments` reads from source what a policy will receive; here the environments are created."""
    from lerobot.envs.utils import preprocess_observation

    from getiaction_cli.environments import environments as known

    for name, values in (
        ("pusht", {}),
        ("pusht", {"obs_type": "environment_state_agent_pos"}),
        ("aloha", {"task": "AlohaTransferCube-v0"}),
    ):
        said = known()[name].provides(known()[name].configure(values))
        with environments(environment_config({"type": name, **values}), 1) as made:
            vector = made[name][0]
            observation, _ = vector.reset(seed=[0])
            seen = {key: tuple(value.shape[1:]) for key, value in preprocess_observation(observation).items()}
            assert {key: each.shape for key, each in said.items() if each.kind != "ACTION"} == seen
            assert said["action"].shape == vector.single_action_space.shape


# -- rollouts --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_result_is_that_of_lerobot_eval(keypoints_root: Path, tmp_path: Path) -> None:
    """Same weights, same seeds: the same success and rewards, episode by episode."""
    acting = actor(keypoints_root)
    for part in (acting.policy, acting.preprocessor, acting.postprocessor):
        part.save_pretrained(tmp_path / "policy")
    command = [
        *(sys.executable, "-m", "lerobot.scripts.lerobot_eval", f"--policy.path={tmp_path / 'policy'}"),
        *("--policy.device=cpu", "--env.type=pusht", "--env.obs_type=environment_state_agent_pos"),
        *("--env.episode_length=12", "--eval.n_episodes=4", "--eval.batch_size=2", "--eval.use_async_envs=false"),
        f"--output_dir={tmp_path / 'theirs'}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    theirs = json.loads((tmp_path / "theirs/eval_info.json").read_text())["per_task"][0]["metrics"]
    ours = rollouts.run(Evaluation(KEYPOINTS, episodes=4, batch_size=2, video=0), acting).episodes
    assert [episode.success for episode in ours] == theirs["successes"]
    assert [episode.sum_reward for episode in ours] == pytest.approx(theirs["sum_rewards"], abs=1e-5)
    assert [episode.max_reward for episode in ours] == pytest.approx(theirs["max_rewards"], abs=1e-6)
    assert max(episode.sum_reward for episode in ours) > 0


def test_several_environments_at_once_change_nothing(keypoints_root: Path, tmp_path: Path) -> None:
    acting = actor(keypoints_root)
    together = rollouts.run(
        Evaluation(KEYPOINTS, episodes=3, batch_size=3, video=2), acting, folder=tmp_path / "videos"
    )
    one = rollouts.run(Evaluation(KEYPOINTS, episodes=3, batch_size=1, video=0), acting)
    assert [e.seed for e in together.episodes] == [1000, 1001, 1002]
    assert [e.sum_reward for e in together.episodes] == pytest.approx([e.sum_reward for e in one.episodes], rel=1e-4)
    assert all(episode.steps == 12 for episode in together.episodes)
    names = [episode.video for episode in together.episodes]
    assert names == ["pusht_0_seed_1000.mp4", "pusht_0_seed_1001.mp4", None]
    with av.open(str(tmp_path / "videos" / str(names[0]))) as film:
        assert (film.streams.video[0].width, film.streams.video[0].height) == (384, 384)
        assert sum(1 for _ in film.decode(video=0)) == 12
    assert json.loads((tmp_path / "videos/rollouts.json").read_text())["metrics"] == together.metrics


@pytest.mark.parametrize("stop", [StoppedEarly, KeyboardInterrupt])
def test_what_was_measured_before_ctrl_c_is_kept(
    stop: type[BaseException], keypoints_root: Path, tmp_path: Path
) -> None:
    policy, options = actor(keypoints_root), Evaluation(KEYPOINTS, episodes=6, batch_size=2, seed=7, video=0)
    whole = rollouts.run(options, policy)

    def on_step(done: int, step: int) -> None:
        if (done, step) == (4, 3):
            raise stop

    part = rollouts.run(options, policy, folder=tmp_path / "kept", on_step=on_step)
    assert part.episodes == whole.episodes[:4] and part.planned == 6 and whole.planned is None
    assert ("stopped", "early, after 4 episodes; 6 per task were planned") in part.rows()
    assert json.loads((tmp_path / "kept" / "rollouts.json").read_text())["stopped_early"] is True

    def at_once(done: int, step: int) -> None:
        raise stop

    with pytest.raises(StoppedEarly):
        rollouts.run(options, policy, folder=tmp_path / "nothing", on_step=at_once)
    assert not (tmp_path / "nothing").exists()


def test_a_run_that_is_stopped_in_its_rollouts_keeps_the_finished_ones(
    keypoints_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recipe(keypoints_root, {"env": KEYPOINTS, "episodes": 4, "batch_size": 2, "every_n_steps": 2, "video": 0})
    real = rollouts.run

    def interrupted(*arguments: Any, on_step: Any, **more: Any) -> Any:
        def watched(done: int, step: int) -> None:
            if (done, step) == (2, 1):
                os.kill(os.getpid(), signal.SIGINT)
            on_step(done, step)

        return real(*arguments, on_step=watched, **more)

    monkeypatch.setattr(rollouts, "run", interrupted)
    stopped = run(made, output_dir="runs/one")
    assert stopped.stopped_by == signal.SIGINT and stopped.steps == 3
    kept = json.loads(Path("runs/one/rollouts/step_000002/rollouts.json").read_text())
    assert (len(kept["episodes"]), kept["stopped_early"]) == (2, True)
    assert rows(Path("runs/one"), "eval/max_reward") == {}, "half of the rollouts are not logged as all of them"
    monkeypatch.setattr(rollouts, "run", real)
    run(made, resume="runs/one")
    assert list(rows(Path("runs/one"), "eval/max_reward")) == [3]


def test_a_policy_that_does_not_fit_is_refused(keypoints_root: Path) -> None:
    acting = actor(keypoints_root)
    with pytest.raises(RolloutError, match=r"`observation.environment_state`, and the environment provides"):
        rollouts.check(Evaluation({"type": "pusht"}), acting)


@pytest.mark.slow
def test_aloha_in_mujoco(tmp_path: Path, aloha_root: Path) -> None:
    made = recipe(
        aloha_root,
        {"env": {"type": "aloha", "task": "AlohaTransferCube-v0", "episode_length": 5}, "episodes": 2, "video": 1},
        max_steps=1,
    )
    made["data"]["init_args"] |= {"repo_id": "lerobot/aloha_sim_transfer_cube_human", "train_batch_size": 1}
    summary = run(made)
    assert summary.rollouts.startswith("success 0 of 2 ")
    assert summary.folder is not None
    assert (summary.folder.path / "rollouts/step_000001/aloha_0_seed_1000.mp4").stat().st_size > 1000


# -- while training --------------------------------------------------------------------------------------------------


def test_rollouts_while_training_change_nothing_but_the_metrics(keypoints_root: Path) -> None:
    without = run(recipe(keypoints_root)).folder
    evaluation = {"env": KEYPOINTS, "episodes": 2, "every_n_steps": 2, "video": 1}
    saver = {
        "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
        "init_args": {"monitor": "eval/max_reward", "filename": "by_reward", "save_top_k": 1},
    }
    summary = run(recipe(keypoints_root, evaluation, callbacks=[saver]))
    assert without is not None and summary.folder is not None
    folder = summary.folder.path
    assert rows(folder, "train/loss") == rows(without.path, "train/loss")
    rewards = rows(folder, "eval/max_reward")
    assert list(rewards) == [1, 3]  # after 2 and 4 steps; the first step is 0
    assert list(rows(folder, "eval/success_rate").values()) == [0.0, 0.0]
    best = torch.load(folder / "checkpoints/by_reward.ckpt", weights_only=True)
    assert best["global_step"] == 1 + max(rewards, key=lambda step: (rewards[step], -step))
    assert summary.rollouts.startswith("success 0 of 2 (0%, ")
    assert (folder / "rollouts/step_000004/pusht_0_seed_1000.mp4").is_file()


def test_a_rollout_that_fails_does_not_end_the_training(keypoints_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def falls(*_: Any, **__: Any) -> Any:
        raise FloatingPointError("the simulator lost its mind")

    monkeypatch.setattr("getiaction.evaluation.rollouts.roll_out", falls)
    summary = run(recipe(keypoints_root, {"env": KEYPOINTS, "episodes": 2, "every_n_steps": 2}))
    assert summary.steps == 4 and summary.folder is not None
    assert summary.rollouts == "failed: FloatingPointError: the simulator lost its mind"
    assert summary.folder.pretrained_model.is_dir()
    with contextlib.suppress(KeyError):
        assert rows(summary.folder.path, "eval/success_rate") == {}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the test's process")
def test_a_simulator_that_takes_the_process_down_loses_no_training(
    keypoints_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getiaction.train.checkpoints.STEPS_BETWEEN_SAVES", (2, 5000))
    made = recipe(keypoints_root, {"env": KEYPOINTS, "episodes": 2, "every_n_steps": 2})
    whole = run(made, output_dir="whole").folder
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            monkeypatch.setattr("getiaction.evaluation.rollouts.roll_out", lambda *_, **__: os.kill(os.getpid(), 9))
            run(made, output_dir="part")
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -9
    part = Path("part")
    assert torch.load(part / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 2
    run(made, resume=part)
    assert whole is not None
    for column in ("train/loss", "train/loss_smooth", "eval/max_reward", "eval/sum_reward"):
        assert rows(part, column) == rows(whole.path, column)
    assert len((part / "metrics.csv").read_text().splitlines()) == len(whole.metrics.read_text().splitlines())


def test_an_environment_that_does_not_fit_ends_the_run_before_the_first_step(
    keypoints_root: Path, tmp_path: Path
) -> None:
    with pytest.raises(RolloutError, match="does not fit the policy"):
        run(recipe(keypoints_root, {"env": {"type": "pusht"}}))
    assert not list(tmp_path.glob("outputs/*/*"))


# -- getiaction evaluate --env ---------------------------------------------------------------------------------------


def cli(*words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "getiaction_cli.main", "evaluate", *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_evaluate_a_run_in_its_environment(keypoints_root: Path) -> None:
    """The fields of the run's own environment are kept, and the first `obs_type` that fits is found without them."""
    summary = run(recipe(keypoints_root, {"env": KEYPOINTS, "episodes": 2, "video": 0}))
    assert summary.folder is not None
    folder = str(summary.folder.path)
    code, out, _ = cli(
        folder, "--env", "pusht", "--episodes", "2", "--video", "1", "--seed", "1000", "--format", "json"
    )
    assert code == 0
    report = json.loads(out)
    assert next(iter(report)) == "version" and report["env"] == KEYPOINTS
    assert Path(report["folder"]).parent == summary.folder.path / "rollouts"
    assert (Path(report["folder"]) / report["episodes"][0]["video"]).is_file()
    within = json.loads((summary.folder.path / "rollouts/step_000004/rollouts.json").read_text())
    assert report["metrics"] == pytest.approx(within["metrics"])

    elsewhere = Path("moved")
    summary.folder.pretrained_model.rename(elsewhere)
    code, out, _ = cli(str(elsewhere), "--env", "pusht", "--episodes", "1", "--env.episode_length", "3", "--video", "0")
    assert code == 0
    assert "pusht (episode_length 3, obs_type environment_state_agent_pos)" in out
    assert "3 to 3 steps" in out


@pytest.mark.slow
def test_ctrl_c_prints_what_was_measured(keypoints_root: Path) -> None:
    folder = run(recipe(keypoints_root)).folder
    assert folder is not None
    words = [str(folder.path), "--env", "pusht", "--episodes", "20000", "--batch-size", "2", "--video", "0"]
    words += ["--env.obs_type", "environment_state_agent_pos", "--env.episode_length", "4", "--format", "json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "getiaction_cli", "evaluate", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if "20,000 rollouts in pusht" in line:
            break
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    measured = json.loads(out)
    assert measured["stopped_early"] is True and 0 < len(measured["episodes"]) < 20_000


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--env", "pushed"), "LeRobot has no environment pushed"),
        (("--env", "pusht", "--data.root", "x"), "--data.root is not for rollouts"),
        (("--seed", "3"), "--seed is for rollouts"),
        (("--env", "pusht", "--html", "page.html"), "--html is not for rollouts"),
    ],
)
def test_evaluate_says_what_is_wrong_with_its_words(words: tuple[str, ...], message: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "config.json").write_text("{}")
    code, _, err = cli(str(policy), *words)
    assert code == 2
    assert message in err
