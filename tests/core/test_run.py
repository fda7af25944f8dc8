"""Whole runs, on the smallest policy there is: ACT without a camera."""

import csv
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning as L
import make_dataset
import pytest
import tiny_policies
import torch
import yaml

from getiaction.errors import DataError, TrainingError
from getiaction.train import build
from getiaction.train.interrupt import Interrupted
from getiaction.train.progress import Smooth
from getiaction.train.run import train
from getiaction.train.summary import Summary

BATCHES_PER_EPOCH = 9


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """33 frames in 3 episodes: 9 batches of 4, the last of them of 1."""
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(12, 10, 11))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def recipe(
    root: Path, *, data: dict[str, Any] | None = None, model: dict[str, Any] | None = None, **trainer: Any
) -> dict[str, Any]:
    return {
        "seed": 3,
        "model": {
            "class_path": "getiaction.policies.lerobot.ACT",
            "init_args": {**tiny_policies.ACT, "learning_rate": 1e-3, **(model or {})},
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {
                "repo_id": "made/blind",
                "root": str(root),
                "train_batch_size": 4,
                "num_workers": 0,
                **(data or {}),
            },
        },
        "trainer": {"accelerator": "cpu", "max_steps": 6, "log_every_n_steps": 1, **trainer},
    }


def run(given: dict[str, Any], **arguments: Any) -> Summary:
    return train(given, recipe_name="tiny", recipe_text=yaml.safe_dump(given), quiet=True, **arguments)


def losses(folder: Path, column: str = "train/loss") -> dict[int, float]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {int(row["step"]): float(row[column]) for row in csv.DictReader(file) if row.get(column)}


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def assert_same_run(one: Path, other: Path) -> None:
    assert losses(one) == losses(other)
    mine, theirs = weights(one), weights(other)
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine)


@contextmanager
def interrupted_at(step: int, signum: int = signal.SIGINT, times: int = 1) -> Iterator[None]:
    """In that step, a signal arrives (twice when asked)."""

    class Signal(L.Callback):
        sent = False

        def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
            if trainer.global_step == step - 1 and not self.sent:
                self.sent = True
                for _ in range(times):
                    os.kill(os.getpid(), signum)

    original = build.trainer
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "trainer", lambda recipe, run, ours: original(recipe, run, [Signal(), *ours]))
        yield


def test_a_run_leaves_everything_behind(root: Path) -> None:
    given = recipe(root)
    summary = run(given)
    assert summary.folder is not None
    folder = summary.folder.path
    assert folder.parent == Path("outputs/tiny")
    assert yaml.safe_load((folder / "recipe.yaml").read_text()) == given
    facts = json.loads((folder / "run.json").read_text())
    assert {"python", "versions", "dataset"} <= facts.keys()
    assert {"torch", "lightning", "lerobot", "getiaction"} <= facts["versions"].keys()
    assert facts["dataset"]["episodes"] == 3
    assert len(facts["dataset"]["fingerprint"]) == 64
    assert list(losses(folder)) == [0, 1, 2, 3, 4, 5]
    assert (folder / "checkpoints/last.ckpt").is_file()
    assert (folder / "checkpoints/best.ckpt").is_file()
    assert (folder / "pretrained_model/config.json").is_file()
    assert (folder / "pretrained_model/model.safetensors").is_file()
    assert (folder / "pretrained_model/policy_preprocessor.json").is_file()

    assert (summary.steps, summary.planned, summary.stopped_by) == (6, 6, None)
    assert (summary.policy, summary.dataset, summary.episodes, summary.frames) == ("ACT", "made/blind", 3, 33)
    assert summary.first_loss == pytest.approx(losses(folder)[0])
    assert summary.best
    assert summary.best.of == "train/loss"
    text = summary.text()
    assert str(folder / "pretrained_model") in text
    assert f"getiaction train --resume {folder} --trainer.max_steps 12" in text


