"""Real shells in a pseudo-terminal: what is typed, a TAB, and what the screen then shows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pyte
import pytest

REPOSITORY = Path(__file__).parents[2]
SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "--private"],
}
START = {
    "bash": "PS1='> '; source {script}",
    "zsh": "PS1='> '; autoload -Uz compinit; compinit -u -D; source {script}",
    "fish": "function fish_prompt; echo -n '> '; end; source {script}",
}


class Terminal:
    """A shell on a screen of 100 columns."""

    def __init__(self, shell: str, folder: Path, cache: Path) -> None:
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm",
            "HOME": str(folder),
            "XDG_CACHE_HOME": str(cache),
            "HF_LEROBOT_HOME": str(folder / "lerobot"),
            "fish_features": "no-query-term",
            "LC_ALL": "C.UTF-8",
        }
        environment.pop("ZDOTDIR", None)
        self.screen = pyte.Screen(100, 60)
        self.stream = pyte.Stream(self.screen)
        self.shell = shell
        self.process = pexpect.spawn(
            SHELLS[shell][0], SHELLS[shell][1:], cwd=folder, env=environment, dimensions=(60, 100), encoding="utf-8"
        )
        self.settle()
        self.send(START[shell].format(script=REPOSITORY / "completions" / f"getiaction.{shell}") + "\r")
        self.send("clear\r")

    def send(self, keys: str) -> str:
        """Type, wait until the screen is still, and return it."""
        self.process.send(keys)
        return self.settle()

    def settle(self) -> str:
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.4:
            try:
                text = self.process.read_nonblocking(65536, timeout=0.1)
            except pexpect.TIMEOUT:
                continue
            if "\x1b[c" in text or "\x1b[0c" in text:  # a shell that asks what terminal this is waits for the answer
                self.process.send("\x1b[?62c")
            self.stream.feed(text)
            quiet_since = time.monotonic()
        return "\n".join(line.rstrip() for line in self.screen.display).strip()

    def complete(self, typed: str, *expected: str) -> str:
        """The screen after typing this and pressing TAB until it shows what is expected, or for ten seconds."""
        self.send("\x15")
        self.send(typed)
        deadline = time.monotonic() + 10
        while True:
            screen = self.send("\t")
            if all(text in screen for text in expected) or time.monotonic() > deadline:
                assert all(text in screen for text in expected), f"{typed!r} in {self.shell} shows:\n{screen}"
                return screen


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder in which the index of keys is built, as it is after the first TAB."""
    folder = tmp_path_factory.mktemp("cache")
    command = [sys.executable, "-m", "getiaction_cli.completion.answer", "overrides", "--trainer."]
    subprocess.run(command, env=os.environ | {"XDG_CACHE_HOME": str(folder)}, check=True, stdout=subprocess.DEVNULL)
    return folder


# One shell in the fast suite; CI runs all of them.
@pytest.fixture(params=["bash", *(pytest.param(shell, marks=pytest.mark.slow) for shell in SHELLS if shell != "bash")])
def terminal(request: pytest.FixtureRequest, tmp_path: Path, cache: Path) -> Terminal:
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    (tmp_path / "lerobot/lab/pick_cubes/meta").mkdir(parents=True)
    (tmp_path / "lerobot/lab/pick_cubes/meta/info.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "grasp.yaml").write_text(
        "model:\n  class_path: getiaction.policies.lerobot.ACT\n"
        "data:\n  class_path: getiaction.data.lerobot.LeRobotDataModule\n  init_args:\n    repo_id: lab/stack_cups\n"
    )
    (tmp_path / "wrapped.yaml").write_text(
        "model:\n  class_path: getiaction.policies.lerobot.LeRobotPolicy\n  init_args:\n    policy_name: diffusion\n"
    )
    return Terminal(shell, tmp_path, cache)


def test_commands_and_their_options(terminal: Terminal) -> None:
    terminal.complete("getiaction val", "validate-config")
    terminal.complete("getiaction ", "train", "inspect-dataset")
    terminal.complete("getiaction validate-config --fo", "--format")


def test_recipes_are_offered_and_other_files_are_not(terminal: Terminal) -> None:
    terminal.complete("getiaction train gr", "getiaction train grasp.yaml")
    assert "notes.txt" not in terminal.complete("getiaction train ", "grasp.yaml", "wrapped.yaml")


def test_override_keys_come_from_the_policy_of_the_recipe(terminal: Terminal) -> None:
    terminal.complete("getiaction train grasp.yaml --model.init_args.chunk", "--model.init_args.chunk_size")
    terminal.complete("getiaction train grasp.yaml --model.chunk", "--model.chunk_size")
    own_config = "--model.init_args.config_kwargs.hor"
    terminal.complete(f"getiaction train wrapped.yaml {own_config}", f"{own_config}izon")
    terminal.complete("getiaction train grasp.yaml --model.ema.dec", "--model.ema.decay")
    terminal.complete("getiaction train grasp.yaml --model.init_args.peft.lora", "--model.init_args.peft.lora_alpha")
    terminal.complete("getiaction train grasp.yaml --trainer.acc", "accelerator", "accumulate_grad_batches")


def test_the_entries_of_a_mixture(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "mixed.yaml").write_text("data:\n  init_args:\n    datasets:\n      - {repo_id: me/one}\n")
    (tmp_path / "local/demos").mkdir(parents=True)
    terminal.complete("getiaction train mixed.yaml --data.datasets.", "--data.datasets.0.")
    terminal.complete("getiaction train mixed.yaml --data.datasets.0.wei", "--data.datasets.0.weight")
    terminal.complete("getiaction train mixed.yaml --data.init_args.datasets.0.str", "datasets.0.stride")
    terminal.complete(
        "getiaction train mixed.yaml --data.datasets.0.repo_id getiaction/pusht-d", "getiaction/pusht-demo"
    )
    terminal.complete("getiaction train mixed.yaml --data.datasets.0.root loc", "local/")
    terminal.complete("getiaction train mixed.yaml --data.root local/de", "local/demos/")


