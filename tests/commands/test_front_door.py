"""What every command does alike, in a process of its own: streams that can't be written, wrong words, odd names."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

GETIACTION = [sys.executable, "-m", "getiaction_cli.main"]
WRONG = "model: {class_path: os.system}\ndata: 1\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str | bytes, **options: Any) -> subprocess.CompletedProcess[str]:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.run([*GETIACTION, *words], text=True, timeout=60, **options)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["trian"], "no such command 'trian'", "did you mean 'train'?"),
        (["train", "--resum", "x"], "no such option: --resum", "did you mean --resume"),
        (["list-policies", "--instaled"], "no such option: --instaled", "did you mean --installed?"),
        (["train", "--nonsense"], "no such option: --nonsense", "`getiaction train --help` shows what it takes"),
        (["train", "--trainer", "{}"], "no such option: --trainer", "set its keys: --trainer.KEY VALUE"),
        (["init"], "missing argument 'DATASET'", "`getiaction init --help`"),
        (["schema", "--policy"], "option '--policy' requires an argument", "`getiaction schema --help`"),
        (["train", "r.yaml", "trainer.max_steps=5"], "trainer.max_steps=5 is neither", "--trainer.max_steps=5"),
        (["explain", "GA999"], "no rule is called GA999", "`getiaction explain` lists them"),
        (["explain", "action-windo"], "no rule is called action-windo", "did you mean action-window?"),
    ],
)
def test_wrong_words_are_one_line_and_a_hint(words: Sequence[str], error: str, hint: str) -> None:
    done = call(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    first, second = done.stderr.splitlines()
    assert first.startswith(f"error: {error}")
    assert second.startswith("hint: ")
    assert hint in second


def test_no_words_at_all_show_the_help() -> None:
    done = call()
    assert done.returncode == 2
    assert done.stderr.startswith("Usage: getiaction")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["list-policies"], ["explain", "GA301"]])
def test_a_full_disk_behind_a_redirection(words: Sequence[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = call(*words, stdout=full)
        assert done.returncode == 3
        assert done.stderr == "error: the output could not be written: No space left on device\n"
        assert call(*words, stdout=full, stderr=full).returncode == 3


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_stream_leads_nowhere(closed: str) -> None:
    Path("wrong.yaml").write_text(WRONG)
    line = f"exec '{sys.executable}' -m getiaction_cli.main validate-config - wrong.yaml {closed}"
    done = subprocess.run(["sh", "-c", line], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "failed" not in done.stderr


def test_a_reader_that_goes_away_ends_it_quietly_and_not_as_a_verdict() -> None:
    read, write = os.pipe()
    os.close(read)
    done = call("schema", stdout=write)
    os.close(write)
    assert done.returncode == 141
    assert done.stderr == ""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("words", [["list-policies", "act"], ["schema", "--policy", "act"]])
def test_no_text_is_too_much_for_a_stream(words: Sequence[str], encoding: str) -> None:
    done = call(*words, env={**os.environ, "PYTHONIOENCODING": encoding})
    assert done.returncode == 0, done.stderr
    if words[0] == "schema":
        json.loads(done.stdout)


@pytest.mark.parametrize("format", ["text", "json", "sarif", "github", "concise"])
def test_a_name_that_is_no_text(format: str) -> None:
    name = b"\xff \x1b[31m.yaml"
    Path(os.fsdecode(name)).write_text(WRONG)
    done = call("validate-config", name, "--format", format)
    assert done.returncode == 1, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    if format == "sarif":
        uri = json.loads(done.stdout)["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
        assert uri["uri"] == "%FF%20%1B%5B31m.yaml"
    if format == "json":
        assert os.fsencode(json.loads(done.stdout)["diagnostics"][0]["file"]) == name


def test_what_a_terminal_would_obey_is_shown() -> None:
    done = call("validate-config", "no\x1b]0;x\nsuch.yaml")
    assert done.returncode == 3
    assert done.stderr.splitlines()[0] == "error: there is no recipe at no␛]0;x such.yaml"


def test_the_places_that_were_searched_stand_one_a_line() -> None:
    said = call("inspect-dataset", "no/such").stderr.splitlines()
    assert said[0] == "error: no dataset 'no/such'; searched:"
    assert said[1].startswith("  - ") and said[1].endswith("no/such (LeRobot's home)")


@pytest.mark.skipif(not Path("/usr/bin/setpriv").exists(), reason="root may read everything")
def test_a_folder_that_may_not_be_looked_into() -> None:
    Path("shut").mkdir()
    Path("shut/wrong.yaml").write_text(WRONG)
    Path("shut").chmod(0)
    caps = "-dac_override,-dac_read_search"
    words = ["setpriv", f"--bounding-set={caps}", f"--inh-caps={caps}", *GETIACTION]
    plain = words if os.geteuid() == 0 else GETIACTION
    for command in ("validate-config", "train"):
        done = subprocess.run([*plain, command, "shut/wrong.yaml"], capture_output=True, text=True, timeout=60)
        assert done.returncode == 3
        assert done.stderr == "error: shut/wrong.yaml can't be read: Permission denied\n"
    Path("shut").chmod(0o700)