def test_the_checkpoint_acts_as_the_trained_policy(root: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    policies: list[Any] = []
    original = build.policy

    def keep(given: dict[str, Any]) -> Any:
        policies.append(original(given))
        return policies[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "policy", keep)
        summary = run(recipe(root))
    assert summary.folder is not None
    loaded = LeRobotPolicy.load_from_checkpoint(summary.folder.last)
    observation = {"observation.state": torch.rand(2), "observation.environment_state": torch.rand(3)}
    policies[0].reset()
    loaded.reset()
    for _ in range(6):
        assert torch.equal(policies[0].select_action(observation), loaded.select_action(observation))


def test_a_seed_makes_a_run_repeatable(root: Path) -> None:
    first, second, other = run(recipe(root)), run(recipe(root)), run({**recipe(root), "seed": 4})
    assert first.folder and second.folder and other.folder
    assert first.folder.path != second.folder.path
    assert_same_run(first.folder.path, second.folder.path)
    assert losses(first.folder.path) != losses(other.folder.path)


def test_a_drawn_seed_is_kept(root: Path) -> None:
    given = recipe(root, max_steps=2)
    del given["seed"]
    first = run(given)
    assert first.folder
    kept = yaml.safe_load(first.folder.recipe.read_text())
    assert isinstance(kept["seed"], int)
    second = run(kept)
    assert second.folder
    assert losses(first.folder.path) == losses(second.folder.path)


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(1, marks=pytest.mark.slow),
        4,
        BATCHES_PER_EPOCH,
        pytest.param(BATCHES_PER_EPOCH + 1, marks=pytest.mark.slow),
        pytest.param(2 * BATCHES_PER_EPOCH, marks=pytest.mark.slow),
    ],
)
def test_a_resumed_run_is_the_run_that_was_not_interrupted(stop: int, root: Path) -> None:
    given = recipe(root, max_steps=20)
    whole = run(given)
    with interrupted_at(stop):
        part = run(given)
    assert whole.folder and part.folder
    assert (part.stopped_by, part.steps) == (signal.SIGINT, stop)
    assert part.next_commands() == [("resume", f"getiaction train --resume {part.folder.path}")]
    assert (part.folder.pretrained_model / "model.safetensors").is_file()
    rest = run(given, resume=part.folder.path)
    assert rest.folder
    assert rest.folder.path == part.folder.path
    assert (rest.stopped_by, rest.steps) == (None, 20)
    assert_same_run(whole.folder.path, part.folder.path)


def test_a_resumed_run_keeps_the_seed_that_was_drawn_for_it(root: Path) -> None:
    given = recipe(root, max_steps=2)
    del given["seed"]
    first = run(given)
    assert first.folder
    seed = first.folder.seed
    assert seed is not None
    second = run({**given, "trainer": {**given["trainer"], "max_steps": 4}}, resume=first.folder.path)
    assert second.folder
    assert second.folder.seed == seed


def test_a_finished_run_has_nothing_left_to_do_and_says_so(root: Path) -> None:
    first = run(recipe(root, max_steps=2))
    assert first.folder
    again = run(recipe(root, max_steps=2), resume=first.folder.path)
    assert (again.steps, again.losses) == (2, ())
    assert again.best == first.best
    text = again.text()
    assert "already finished: 2 steps were done before" in text
    assert "nan" not in text
    assert "--trainer.max_steps 4" in text


def test_a_recipe_that_asks_for_no_step_is_told_so(root: Path) -> None:
    with pytest.raises(TrainingError, match="nothing was trained"):
        run(recipe(root, max_steps=0))
    assert not list(Path().glob("outputs/*/*"))


def test_an_accumulated_step_is_shown_with_its_whole_loss(root: Path) -> None:
    one = run(recipe(root, max_steps=1))
    two = run(recipe(root, max_steps=1, accumulate_grad_batches=2))
    assert one.folder and two.folder and two.best
    assert two.first_loss == pytest.approx(one.first_loss)
    assert two.best.loss == pytest.approx(one.first_loss, rel=0.5)
    assert two.first_loss == pytest.approx(losses(one.folder.path)[0])


