"""What every command does alike on a screen: its width, its colours, and what `--quiet` leaves out."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from getiaction_cli.checking.runner import load_rules
from getiaction_cli.main import app, main
from getiaction_cli.rendering import page
from getiaction_cli.rendering.text import reflow

COMMANDS = [command.name for command in app.registered_commands]
PAINT = re.compile(r"\x1b\[[\d;]*m")
_COLOUR_VARIABLES = ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "GETIACTION_QUIET")


def environment(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _COLOUR_VARIABLES}
    return {**kept, "TERM": "xterm-256color", **given}


def piped(*words: str, cwd: Path | None = None, **given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment(**given), timeout=120)


def on_terminal(*words: str, cwd: Path | None = None, columns: int = 80, **given: str) -> str:
    """What a terminal of that width is sent, both streams together."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "getiaction_cli.main", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, cwd=cwd, env=environment(**given)
    )
    os.close(theirs)
    said = b""
    try:
        while data := os.read(ours, 65536):
            said += data
    except OSError:  # the terminal is closed
        pass
    finally:
        process.wait(timeout=60)
        os.close(ours)
    return said.decode().replace("\r\n", "\n")


# -- the width ---------------------------------------------------------------------------------------------------------


def test_every_rule_page_fits_80_columns() -> None:
    for code, rule in load_rules().items():
        for color in (False, True):
            shown = PAINT.sub("", page.render(code, rule.name, "error", rule.page, columns=80, color=color))
            prose = re.sub(r"^(```|    ).*?(?=^$|^```$)", "", shown, flags=re.MULTILINE | re.DOTALL)
            assert max(map(len, prose.splitlines())) <= 80, code
            assert " ".join(shown.split()).startswith(f"{code} {rule.name} (error)")


def test_reflowing_keeps_every_word_and_all_code() -> None:
    text = "# a\n\none two\nthree\n\n- an entry\n  of two lines\n- `another one`\n\n```yaml\na:   b\n```\n"
    assert (
        reflow(text, 80) == "# a\n\none two three\n\n- an entry of two lines\n- `another one`\n\n```yaml\na:   b\n```\n"
    )
    for rule in load_rules().values():
        assert reflow(rule.page, 60).split() == rule.page.split()


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["explain"],
        ["explain", "GA301"],
        ["list-policies"],
        ["recipes"],
        ["init", "getiaction/pusht-demo"],
        ["init", "getiaction/pusht-keypoints-demo", "--policy", "smolvla", "-o", "-"],
        ["inspect-dataset", "getiaction/pusht-demo"],
    ],
    ids=" ".join,
)
def test_no_word_is_broken_at_80_columns(words: Sequence[str]) -> None:
    shown = PAINT.sub("", on_terminal(*words))
    # A path or an example's line of code can't be broken at a space.
    wide = [line for line in shown.splitlines() if len(line) > 80 and " " in line.strip() and "/" not in line]
    assert wide == []


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, {"NO_COLOR": "1"}], ids=["colours", "no-colours"])
def test_a_message_is_wrapped_on_a_terminal_and_one_line_in_a_pipe(tmp_path: Path, variables: dict[str, str]) -> None:
    recipe = (Path(__file__).parents[2] / "recipes/quickstart.yaml").read_text()
    (tmp_path / "wrong.yaml").write_text(recipe.replace("n_action_steps: 8", "n_action_steps: 16"))
    shown = PAINT.sub("", on_terminal("validate-config", "wrong.yaml", cwd=tmp_path, **variables))
    first = re.split(r"\n +-->", shown)[0].splitlines()
    assert len(first) > 1 and max(map(len, first)) <= 80, first
    line = re.split(r"\n +-->", piped("validate-config", "wrong.yaml", cwd=tmp_path, **variables).stdout)[0]
    assert len(line) > 80 and "\n" not in line