def test_a_path_with_a_space_however_it_is_quoted(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "my recipes").mkdir()
    (tmp_path / "grasp.yaml").rename(tmp_path / "my recipes/grasp it.yaml")
    terminal.complete("getiaction train 'my recipes/gr", "'my recipes/grasp it.yaml'")
    terminal.complete('getiaction train "my recipes/gr', '"my recipes/grasp it.yaml"')
    terminal.complete("getiaction train my\\ recipes/gr", "my\\ recipes/grasp\\ it.yaml")
    quoted = "'my recipes/grasp it.yaml'", '"my recipes/grasp it.yaml"', "my\\ recipes/grasp\\ it.yaml"
    for path in quoted:
        terminal.complete(f"getiaction train {path} --model.chunk", "--model.chunk_size")


def test_an_option_with_its_value_behind_an_equals_sign(terminal: Terminal) -> None:
    terminal.complete("getiaction validate-config --format=sa", "--format=sarif")
    terminal.complete("getiaction schema --policy=vq", "--policy=vqbet")
    terminal.complete("getiaction fit --config=gr", "--config=grasp.yaml")
    terminal.complete("getiaction fit --config=grasp.yaml --model.chunk", "--model.chunk_size")
    terminal.complete("getiaction fit -c grasp.yaml --model.chunk", "--model.chunk_size")


def test_override_values(terminal: Terminal) -> None:
    terminal.complete("getiaction train grasp.yaml --trainer.accelerator ", "cpu", "gpu", "auto")
    terminal.complete("getiaction train grasp.yaml --trainer.accelerator=cp", "--trainer.accelerator=cpu")
    terminal.complete("getiaction train wrapped.yaml --model.init_args.policy_name=vq", "policy_name=vqbet")
    logger = "--trainer.logger.class_path=lightning.pytorch.loggers.CS"
    terminal.complete(f"getiaction train grasp.yaml {logger}", f"{logger}VLogger")
    terminal.send("\x15clear\r")
    assert "wrapped.yaml" not in terminal.complete("getiaction train --seed ", "--seed")


def test_short_forms_and_their_values(terminal: Terminal) -> None:
    terminal.complete("getiaction train --batch", "--batch-size")
    terminal.complete("getiaction train --logger ten", "--logger tensorboard")
    terminal.complete("getiaction fit --model=diff", "--model=diffusion")
    terminal.complete("getiaction fit --model diffusion --model.hor", "--model.horizon")
    terminal.complete("getiaction fit --trainer.callbacks+=EarlyS", "--trainer.callbacks+=EarlyStopping")


def test_override_keys_come_from_the_policy_of_a_base(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "longer.yaml").write_text("base:\n  - grasp.yaml\n")
    terminal.complete("getiaction train longer.yaml --model.chunk", "--model.chunk_size")


def test_datasets_come_from_lerobots_home_and_the_recipes_nearby(terminal: Terminal) -> None:
    terminal.complete("getiaction inspect-dataset lab/", "lab/pick_cubes", "lab/stack_cups")


def test_runs_are_offered_where_one_is_resumed_or_evaluated(terminal: Terminal, tmp_path: Path) -> None:
    for recipe, started in (("grasp", "2026-01-01_10-00-00"), ("stack", "2026-01-02_10-00-00")):
        run = tmp_path / "outputs" / recipe / started
        (run / "checkpoints").mkdir(parents=True)
        (run / "recipe.yaml").write_text("")
        (run / "checkpoints/last.ckpt").write_text("")
    (tmp_path / "outputs/grasp/not_a_run").mkdir()
    both = ("grasp/2026-01-01_10-00-00", "stack/2026-01-02_10-00-00")
    assert "not_a_run" not in terminal.complete("getiaction train --resume ", *both)
    terminal.complete("getiaction train --resume outputs/s", "--resume outputs/stack/2026-01-02_10-00-00")
    terminal.complete("getiaction evaluate ", *both)


def test_the_environments_of_a_rollout_and_their_fields_are_offered(terminal: Terminal) -> None:
    terminal.complete("getiaction evaluate RUN --env pu", "getiaction evaluate RUN --env pusht")
    shown = terminal.complete("getiaction evaluate RUN --env pusht --env.obs", "--env.obs_type")
    assert "--env.observation_height" in terminal.complete("getiaction evaluate RUN --env pusht --env.", "--env.fps")
    assert "--env.camera_name" not in shown
    terminal.complete("getiaction evaluate RUN --env pusht --env.obs_type=pix", "pixels")


def test_shipped_recipes_are_offered_by_name(terminal: Terminal) -> None:
    terminal.complete("getiaction train lerobot_v", "getiaction train lerobot_vqbet_universal")
    terminal.complete("getiaction train quick", "quickstart", "quickstart_pictures")
    terminal.complete("getiaction recipes quick", "quickstart", "quickstart_pictures")


def test_policies_and_codes(terminal: Terminal) -> None:
    terminal.complete("getiaction list-policies diff", "getiaction list-policies diffusion")
    terminal.complete("getiaction explain GA10", "GA101")


def test_descriptions_are_shown_where_the_shell_has_them(terminal: Terminal) -> None:
    if terminal.shell == "bash":
        pytest.skip("bash shows no descriptions")
    terminal.complete("getiaction train grasp.yaml --trainer.acc", "Accumulates gradients")
