"""The scripts in completions/ are those that the program writes; `--install-completion` puts them where shells look."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETIONS = Path(__file__).parents[2] / "completions"


def getiaction(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment, check=False)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shipped_script_is_what_the_program_writes(shell: str) -> None:
    written = getiaction("--shell", shell, "--show-completion")
    shipped = (COMPLETIONS / f"getiaction.{shell}").read_text()
    assert written.stdout == shipped, (
        f"run: getiaction --shell {shell} --show-completion > completions/getiaction.{shell}"
    )


@pytest.mark.parametrize(
    ("shell", "place", "startup"),
    [
        ("bash", ".local/share/bash-completion/completions/getiaction", ".bashrc"),
        ("zsh", ".local/share/zsh/site-functions/_getiaction", ".zshrc"),
        ("fish", ".config/fish/completions/getiaction.fish", None),
    ],
)
def test_installing_writes_the_script_once(shell: str, place: str, startup: str | None, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "", "XDG_CACHE_HOME": "", "ZDOTDIR": ""}
    if startup:
        (tmp_path / startup).write_bytes(b"alias ll='ls -l' # \xe9")  # an old file, in Latin-1
    for _ in range(2):
        assert getiaction("--shell", shell, "--install-completion", **home).returncode == 0
    assert (tmp_path / place).read_text() == (COMPLETIONS / f"getiaction.{shell}").read_text()
    if startup:
        text = (tmp_path / startup).read_text(encoding="latin-1")
        assert text.startswith("alias ll='ls -l' # é\n") and text.count("# getiaction completion") == 1


def test_an_unknown_shell_is_a_usage_error() -> None:
    assert getiaction("--shell", "csh", "--show-completion").returncode == 2


def test_the_answering_process_loads_the_standard_library_alone(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['getiaction-complete', 'overrides', '--trainer.acc', 'getiaction', 'train'];"
        "from getiaction_cli.completion.answer import main; main();"
        "loaded = {name.split('.')[0] for name in sys.modules};"
        "print(loaded & {'typer', 'yaml', 'rich', 'numpy', 'pyarrow', 'torch', 'lerobot'})"
    )
    for _ in range(2):  # the first TAB after an upgrade builds the index; every other one only reads it
        answer = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        )
    assert "--trainer.accelerator\t" in answer.stdout
    assert answer.stdout.endswith("set()\n")


@pytest.mark.parametrize("name", ["$(touch ran)", "`touch ran`", "x;touch ran", "x&touch ran", "x|sh", "x>ran"])
def test_a_dataset_whose_name_is_a_command_is_not_offered(name: str, tmp_path: Path) -> None:
    for folder in (name, "good"):
        (tmp_path / "me" / folder / "meta").mkdir(parents=True)
        (tmp_path / "me" / folder / "meta/info.json").write_text("{}")
    answer = subprocess.run(
        [sys.executable, "-m", "getiaction_cli.completion.answer", "datasets", "me/"],
        capture_output=True, text=True, timeout=60, env={**os.environ, "HF_LEROBOT_HOME": str(tmp_path)},
    )  # fmt: skip
    assert [line.partition("\t")[0] for line in answer.stdout.splitlines()] == ["me/good"]