def test_a_rule_is_linked_where_the_package_declares_a_documentation_site(tmp_path: Path) -> None:
    metadata = tmp_path / "getiaction-0.1.0.dist-info/METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        "Name: getiaction\nVersion: 0.1.0\nProject-URL: Documentation, https://docs.example/latest/\n\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    explained = piped("explain", "GA301", PYTHONPATH=path).stdout
    assert explained.endswith("\nOn the web: https://docs.example/latest/rules/GA301/\n")
    (tmp_path / "wrong.yaml").write_text("model: 1\n")
    report = piped("validate-config", "wrong.yaml", "--format", "sarif", cwd=tmp_path, PYTHONPATH=path).stdout
    assert all(
        rule["helpUri"] == f"https://docs.example/latest/rules/{rule['id']}/"
        for rule in json.loads(report)["runs"][0]["tool"]["driver"]["rules"]
    )
    annotations = piped("validate-config", "wrong.yaml", "--format", "github", cwd=tmp_path, PYTHONPATH=path).stdout
    assert "%0Asee: https://docs.example/latest/rules/GA" in annotations


@pytest.mark.slow
def test_a_finding_links_to_its_page_on_a_terminal_and_only_there(tmp_path: Path) -> None:
    metadata = tmp_path / "site/getiaction-0.1.0.dist-info/METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text("Name: getiaction\nVersion: 0.1.0\nProject-URL: Documentation, https://docs.example/\n\n")
    path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
    (tmp_path / "wrong.yaml").write_text("model: 1\n")
    words = ("validate-config", "wrong.yaml")
    link = re.compile(r"\x1b\]8;;https://docs\.example/rules/(GA\d+)/\x1b\\getiaction explain \1\x1b\]8;;\x1b\\")
    assert link.search(on_terminal(*words, cwd=tmp_path, PYTHONPATH=path))
    assert "\x1b]" not in on_terminal(*words, cwd=tmp_path, PYTHONPATH=path, NO_COLOR="1")
    assert "\x1b]" not in piped(*words, cwd=tmp_path, PYTHONPATH=path, FORCE_COLOR="1").stdout
    without = on_terminal(*words, cwd=tmp_path)
    assert "\x1b]" not in without and "see: getiaction explain GA" in without


def test_no_help_is_wider_than_80_columns_or_cuts_the_line_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ([], *([command] for command in COMMANDS)):
        shown = CliRunner().invoke(app, [*words, "--help"]).stdout
        assert max(map(len, shown.splitlines())) <= 80
        assert [line for line in shown.splitlines() if line.endswith("...") and not line.startswith("Usage")] == []


def test_in_a_pipe_a_rule_is_one_line_where_grep_finds_it() -> None:
    lines = piped("explain").stdout.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("  GA")] == list(load_rules())


# -- colours -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_paints_its_errors_as_the_variables_say(
    command: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variables, painted in (
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ):
        for name in _COLOUR_VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["getiaction", command, "--no-such-option-at-all"])
        with monkeypatch.context() as streams, pytest.raises(SystemExit):
            for stream in ("stdin", "stdout", "stderr"):  # main replaces them
                streams.setattr(sys, stream, getattr(sys, stream))
            main()
        assert ("\x1b[" in capfd.readouterr().err) is painted, variables


@pytest.mark.slow
def test_a_terminal_gets_colours_unless_no_color_is_set() -> None:
    assert "\x1b[" in on_terminal("explain", "GA999")
    assert "\x1b" not in on_terminal("explain", "GA999", NO_COLOR="1")


WRONG = "model: {class_path: os.system}\ndata: 1\n"
TABLES = {
    "explain": ["explain"],
    "explain GA301": ["explain", "GA301"],
    "list-policies": ["list-policies"],
    "list-policies act": ["list-policies", "act"],
    "list-policies --for": ["list-policies", "--for", "getiaction/pusht-demo"],
    "recipes": ["recipes"],
    "inspect-dataset": ["inspect-dataset", "getiaction/pusht-demo"],
    "validate-config": ["validate-config", "wrong.yaml"],
    "migrate": ["migrate", "--", "lerobot-train", "--policy.type=act", "--dataset.repo_id=getiaction/pusht-demo"],
}