def test_the_loss_is_one_number_everywhere(root: Path) -> None:
    summary = run(recipe(root, max_steps=25, log_every_n_steps=10))
    assert summary.folder and summary.best
    smooth = losses(summary.folder.path, "train/loss_smooth")
    assert list(smooth) == [9, 19, 24], "the row of a checkpoint is always there"
    assert summary.final_loss == summary.best.loss == pytest.approx(smooth[24], abs=1e-6)
    assert summary.best.step == 25
    every = losses(run(recipe(root, max_steps=25)).folder.path)  # type: ignore[union-attr]
    average = Smooth()
    for step in range(25):
        average.add(every[step])
    assert average.value == pytest.approx(smooth[24], rel=1e-5)
    assert summary.first_loss == pytest.approx(every[0])


def test_the_summary_of_a_resumed_run_speaks_of_the_whole_run(root: Path) -> None:
    given = recipe(root, max_steps=20)
    whole = run(given)
    with interrupted_at(14):
        part = run(given)
    assert whole.folder and part.folder
    rest = run(given, resume=part.folder.path)
    assert (rest.steps, rest.part_steps, whole.part_steps) == (20, 6, 20)
    assert (rest.first_loss, rest.final_loss, rest.losses) == (whole.first_loss, whole.final_loss, whole.losses)
    assert rest.seconds == pytest.approx(part.seconds + rest.part_seconds)
    assert rest.samples_per_second * rest.seconds == pytest.approx(whole.samples_per_second * whole.seconds)
    assert "20 steps in 0:00:0" in rest.text() and "(6 of them after resuming, in 0:00:0" in rest.text()
    assert losses(part.folder.path, "train/loss_smooth") == losses(whole.folder.path, "train/loss_smooth")


EARLY_STOPPING = {
    "class_path": "lightning.pytorch.callbacks.EarlyStopping",
    "init_args": {"monitor": "val/loss"},
}


@pytest.mark.parametrize(
    ("trainer", "validated"),
    [
        # An epoch has 3 batches.
        ({"max_steps": 2}, [1]),
        ({"max_steps": 3}, [2]),
        ({"max_steps": 2, "callbacks": [EARLY_STOPPING]}, [1]),
        ({"max_steps": 1, "accumulate_grad_batches": 2}, [0]),
        ({"max_steps": 5, "check_val_every_n_epoch": 2}, [4]),
        ({"max_steps": -1, "max_epochs": 1, "check_val_every_n_epoch": 3}, [2]),
        ({"max_steps": 4, "val_check_interval": 2}, [1]),
        ({"max_steps": 2, "limit_val_batches": 0}, []),
    ],
)
def test_held_out_episodes_are_validated_at_least_once(
    trainer: dict[str, Any], validated: list[int], root: Path
) -> None:
    summary = run(recipe(root, data={"val_split": 0.4}, **trainer))
    assert summary.folder
    assert list(losses(summary.folder.path, "val/loss")) == validated


def test_a_dataset_that_changed_since_the_run_began_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    features = {"cameras": {}, "extra": {"observation.environment_state": 3}}
    place = make_dataset.make(tmp_path / "set", lengths=(12, 10), **features)
    first = run(recipe(place, max_steps=2))
    assert first.folder
    before = json.loads(first.folder.facts.read_text())
    shutil.rmtree(place)
    make_dataset.make(place, lengths=(12, 10, 11), **features)
    longer = recipe(place, max_steps=4)
    train(longer, recipe_name="tiny", recipe_text=yaml.safe_dump(longer), resume=first.folder.path)
    assert (
        "the dataset changed since the earlier part of this run (2 episodes → 3 episodes, 22 frames → 33 frames); "
        "run.json keeps both fingerprints"
    ) in capsys.readouterr().err
    after = json.loads(first.folder.facts.read_text())
    (part,) = after.pop("resumed")
    assert after == before, "the facts of the first part stay"
    assert (part["from_step"], part["dataset"]["episodes"]) == (2, 3)
    assert part["dataset"]["fingerprint"] != before["dataset"]["fingerprint"]


def test_a_run_that_could_not_go_on_keeps_its_recipe(root: Path) -> None:
    first = run(recipe(root, max_steps=2))
    assert first.folder
    kept = first.folder.recipe.read_text()
    other = recipe(root, max_steps=4)
    other["model"]["init_args"]["dim_model"] = 16
    with pytest.raises(TrainingError, match="model differs from the recipe's"):
        run(other, resume=first.folder.path)
    assert first.folder.recipe.read_text() == kept


