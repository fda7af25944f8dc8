"""What `--ignore` does for each error: training runs despite it, or the report says that training stops on it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner
from verdict_helpers import HEALTHY, Judge, block

from getiaction_cli.checking.recipe_context import SharedInputs, verdict
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Severity
from getiaction_cli.main import app
from getiaction_cli.recipe import read

# GA164 is about the machine: whether it has a token.
ERRORS = [
    code
    for code, rule in load_rules().items()
    if code != "GA164" and rule.severity is Severity.ERROR and code < "GA4" and "## Example\n\n```yaml" in rule.page
]
ACT = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {chunk_size: 5, n_action_steps: 5}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: getiaction/pusht-demo
    delta_timestamps: {action: %s}
trainer: {max_steps: 2, accelerator: cpu}
"""


@pytest.mark.parametrize("code", ERRORS)
def test_an_ignored_error_is_left_out_or_said_to_stop_training(code: str, judge: Judge) -> None:
    text = block(load_rules()[code], "Example")
    found = judge(text)[code]
    report = verdict(read("recipe.yaml", text=text), SharedInputs(offline=True, machine=HEALTHY), ignore=(code,))
    assert report.suppressed
    assert {error.code for error in report.overruled} == ({code} if found.stops else set())


def test_few_errors_are_beyond_insisting() -> None:
    stops = {code for code, rule in load_rules().items() if rule.stops}
    assert {"GA114", "GA130", "GA206", "GA324"} <= stops
    # What trains silently, and what the rules may be wrong about (memory, the network), stays the user's choice.
    assert stops.isdisjoint({"GA301", "GA302", "GA438", "GA441", "GA507", "GA508"})


@pytest.mark.parametrize(
    ("action", "stops", "ending"),
    [
        ("[0.0, 0.2, 0.4, 0.6, 0.8]", False, "nothing was trained; --ignore GA301 trains anyway"),
        ("[0.0, 0.1]", True, "nothing was trained; GA301 can't be ignored: training stops on it"),
    ],
)
def test_a_refusal_offers_ignore_only_where_it_helps(
    action: str, stops: bool, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text(ACT % action)
    assert ending in CliRunner().invoke(app, ["train", "recipe.yaml"]).stderr
    if stops:  # at once, with the finding
        done = CliRunner().invoke(app, ["train", "recipe.yaml", "--ignore", "GA301"])
        assert done.exit_code == 1
        assert "error[GA301]" in done.stderr and ending in done.stderr
    checked = CliRunner().invoke(app, ["validate-config", "recipe.yaml", "--ignore", "GA301"])
    assert checked.exit_code == 0
    assert ("GA301: training stops on it all the same" in checked.stdout) == stops
