"""`getiaction train` and `getiaction fit` as a user meets them: in a process of their own."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import make_dataset
import pytest
import yaml
from typer.testing import CliRunner

from getiaction_cli.main import app

GETIACTION = [sys.executable, "-m", "getiaction_cli.main"]
RECIPES = Path(__file__).parents[2] / "recipes"
# Everything that may stand on stderr of a run that goes well.
TALK = re.compile(
    r"starting…|reading .*…|building the policy…|writing pretrained_model…|ACT \(.*\) on .*|run folder .*"
    r"|frames are decoded .*|decoding .*"
    r"|.* needs|  (memory|time|disk) +\S.*|          \S.*"
    r"|step \d+/\d+  loss \S+  (val \S+  )?\S+ samples/s(  [\d:]+ left)?|(Ctrl-C|SIGTERM): .*|"
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "blind"
    return make_dataset.make(folder, cameras={}, extra={"observation.environment_state": 3}, lengths=(30, 40, 25))


@pytest.fixture
def recipe(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe of the smallest ACT, in a working folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = tmp_path / "tiny.yaml"
    arguments: dict[str, Any] = {
        "chunk_size": 4,
        "n_action_steps": 4,
        "dim_model": 32,
        "n_heads": 2,
        "dim_feedforward": 64,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "learning_rate": 1.0e-3,
        "pretrained_backbone_weights": None,
    }
    data = {"repo_id": "made/blind", "root": str(root), "train_batch_size": 4, "num_workers": 0}
    given = {
        "seed": 1,
        "model": {"class_path": "getiaction.policies.lerobot.ACT", "init_args": arguments},
        "data": {"class_path": "getiaction.data.lerobot.LeRobotDataModule", "init_args": data},
        "trainer": {"max_steps": 20, "accelerator": "cpu"},
    }
    path.write_text(yaml.safe_dump(given, sort_keys=False))
    return path


def call(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GETIACTION, *map(str, words)], capture_output=True, text=True, timeout=600, **options)


def only_run(name: str = "tiny") -> Path:
    (folder,) = Path("outputs", name).iterdir()
    return folder


def assert_only_talk(stderr: str) -> None:
    assert [line for line in stderr.splitlines() if not TALK.fullmatch(line)] == []


# Without the core ---------------------------------------------------------------------------------


def invoke(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_wrong_recipe_is_refused_before_anything_heavy(recipe: Path) -> None:
    code = "import sys; from getiaction_cli.main import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    words = ["train", str(recipe), "--model.chunk_sizes", "3"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == "False\n"
    assert "chunk_sizes" in done.stderr
    assert "nothing was trained" in done.stderr
    assert not Path("outputs").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["train"], 2),
        (["train", "--foo"], 2),
        (["train", "tiny.yaml", "--trainer.max_steps"], 2),
        (["fit", "tiny.yaml"], 2),
        (["train", "--resume"], 2),
        (["train", "nothing.yaml"], 3),
        (["train", "tiny.yaml", "--resume"], 3),
        (["train", "--resume", "nowhere"], 3),
    ],
)
def test_wrong_words_have_their_exit_code(recipe: Path, words: list[str], code: int) -> None:
    result = invoke(*words)
    found = getattr(result.exception, "exit_code", result.exit_code)
    assert found == code


def test_an_unknown_option_is_answered_with_the_nearest(recipe: Path) -> None:
    result = invoke("train", recipe, "--resum", "x")
    assert result.exit_code == 2
    assert "--resume" in result.stderr


# With the core ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_in_a_pipe_is_clean_text(recipe: Path) -> None:
    done = call("train", recipe)
    assert done.returncode == 0, done.stderr
    assert_only_talk(done.stderr)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr
    folder = only_run()
    for said in ("trained", "ACT", "made/blind", "20 steps", "samples/s", str(folder / "checkpoints/last.ckpt")):
        assert said in done.stdout
    assert f"getiaction train --resume {folder} --trainer.max_steps 40" in done.stdout
    assert "GPU available" in (folder / "log.txt").read_text()


@pytest.mark.slow
def test_the_words_of_lightningcli_and_quiet(recipe: Path) -> None:
    done = call("--quiet", "fit", "--config", recipe, "--trainer.fast_dev_run=1", "--model.chunk_size", "5")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "trained  1 step in" in done.stdout
    assert not Path("outputs").exists()


@pytest.mark.slow
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved_and_says_how_to_go_on(recipe: Path, signum: int) -> None:
    words = [*GETIACTION, "train", str(recipe), "--trainer.max_steps", "100000"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    rows = Path("outputs/tiny")
    for _ in range(1200):
        if list(rows.glob("*/metrics.csv")) or process.poll() is not None:
            break
        time.sleep(0.25)
    process.send_signal(signum)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 128 + signum, stderr
    assert_only_talk(stderr)
    command = f"getiaction train --resume {only_run()}"
    assert command in stdout
    steps = int(re.search(r"stopped +(\d+) of 100,000 steps", stdout)[1])  # type: ignore[index]
    again = call(*command.split()[1:], "--trainer.max_steps", steps + 5)
    assert again.returncode == 0, again.stderr
    assert f"from step {steps}" in again.stderr
    assert f"{steps + 5} steps" in again.stdout


@pytest.mark.slow
def test_a_closed_terminal_saves_the_run(recipe: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [*GETIACTION, "train", str(recipe), "--trainer.max_steps", "100000"])
    for _ in range(1200):
        if list(Path("outputs/tiny").glob("*/metrics.csv")):
            break
        if select.select([terminal], [], [], 0.25)[0]:
            os.read(terminal, 65536)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 128 + signal.SIGHUP
    run = only_run()
    assert (run / "pretrained_model/model.safetensors").is_file()
    done = call("train", "--resume", run, "--trainer.max_steps", 1)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_resume_alone_is_the_latest_run(recipe: Path) -> None:
    assert call("train", recipe, "--trainer.max_steps=2").returncode == 0
    done = call("train", recipe, "--resume", "--trainer.max_steps=4")
    assert done.returncode == 0, done.stderr
    assert "from step 2" in done.stderr
    only_run()


@pytest.mark.slow
def test_what_was_ignored_at_the_start_is_ignored_on_resume(recipe: Path) -> None:
    given = yaml.safe_load(recipe.read_text())
    given["data"]["init_args"]["delta_timestamps"] = {"action": [0.0, 0.2, 0.4, 0.6]}  # every second frame
    recipe.write_text(yaml.safe_dump(given))
    assert call("train", recipe, "--trainer.max_steps=1").returncode == 1
    assert call("train", recipe, "--trainer.max_steps=1", "--ignore", "GA301").returncode == 0
    run = only_run()
    assert json.loads((run / "run.json").read_text())["ignored"] == ["GA301"]
    done = call("train", "--resume", run, "--trainer.max_steps=2")
    assert done.returncode == 0, done.stderr
    assert "still ignored, as when the run was started: GA301" in done.stderr
    done = call("train", "--resume", run, "--trainer.max_steps=3", "--ignore=GA301")
    assert done.returncode == 0 and "still ignored" not in done.stderr
    facts = json.loads((run / "run.json").read_text())
    assert [part["ignored"] for part in facts["resumed"]] == [["GA301"], ["GA301"]]
    facts["resumed"][-1]["ignored"] = ["GA", "x", 3, {}]  # no file ignores everything
    (run / "run.json").write_text(json.dumps(facts))
    assert call("train", "--resume", run, "--trainer.max_steps=4").returncode == 1


@pytest.mark.slow
def test_two_processes_share_one_run(recipe: Path) -> None:
    words = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.max_steps=6", "--data.val_split=0.4"]
    done = call("train", recipe, *words)
    assert done.returncode == 0, done.stderr
    assert_only_talk(done.stderr)
    assert len(re.findall("^trained ", done.stdout, re.MULTILINE)) == 1
    assert "2 x cpu" in done.stdout
    rows = (only_run() / "metrics.csv").read_text()
    assert "nan" not in rows
    assert "inf" not in rows


@pytest.mark.slow
def test_two_processes_stop_together(recipe: Path) -> None:
    words = ["--trainer.devices=2", "--trainer.strategy=ddp", "--trainer.max_steps=100000"]
    process = subprocess.Popen(
        [*GETIACTION, "train", str(recipe), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for _ in range(1200):
        if list(Path("outputs/tiny").glob("*/metrics.csv")) or process.poll() is not None:
            break
        time.sleep(0.25)
    process.send_signal(signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 143, stderr
    assert "getiaction train --resume" in stdout
    assert (only_run() / "checkpoints/last.ckpt").is_file()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="sees the second process in /proc")
def test_ctrl_c_while_two_processes_start_ends_both_and_keeps_nothing(recipe: Path) -> None:
    words = [*GETIACTION, "train", str(recipe), "--trainer.devices=2", "--trainer.strategy=ddp"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text():
        time.sleep(0.1)
    time.sleep(1)  # the second one is importing, the first waits for it
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[-1] == "stopped before the first step; nothing was kept"
    assert not list(Path().glob("outputs/*/*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--output-dir=.", "--ignore=GA509"], "the output folder . exists and is not empty"),
        (["--output-dir=tiny.yaml", "--ignore=GA509"], "the run folder can't be made: tiny.yaml is not a folder"),
        (["--output-dir=tiny.yaml/x", "--ignore=GA509"], "tiny.yaml is not a folder"),
        (["--output-dir", "x" * 300, "--ignore=GA509"], "File name too long"),
        (["--resume=nowhere"], "nothing to resume from at nowhere"),
        (["--resume=."], ". has no checkpoints/last.ckpt to resume from"),
    ],
)
def test_a_folder_that_is_no_good_stops_it_before_torch_is_there(recipe: Path, words: Sequence[str], said: str) -> None:
    code = "import sys; from getiaction_cli.main import main\ntry: main()\nfinally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, "train", recipe, *words], capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout == "False\n"
    assert said in done.stderr
    assert re.search(r"^hint: ", done.stderr, re.MULTILINE)
    assert not Path("outputs").exists()


def test_the_folder_named_beside_the_recipe_is_judged_too(recipe: Path) -> None:
    result = invoke("train", recipe, "--output-dir", ".")
    assert result.exit_code == 1
    assert "GA509" in result.stderr


@pytest.mark.slow
def test_a_run_in_the_folder_that_its_recipe_names_goes_on(recipe: Path) -> None:
    recipe.write_text(recipe.read_text() + "output_dir: mine\n")
    assert call("train", recipe, "--trainer.max_steps=2").returncode == 0
    done = call("train", "--resume", "mine", "--trainer.max_steps=4")
    assert done.returncode == 0, done.stderr
    assert "from step 2" in done.stderr


@pytest.mark.slow
def test_a_failure_is_one_line_and_a_hint(recipe: Path) -> None:
    done = call("train", recipe, "--model.learning_rate=1e30", "--ignore=GA")
    assert done.returncode == 3, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert re.search(r"^error: .*training has diverged", done.stderr, re.MULTILINE)
    assert re.search(r"^hint: ", done.stderr, re.MULTILINE)


@pytest.mark.slow
def test_a_gpu_that_is_not_there_is_never_replaced_by_the_cpu(recipe: Path) -> None:
    env = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = call("train", recipe, "--trainer.accelerator=cuda", "--ignore=GA", env=env)
    assert done.returncode == 1
    assert "GA501 can't be ignored: training stops on it" in done.stderr
    assert not list(Path().glob("outputs/*/*"))


@pytest.mark.slow
def test_lerobot_eval_runs_what_the_pictures_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call("train", RECIPES / "quickstart_pictures.yaml", "--trainer.max_steps=3")
    assert done.returncode == 0, done.stderr
    assert_only_talk(done.stderr)
    run = only_run("quickstart_pictures")
    policy = run / "pretrained_model"
    assert f"getiaction evaluate {run} --env pusht --episodes 50" in done.stdout
    words = [f"--policy.path={policy}", "--env.type=pusht", "--env.episode_length=20", "--policy.device=cpu"]
    command = [
        str(Path(sys.executable).with_name("lerobot-eval")),
        *words,
        "--eval.n_episodes=2",
        "--eval.batch_size=1",
    ]
    env = {**os.environ, "SDL_VIDEODRIVER": "dummy", "MUJOCO_GL": "egl"}
    seen = subprocess.run(command, capture_output=True, text=True, timeout=900, env=env)
    assert seen.returncode == 0, seen.stderr[-3000:]
    assert "avg_sum_reward" in seen.stdout + seen.stderr