def test_a_damaged_checkpoint_is_one(root: Path, tmp_path: Path) -> None:
    summary = run(recipe(root, max_steps=2))
    assert summary.folder
    last = summary.folder.last
    whole = last.read_bytes()
    middle = len(whole) // 3
    torch.save({"a": 1}, tmp_path / "other.ckpt")
    damages = {
        "cut": whole[:3000],
        "empty": b"",
        "text": b"hello\n",
        "pickle": whole.replace(b"hyper_parameters", b"hyper_\xff\xfframeters", 1),
        "tensors": whole[:middle] + bytes(5000) + whole[middle + 5000 :],
        "another": (tmp_path / "other.ckpt").read_bytes(),
    }
    for name, damaged in damages.items():
        last.unlink()  # best.ckpt may be the same file
        last.write_bytes(damaged)
        with pytest.raises(TrainingError, match=r"last\.ckpt is damaged, or not a checkpoint") as refused:
            run(recipe(root, max_steps=4), resume=summary.folder.path)
        assert str(summary.folder.best) in refused.value.hint, name


VARIANTS: dict[str, dict[str, Any]] = {
    "validation": {"data": {"val_split": 0.4}},
    "validation-in-between": {"data": {"val_split": 0.4}, "val_check_interval": 2},
    "accumulated": {"accumulate_grad_batches": 2, "max_steps": 8},
    "epochs": {"max_epochs": 2, "max_steps": -1},
    "workers": {"data": {"num_workers": 1}},
}


@pytest.mark.slow
@pytest.mark.parametrize("stop", [3, 4, 5, 6])
@pytest.mark.parametrize("variant", VARIANTS)
def test_resuming_is_exact_whatever_the_trainer_does(variant: str, stop: int, root: Path) -> None:
    given = recipe(root, **{"max_steps": 14, **VARIANTS[variant]})
    whole = run(given)
    with interrupted_at(stop):
        part = run(given)
    assert part.stopped_by
    assert part.steps == stop
    assert whole.folder and part.folder
    run(given, resume=part.folder.last)
    assert_same_run(whole.folder.path, part.folder.path)
    if "validation" in variant:
        assert losses(whole.folder.path, "val/loss") == losses(part.folder.path, "val/loss")


def test_a_finished_run_can_be_made_longer(root: Path) -> None:
    long = run(recipe(root, max_steps=12))
    short = run(recipe(root, max_steps=6))
    assert long.folder and short.folder
    run(recipe(root, max_steps=12), resume=short.folder.path)
    assert_same_run(long.folder.path, short.folder.path)


def test_rows_after_the_last_checkpoint_are_done_again(root: Path) -> None:
    part = run(recipe(root, max_steps=6))
    assert part.folder
    with part.folder.metrics.open("a") as file:  # as a killed run leaves them
        columns = len(part.folder.metrics.read_text().splitlines()[0].split(","))
        file.write("0,6" + "," * (columns - 2) + "\n")
    run(recipe(root, max_steps=8), resume=part.folder.path)
    assert list(losses(part.folder.path)) == list(range(8))


def test_sigterm_is_saved_too(root: Path) -> None:
    with interrupted_at(3, signal.SIGTERM):
        summary = run(recipe(root))
    assert (summary.stopped_by, summary.steps) == (signal.SIGTERM, 3)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_stops_at_once(root: Path) -> None:
    with interrupted_at(3, times=2), pytest.raises(Interrupted):
        run(recipe(root))


def test_fast_dev_run_keeps_nothing_and_promises_nothing(root: Path) -> None:
    summary = run(recipe(root, fast_dev_run=1, data={"val_split": 0.4}))
    assert (summary.steps, summary.folder) == (1, None)
    assert "outputs" not in summary.text()
    assert not Path("outputs").exists()


