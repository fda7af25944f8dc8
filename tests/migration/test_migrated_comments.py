"""`getiaction migrate` carries the comments of a configuration over, with the keys that they belong to."""

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from getiaction_cli.main import app
from getiaction_cli.recipe import read
from getiaction_cli.recipe.comments import comments

LEROBOT = """\
# yaml-language-server: $schema=x.json
# My pusht experiments,
# tuned in March.

seed: 1000  # lucky
steps: 100
# as much as fits
batch_size: 8  # of "my" GPU
policy:  # the policy
  type: act
  # two seconds
  chunk_size: 20
  n_action_steps: 10  # getiaction: ignore[GA212]
  push_to_hub: false  # not yet
  pretrained_backbone_weights: null
dataset:
  repo_id: getiaction/pusht-demo  # the demo # of getiaction
  episodes: [0, 1,  # the first ones
    2]  # and one more
eval_steps: 50
# the end
"""
LIGHTNING = """\
# about the seed
seed_everything: true
model:
  class_path: physicalai.policies.lerobot.ACT # the class
  init_args: {chunk_size: 5, n_action_steps: 5}  # sizes
data:
  class_path: physicalai.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: "getiaction/pusht-demo"  # "not # this"
    delta_timestamps:
      action: [0.0, 0.2,
         0.4, 0.6, 0.8]  # getiaction: ignore[GA301]
trainer:
  max_steps: 2
  callbacks:
    # rates
    - class_path: lightning.pytorch.callbacks.LearningRateMonitor  # each
"""


def migrated(text: str, folder: Path, *words: str) -> str:
    (folder / "source.yaml").write_text(text)
    done = CliRunner().invoke(app, ["migrate", "-o", "-", *(words or [str(folder / "source.yaml")])])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.stdout


def test_comments_of_lerobot_train(tmp_path: Path) -> None:
    text = migrated(LEROBOT, tmp_path)
    assert text.startswith("# My pusht experiments,\n# tuned in March.\n#\n")
    for line in (
        "seed: 1000  # lucky",
        "model:  # the policy",
        "    # two seconds\n    chunk_size: 20\n",
        "    n_action_steps: 10  # getiaction: ignore[GA212]",
        "    repo_id: getiaction/pusht-demo  # the demo # of getiaction",
        "    episodes: [0, 1, 2]  # the first ones # and one more",
        '    # as much as fits\n    train_batch_size: 8  # of "my" GPU',
    ):
        assert line in text, line
    assert text.endswith("\n# the end\n")
    assert "not yet" not in text and "yaml-language-server" not in text  # `push_to_hub: false` means nothing here


def test_comments_of_lightning_are_obeyed(tmp_path: Path) -> None:
    text = migrated(LIGHTNING, tmp_path)
    for line in (
        "  class_path: getiaction.policies.lerobot.ACT  # the class",
        '    repo_id: getiaction/pusht-demo  # "not # this"',
        "      action: [0.0, 0.2, 0.4, 0.6, 0.8]  # getiaction: ignore[GA301]",
        "  init_args:  # sizes",
        "    # rates\n    - class_path: lightning.pytorch.callbacks.LearningRateMonitor  # each",
    ):
        assert line in text, line
    assert "about the seed" not in text
    recipe = read("r.yaml", text=text)
    assert recipe.ignores("GA301", recipe.source.line_of(recipe.node("data.init_args.delta_timestamps.action").start))  # type: ignore[union-attr]


def test_comments_of_the_file_that_a_command_names(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(LEROBOT)
    text = migrated("", tmp_path, "--", "lerobot-train", f"--config_path={tmp_path / 'c.yaml'}", "--steps=7")
    assert "    # two seconds\n    chunk_size: 20\n" in text and "  max_steps: 7\n" in text


@pytest.mark.parametrize("source", [LEROBOT, LIGHTNING], ids=["lerobot", "lightning"])
def test_comments_change_no_value(source: str, tmp_path: Path) -> None:
    plain = "\n".join(yaml.safe_dump(yaml.safe_load(source), sort_keys=False).splitlines()) + "\n"
    assert yaml.safe_load(migrated(source, tmp_path)) == yaml.safe_load(migrated(plain, tmp_path))


@pytest.mark.parametrize(
    "text",
    [
        "a: 1",
        "a: '#'  #",
        "a: |\n  # text\n  # more\nb: 2 # c\n",
        "a: {b: 1, # x\n  c: 2} # y",
        "# only",
        "a: [",
        "\t# a",
    ],
)
def test_any_comment_is_read(text: str) -> None:
    found = comments(read("a.yaml", text=text))
    assert not any("text" in line or "more" in line for comment in found.of.values() for line in comment.above)