@pytest.mark.slow
@pytest.mark.parametrize("words", TABLES.values(), ids=TABLES)
def test_what_is_printed_for_people_obeys_them_too(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    plain = piped(*words, cwd=tmp_path, COLUMNS="80").stdout
    (tmp_path / "act_pusht_demo.yaml").unlink(missing_ok=True)
    painted = piped(*words, cwd=tmp_path, COLUMNS="80", FORCE_COLOR="1").stdout
    assert "\x1b" not in plain
    assert "\x1b[" in painted


@pytest.mark.slow
def test_what_programs_read_has_no_colours() -> None:
    for words in (["schema", "--policy", "act"], ["describe-machine"], ["recipes", "quickstart"]):
        assert "\x1b" not in piped(*words, FORCE_COLOR="1").stdout
    assert "\x1b" not in piped("list-policies", "--format", "json", FORCE_COLOR="1").stdout


# -- quiet -------------------------------------------------------------------------------------------------------------

WELL = TABLES | {
    "init": ["init", "getiaction/pusht-demo", "--policy", "act"],
    "init -": ["init", "getiaction/pusht-demo", "--policy", "smolvla", "-o", "-"],
    "frame-stores": ["frame-stores"],
    "schema": ["schema", "--policy", "act"],
    "describe-machine": ["describe-machine"],
    "recipes quickstart": ["recipes", "quickstart"],
}


@pytest.mark.slow
@pytest.mark.parametrize("words", WELL.values(), ids=WELL)
def test_quiet_leaves_the_result_alone_on_the_screen(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG)
    done = piped("-q", *words, cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout
    for hint in ("next:", "Next", "hint:", "getiaction init", "print one"):
        assert words[0] in ("recipes", "schema") or words[-1] == "-" or hint not in done.stdout


@pytest.mark.slow
def test_quiet_still_shows_errors(tmp_path: Path) -> None:
    for words in (["train", "none.yaml"], ["init", "no/such"], ["evaluate", "no/such"], ["runs", "none"]):
        done = piped("-q", *words, cwd=tmp_path)
        assert done.returncode >= 2
        assert done.stderr.startswith("error: ")


# -- the next command --------------------------------------------------------------------------------------------------


def next_command(text: str) -> list[str]:
    """The command that a screen names as the next one."""
    found = re.search(r"(?:next: |Next +|hint: `|^`)getiaction ([^`\n]+)", PAINT.sub("", text), re.MULTILINE)
    assert found, text
    return shlex.split(found[1])


@pytest.fixture
def elsewhere(tmp_path: Path, toy_root: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A dataset beside the current folder, with a space in its name: what a user there types."""
    shutil.copytree(toy_root, tmp_path / "my toy")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return "../my toy"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"NO_COLOR": "1", "COLUMNS": "80"})


def test_from_a_folder_to_a_checked_recipe_by_the_commands_that_are_printed(elsewhere: str) -> None:
    inspected = run("inspect-dataset", elsewhere)
    written = run(*next_command(inspected.stdout))
    assert written.exit_code == 0, written.output
    checked = run(*next_command(written.stderr))
    assert checked.exit_code == 0, checked.output

    listed = run("list-policies", "--for", elsewhere)
    assert run(*next_command(listed.stderr)).exit_code == 0
    refused = run("init", elsewhere, "--policy", "tdmpc")
    assert refused.exit_code == 1
    assert run(*next_command(refused.stderr)).exit_code == 0
    assert run(*next_command(run("list-policies").stderr)).exit_code == 0


@pytest.mark.parametrize("damage", ["stats-nan", "table-missing", "openpi-keys", "info-missing"])
def test_a_broken_dataset_is_not_sent_to_training(damaged: Callable[[str], Path], damage: str) -> None:
    root = damaged(damage)
    inspected = run("inspect-dataset", str(root))
    assert inspected.exit_code == 1
    assert "Next" not in inspected.stdout


def test_the_errors_of_a_dataset_are_shown_once(damaged: Callable[[str], Path]) -> None:
    shown = run("inspect-dataset", str(damaged("table-missing"))).stdout
    assert shown.count("data/chunk-000/file-000.parquet is missing") == 1
    policies = shown.partition("\nPolicies\n")[2].splitlines()
    assert policies[0].startswith("  can't train until the errors above are fixed: act, ")
    rows = [line for line in policies if line.startswith("  ✗")]
    assert [row.split()[1] for row in rows] == ["tdmpc"]  # it lacks a reward as well