def test_fast_dev_run_builds_no_frame_store(small_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GETIACTION_CACHE", str(tmp_path / "cache"))
    trial = recipe(small_root, fast_dev_run=1, data={"num_workers": 2})
    summary = run(trial)
    assert summary.steps == 1
    assert not (tmp_path / "cache").exists()


def test_without_checkpoints_a_run_leaves_its_policy_and_metrics(root: Path) -> None:
    summary = run(recipe(root, max_steps=4, enable_checkpointing=False, data={"val_split": 0.4}))
    assert summary.folder
    assert summary.steps == 4
    assert not list(summary.folder.path.rglob("*.ckpt"))
    assert (summary.folder.pretrained_model / "model.safetensors").is_file()
    assert len(losses(summary.folder.path, "val/loss")) >= 1
    assert "enable_checkpointing is false" in summary.text()
    assert "--resume" not in summary.text()


def test_without_checkpoints_a_signal_ends_the_run_after_its_step(root: Path) -> None:
    with interrupted_at(3):
        summary = run(recipe(root, enable_checkpointing=False))
    assert (summary.steps, summary.stopped_by) == (3, signal.SIGINT)
    assert summary.folder
    assert not list(summary.folder.path.rglob("*.ckpt"))
    assert (summary.folder.pretrained_model / "model.safetensors").is_file()


def test_validation_decides_about_the_best(root: Path) -> None:
    summary = run(recipe(root, max_steps=12, data={"val_split": 0.4}))
    assert summary.folder
    assert summary.best
    assert summary.best.of == "val/loss"
    assert summary.best.loss == pytest.approx(min(losses(summary.folder.path, "val/loss").values()), rel=1e-4)
    saved = torch.load(summary.folder.best, weights_only=True)
    assert saved["global_step"] == summary.best.step


def test_an_output_folder_in_use_is_left_alone(root: Path) -> None:
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("precious")
    with pytest.raises(TrainingError, match="not empty"):
        run(recipe(root), output_dir="mine")
    assert [path.name for path in Path("mine").iterdir()] == ["thesis.txt"]
    summary = run({**recipe(root, max_steps=1), "output_dir": "fresh"})
    assert summary.folder
    assert summary.folder.path == Path("fresh")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"data": {"root": "nowhere"}}, DataError),
        ({"model": {"n_heads": 3}}, Exception),
        ({"precision": "8"}, TrainingError),
    ],
)
def test_a_run_that_never_began_leaves_no_folder(change: dict[str, Any], error: type[Exception], root: Path) -> None:
    with pytest.raises(error):
        run(recipe(root, **change))
    assert not list(Path("outputs/tiny").iterdir())


def test_a_loss_that_is_no_number_stops_the_run_and_spares_the_checkpoint(root: Path) -> None:
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) at step \d+"):
        run(recipe(root, max_steps=200, model={"learning_rate": 1e30}))
    (folder,) = Path("outputs/tiny").iterdir()
    assert not (folder / "checkpoints/last.ckpt").exists()


def test_a_full_disk_is_said_and_the_last_checkpoint_is_unharmed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = run(recipe(root))
    assert first.folder
    before = first.folder.last.read_bytes()

    def full(checkpoint: Any, path: Path) -> None:
        path.write_bytes(b"half of it")
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match="the disk is full"):
        run(recipe(root, max_steps=8), resume=first.folder.path)
    assert first.folder.last.read_bytes() == before
    assert sorted(path.name for path in first.folder.checkpoints.iterdir()) == ["best.ckpt", "best.json", "last.ckpt"]


def test_a_checkpoint_with_code_in_it_is_not_read(root: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, ("touch hacked",)

    first = run(recipe(root, max_steps=1))
    assert first.folder
    torch.save({**torch.load(first.folder.last, weights_only=True), "callbacks": {"x": Evil()}}, first.folder.last)
    with pytest.raises(TrainingError, match="more than numbers and plain values"):
        run(recipe(root, max_steps=2), resume=first.folder.path)
    assert not Path("hacked").exists()


def test_another_model_cannot_be_resumed(root: Path) -> None:
    first = run(recipe(root, max_steps=1))
    assert first.folder
    with pytest.raises(TrainingError, match="model differs"):
        run(recipe(root, max_steps=2, model={"dim_model": 16}), resume=first.folder.path)
