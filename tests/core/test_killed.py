"""Runs that kill -9, a full disk or a closed terminal ends at any moment: what is left resumes, and nothing is wrong.

The killed process is a fork of the test's own, so that a kill costs a second and not the import of torch.
"""

import csv
import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import torch
from test_run import assert_same_run, losses, recipe, run

from getiaction.errors import TrainingError
from getiaction.spec.run_folder import LOCK

# What changes a name or a file on the disk, as the interpreter reports it.
WRITES = {"open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate", "os.rmdir"}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="forks the test's process")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(12, 10, 11))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Five saves in a run of ten steps.
    monkeypatch.setattr("getiaction.train.checkpoints.STEPS_BETWEEN_SAVES", (2, 5000))


def given(root: Path) -> dict[str, Any]:
    return recipe(root, max_steps=10, data={"val_split": 0.4}, val_check_interval=3)


def forked(function: Callable[[], object], parent: Callable[[int], None] = lambda pid: None) -> int:
    """Run a function in a fork; returns how the fork ended, as `subprocess` does."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            function()
            code = 0
        finally:
            os._exit(code)
    parent(pid)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def kill_before_write(number: int) -> Callable[[], None]:
    """From now on, this process is killed before its n-th change of a file below ./runs."""
    seen = 0
    here = str(Path("runs").absolute())

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in WRITES or not any(here in str(Path(str(a)).absolute()) for a in arguments[:2]):
            return
        if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
            return
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return lambda: sys.addaudithook(watch)


def start_or_resume(root: Path) -> Any:
    """What a job script does that is started again until it succeeds."""
    if Path("runs/one/checkpoints/last.ckpt").exists():
        return run(given(root), resume="runs/one")
    return run(given(root), output_dir="runs/one")


def assert_no_fault(folder: Path) -> None:
    """Only an unexpected error in a killed process writes a log here; it says which."""
    for log in folder.glob("log*.txt"):
        assert log.read_text()[-3000:] == ""


def assert_sound(folder: Path, whole: Path) -> None:
    assert_no_fault(folder)
    assert_same_run(whole, folder)
    assert losses(folder, "val/loss") == losses(whole, "val/loss")
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [(row["step"], row["val/loss"]) for row in csv.DictReader(file)]
    assert len(rows) == len(set(rows))
    claim = json.loads((folder / "checkpoints/best.json").read_text())
    assert claim["step"] == torch.load(folder / "checkpoints/best.ckpt", weights_only=True)["global_step"]
    assert claim == json.loads((whole / "checkpoints/best.json").read_text())
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == sorted(
        path.relative_to(whole) for path in whole.rglob("*")
    )


@pytest.fixture(scope="module")
def whole(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing has ended."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("getiaction.train.checkpoints.STEPS_BETWEEN_SAVES", (2, 5000))
        run(given(root), output_dir=folder)
    return folder


def killed_before(number: int, root: Path) -> bool:
    watch = kill_before_write(number)

    def trained() -> None:
        watch()
        start_or_resume(root)

    return forked(trained) == -signal.SIGKILL


@pytest.mark.parametrize("number", [3, 25, 40])
def test_a_kill_between_two_writes_costs_nothing(number: int, root: Path, whole: Path) -> None:
    assert killed_before(number, root)
    start_or_resume(root)
    assert_sound(Path("runs/one"), whole)


@pytest.mark.slow
def test_kills_all_over_the_writes_of_a_run_cost_nothing(root: Path, whole: Path) -> None:
    number = random.randrange(1, 8)
    while killed_before(number, root):
        start_or_resume(root)
        assert_sound(Path("runs/one"), whole)
        Path("runs").rename(f"done-{number}")
        number += 7
    assert_no_fault(Path("runs/one"))
    assert number > 60


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_kills_at_any_time_cost_nothing(seed: int, root: Path, whole: Path) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        forked(
            lambda: start_or_resume(root),
            lambda pid: (time.sleep(chance.uniform(0.05, 1.5)), os.kill(pid, signal.SIGKILL)),
        )
    start_or_resume(root)
    assert_sound(Path("runs/one"), whole)


def test_a_second_process_is_told_who_trains(root: Path) -> None:
    run(given(root), output_dir="runs/one")
    begun, resumed = os.pipe()

    def second(pid: int) -> None:
        os.read(begun, 1)
        try:
            with pytest.raises(
                TrainingError, match=rf"in use: process {pid} on \S+ has trained in it since 20"
            ) as told:
                run(recipe(root, max_steps=400), resume="runs/one")
            assert told.value.hint.endswith(f"kill {pid}")
            with pytest.raises(TrainingError, match=r"in use|not empty"):
                run(recipe(root), output_dir="runs/one")
        finally:
            os.kill(pid, signal.SIGKILL)

    def first() -> None:
        from getiaction.train.run_recorder import RunRecorder

        original = RunRecorder.on_train_start

        def told(*arguments: Any) -> None:
            original(*arguments)
            os.write(resumed, b"x")

        RunRecorder.on_train_start = told  # type: ignore[method-assign]
        run(recipe(root, max_steps=100_000), resume="runs/one")

    assert forked(first, second) == -signal.SIGKILL
    # The lock ended with its process.
    assert run(recipe(root, max_steps=12), resume="runs/one").steps == 12


@pytest.mark.parametrize("signum", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_that_arrives_twice_at_once_is_saved(signum: int, root: Path) -> None:
    from test_run import interrupted_at

    with interrupted_at(3, signum, times=2):
        summary = run(recipe(root))
    assert (summary.stopped_by, summary.steps) == (signum, 3)
    assert signal.getsignal(signum) is signal.SIG_DFL


def test_a_run_that_ignores_hangups_continues(root: Path) -> None:
    from test_run import interrupted_at

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with interrupted_at(3, signal.SIGHUP):
            assert run(recipe(root)).stopped_by is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_run_without_a_checkpoint_starts_again_in_its_folder(root: Path, whole: Path) -> None:
    def killed() -> None:
        from getiaction.train.checkpoints import Checkpoints

        Checkpoints.on_train_batch_start = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        run(given(root), output_dir="runs/one")

    folder = Path("runs/one")
    for again in ({"output_dir": folder}, {"resume": folder}):
        assert forked(killed) == -signal.SIGKILL
        (folder / "notes.txt").write_text("mine")
        assert run(given(root), **again).steps == 10
        assert (folder / "notes.txt").read_text() == "mine"
        (folder / "notes.txt").unlink()
        assert_sound(folder, whole)
        folder.rename(f"runs/{len(list(Path('runs').iterdir()))}")


def test_a_folder_that_is_not_a_run_is_never_started_in(root: Path) -> None:
    Path("mine").mkdir()
    Path("mine/recipe.yaml").write_text("precious")
    with pytest.raises(TrainingError, match="not empty"):
        run(given(root), output_dir="mine")
    with pytest.raises(TrainingError, match="no checkpoints/last"):
        run(given(root), resume="mine")
    assert [path.name for path in Path("mine").iterdir()] == ["recipe.yaml"]


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe\x00", None], ids=["empty", "cut", "binary", "missing"])
def test_a_damaged_file_beside_the_checkpoint_stops_nothing(damage: bytes | None, root: Path, whole: Path) -> None:
    from test_run import interrupted_at

    with interrupted_at(5):
        run(given(root), output_dir="runs/one")
    for name in ("recipe.yaml", "run.json", "checkpoints/best.json", LOCK):
        path = Path("runs/one", name)
        path.unlink()
        if damage is not None:
            path.write_bytes(damage)
    run(given(root), resume="runs/one")
    assert_sound(Path("runs/one"), whole)


def test_rows_that_can_not_be_read_are_set_aside(root: Path) -> None:
    first = run(recipe(root))
    assert first.folder
    before = first.folder.metrics.read_bytes()
    first.folder.metrics.write_bytes(before + b"1,2,what\r\n0,")
    run(recipe(root, max_steps=8), resume=first.folder.path)
    assert list(losses(first.folder.path)) == list(range(8))
    assert (first.folder.path / "metrics.csv.damaged").read_bytes().startswith(before)


def test_a_limit_on_file_sizes_is_explained_and_harms_nothing(root: Path) -> None:
    run(recipe(root), output_dir="runs/one")
    last = Path("runs/one/checkpoints/last.ckpt").read_bytes()
    claim = Path("runs/one/checkpoints/best.json").read_text()

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        with pytest.raises(TrainingError, match=r"could not be written|larger than"):
            run(recipe(root, max_steps=12), resume="runs/one")

    assert forked(limited) == 0
    assert Path("runs/one/checkpoints/last.ckpt").read_bytes() == last
    assert Path("runs/one/checkpoints/best.json").read_text() == claim
    assert run(recipe(root, max_steps=12), resume="runs/one").steps == 12
    assert list(losses(Path("runs/one"))) == list(range(12))
