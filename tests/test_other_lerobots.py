"""LeRobot as its next version may be: altered copies of the installed one, first on the path of a fresh process.

Each command must say what it could not check, and a tiny training must run all the same.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from getiaction.spec.lerobot_parts import imported, missing_part
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.policies.catalog import lerobot_folder

RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.{name}
  init_args: {{pretrained_backbone_weights: null, {parameters}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: getiaction/pusht-demo, train_batch_size: 2}}
trainer: {{max_steps: 2, accelerator: cpu}}
"""
SMALL_ACT = (
    "chunk_size: 10, n_action_steps: 5, dim_model: 32, n_heads: 2, dim_feedforward: 32, n_encoder_layers: 1, "
    "use_vae: false"
)
SMALL_VQBET = (
    "crop_shape: [84, 84], n_vqvae_training_steps: 1, gpt_n_layer: 1, gpt_n_head: 2, gpt_hidden_dim: 32, "
    "gpt_output_dim: 32, vqvae_enc_hidden_dim: 16, vqvae_n_embed: 4"
)


def replace_in(files: list[Path], old: str, new: str) -> None:
    for file in files:
        text = file.read_text()
        if re.search(old, text):
            file.write_text(re.sub(old, new, text))


def with_a_new_policy(lerobot: Path) -> None:
    """ACT once more, registered as `act_plus`."""
    folder = shutil.copytree(lerobot / "policies/act", lerobot / "policies/act_plus")
    for file in list(folder.glob("*act.py")):
        file.rename(file.with_name(file.name.replace("_act", "_act_plus")))
    files = list(folder.glob("*.py"))
    replace_in(files, r"(configuration|modeling|processor)_act\b", r"\1_act_plus")
    replace_in(files, r"ACT(Config|Policy)\b", r"ACTPlus\1")
    replace_in(files, r'"act"', '"act_plus"')
    replace_in(files, "make_act_pre_post", "make_act_plus_pre_post")
    line = "from .act.configuration_act import ACTConfig as ACTConfig"
    more = "from .act_plus.configuration_act_plus import ACTPlusConfig as ACTPlusConfig"
    replace_in([lerobot / "policies/__init__.py"], line, f"{line}\n{more}")


def with_a_moved_helper(lerobot: Path) -> None:
    """`lerobot.utils.feature_utils` under another name."""
    (lerobot / "features").mkdir()
    (lerobot / "features/__init__.py").touch()
    moved = (lerobot / "utils/feature_utils.py").rename(lerobot / "features/feature_utils.py")
    replace_in([moved], r"from \.constants", "from lerobot.utils.constants")
    replace_in(list(lerobot.rglob("*.py")), r"lerobot\.utils\.feature_utils", "lerobot.features.feature_utils")


def with_a_renamed_policy(lerobot: Path) -> None:
    """`vqbet` registered as `vq_bet`."""
    folder = (lerobot / "policies/vqbet").rename(lerobot / "policies/vq_bet")
    for file in list(folder.glob("*vqbet*.py")):
        file.rename(file.with_name(file.name.replace("vqbet", "vq_bet")))
    files = [*folder.glob("*.py"), lerobot / "policies/__init__.py", lerobot / "policies/factory.py"]
    replace_in(files, r"(configuration|modeling|processor)_vqbet", r"\1_vq_bet")
    replace_in(files, r"vqbet_utils", "vq_bet_utils")
    replace_in(files, r"\.vqbet\b", ".vq_bet")
    replace_in(files, r'"vqbet"', '"vq_bet"')
    replace_in(files, "make_vqbet_pre", "make_vq_bet_pre")


def with_another_registry(lerobot: Path) -> None:
    """A policy that is registered in another way."""
    replace_in(
        [lerobot / "policies/act/configuration_act.py"], r"PreTrainedConfig\.register_subclass", "register_policy"
    )


def with_other_names(lerobot: Path) -> None:
    """ACT under two names, one of them a constant; Diffusion in another folder; imports that are not relative."""
    twice = 'NAME = "act"\n\n\n@PreTrainedConfig.register_subclass("zact")\n@PreTrainedConfig.register_subclass(NAME)'
    replace_in([lerobot / "policies/act/configuration_act.py"], r'@PreTrainedConfig.register_subclass\("act"\)', twice)
    (lerobot / "policies/diffusion").rename(lerobot / "policies/unet")
    replace_in([lerobot / "policies/__init__.py"], r"from \.diffusion\.", "from .unet.")
    replace_in([lerobot / "policies/__init__.py"], r"from \.(\w+\.configuration)", r"from lerobot.policies.\1")


def with_another_format(lerobot: Path) -> None:
    """Datasets of a format that LeRobot 0.6 does not read."""
    replace_in([lerobot / "datasets/dataset_metadata.py"], r'CODEBASE_VERSION = "v3.0"', 'CODEBASE_VERSION = "v4.0"')


def with_another_key(lerobot: Path) -> None:
    """Datasets whose info.json must hold one more key."""
    replace_in([lerobot / "datasets/utils.py"], r"    codebase_version: str\n", r"\g<0>    layout: str\n")


def with_a_moved_base(lerobot: Path) -> None:
    """`lerobot.configs.policies`, which every policy's configuration builds on, under another name."""
    (lerobot / "configs/policies.py").rename(lerobot / "configs/policy.py")
    replace_in(list(lerobot.rglob("*.py")), r"lerobot\.configs\.policies", "lerobot.configs.policy")
    replace_in(list((lerobot / "configs").glob("*.py")), r"from \.policies", "from .policy")


def with_moved_processors(lerobot: Path) -> None:
    """`lerobot.processor`, which training needs and the verdict does not, under another name."""
    (lerobot / "processor").rename(lerobot / "processors")
    replace_in(list(lerobot.rglob("*.py")), r"lerobot\.processor\b", "lerobot.processors")


ALTERATIONS = {
    "new": with_a_new_policy,
    "moved": with_a_moved_helper,
    "renamed": with_a_renamed_policy,
    "registry": with_another_registry,
    "names": with_other_names,
    "format": with_another_format,
    "key": with_another_key,
    "base": with_a_moved_base,
    "processors": with_moved_processors,
}
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("lerobots")
    installed = lerobot_folder()
    assert installed is not None
    for name, alter in ALTERATIONS.items():
        alter(shutil.copytree(installed, root / name / "lerobot", ignore=shutil.ignore_patterns("__pycache__")))
    return {name: root / name for name in ALTERATIONS}


@pytest.fixture
def run(copies: dict[str, Path], tmp_path: Path) -> Run:
    """Run the command line in a folder of its own, with one of the copies first on the path."""
    ours = str(Path(__file__).parent.parent)

    def call(copy: str, *words: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(copies[copy]), ours])
        environment = os.environ | {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1", "NO_COLOR": "1", "COLUMNS": "100"}
        command = [sys.executable, "-m", "getiaction_cli.main", *words]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    for name, parameters in (("ACT", SMALL_ACT), ("ACTPlus", SMALL_ACT), ("VQBeT", SMALL_VQBET)):
        (tmp_path / f"{name}.yaml").write_text(RECIPE.format(name=name, parameters=parameters))
    return call


def codes(done: subprocess.CompletedProcess[str]) -> list[str]:
    found = json.loads(done.stdout)["diagnostics"]
    return sorted({diagnostic["code"] for diagnostic in found if diagnostic["severity"] != "info"})


def _example(code: str) -> str:
    match = re.search(r"^## Example\n.*?```yaml\n(.*?)^```", load_rules()[code].page, re.DOTALL | re.MULTILINE)
    assert match is not None
    return match[1]


@pytest.mark.slow
def test_a_new_policy_is_listed_judged_as_far_as_it_can_be_and_named(run: Run, tmp_path: Path) -> None:
    judged = run("new", "validate-config", "ACTPlus.yaml", "--format", "json")
    assert (judged.returncode, codes(judged)) == (0, ["GA247"])
    (tmp_path / "example.yaml").write_text(_example("GA247").replace("lerobot/pusht", "getiaction/pusht-demo"))
    assert codes(run("new", "validate-config", "example.yaml", "--format", "json", "--ignore", "GA5")) == ["GA247"]
    refused = run("new", "validate-config", "ACTPlus.yaml", "--model.chunk_size=3", "--format", "json")
    assert refused.returncode == 1 and "GA247" in codes(refused) and len(codes(refused)) > 1
    assert "act_plus" in run("new", "list-policies").stdout
    assert codes(run("new", "validate-config", "ACT.yaml", "--format", "json")) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("copy", "recipe", "policy", "more"),
    [
        ("new", "ACTPlus", "act_plus", ()),
        ("moved", "ACT", "act", ("--unchecked",)),
        ("renamed", "VQBeT", "vq_bet", ()),
    ],
)
def test_it_trains_all_the_same(
    copy: str, recipe: str, policy: str, more: tuple[str, ...], run: Run, tmp_path: Path
) -> None:
    done = run(copy, "train", f"{recipe}.yaml", "--output-dir", "run", *more)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run/pretrained_model/config.json").read_text())["type"] == policy


@pytest.mark.parametrize(
    "words",
    [
        ["validate-config", "ACT.yaml"],
        ["inspect-dataset", "getiaction/pusht-demo"],
        ["list-policies", "--for", "getiaction/pusht-demo"],
        ["init", "getiaction/pusht-demo", "--policy", "act", "-o", "new.yaml"],
        ["train", "ACT.yaml"],
    ],
    ids=lambda words: words[0],
)
def test_what_could_not_be_read_is_reported_and_nothing_is_passed(
    words: list[str], run: Run, copies: dict[str, Path]
) -> None:
    done = run("moved", *words)
    said = " ".join(done.stderr.split())
    assert done.returncode == 3
    assert f"in {copies['moved'] / 'lerobot'} can't be read" in said
    # The dataset itself was judged.
    assert "nothing wrong" not in done.stdout + done.stderr or words[0] == "inspect-dataset"
    assert "getiaction itself failed" not in said
    assert ("--unchecked trains without these checks" in said) == (words[0] == "train")


def test_an_incomplete_verdict_is_marked_for_programs(run: Run) -> None:
    document = json.loads(run("moved", "validate-config", "ACT.yaml", "--format", "json").stdout)
    assert document["verdict"] == "incomplete" and len(document["not_run"]) > 50
    document = json.loads(run("moved", "validate-config", "ACT.yaml", "--format", "sarif").stdout)
    assert document["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_a_renamed_policy_is_named_as_unknown(run: Run) -> None:
    judged = run("renamed", "validate-config", "VQBeT.yaml", "--format", "json")
    assert (judged.returncode, codes(judged)) == (0, ["GA247"])
    assert "vq_bet" in run("renamed", "list-policies").stdout


@pytest.mark.parametrize(
    "words",
    [["validate-config", "ACT.yaml"], ["list-policies"], ["inspect-dataset", "getiaction/pusht-demo"]],
    ids=lambda words: words[0],
)
def test_a_registry_that_cannot_be_read_is_one_error(words: list[str], run: Run) -> None:
    done = run("registry", *words)
    assert done.returncode == 3 and "configuration_act.py registers its policy" in done.stderr, done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["validate-config", "ACT.yaml"],
        ["list-policies"],
        ["inspect-dataset", "getiaction/pusht-demo"],
        ["init", "getiaction/pusht-demo", "--policy", "act", "-o", "new.yaml"],
    ],
    ids=lambda words: words[0],
)
def test_a_base_that_was_moved_is_not_blamed_on_the_recipe(words: list[str], run: Run) -> None:
    done = run("base", *words)
    said = " ".join(done.stderr.split())
    assert done.returncode == 3 and "getiaction itself failed" not in said
    assert "lerobot.configs.policies" in said + done.stdout


@pytest.mark.slow
def test_policies_are_found_by_their_classes_under_any_name_and_in_any_folder(run: Run) -> None:
    refused = run("names", "validate-config", "ACT.yaml", "--model.chunk_size=3", "--format", "json")
    assert (refused.returncode, codes(refused)) == (1, ["GA201"])
    assert {"act", "zact"} <= set(run("names", "list-policies").stdout.split())
    judged = run("names", "validate-config", "ACT.yaml", "--model.class_path=getiaction.policies.lerobot.Diffusion")
    assert "names no policy" not in judged.stderr + judged.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("copy", "part"),
    [
        ("format", "datasets of the format v3: its own is v4"),
        ("key", "datasets without `layout` in info.json"),
    ],
)
def test_datasets_of_another_format_make_the_verdict_incomplete(copy: str, part: str, run: Run) -> None:
    judged = run(copy, "validate-config", "ACT.yaml", "--format", "json")
    document = json.loads(judged.stdout)
    assert (judged.returncode, document["verdict"]) == (3, "incomplete")
    assert [entry["reason"] for entry in document["not_run"]] == [f"LeRobot has no {part}, which training needs"]


@pytest.mark.slow
def test_a_part_that_only_training_needs_makes_the_verdict_incomplete(run: Run) -> None:
    judged = run("processors", "validate-config", "ACT.yaml", "--format", "json")
    document = json.loads(judged.stdout)
    assert (judged.returncode, document["verdict"]) == (3, "incomplete")
    assert [entry["reason"] for entry in document["not_run"]] == [
        "LeRobot has no lerobot.processor, which training needs"
    ]
    trained = run("processors", "train", "ACT.yaml", "--unchecked")
    assert trained.returncode == 3 and "can't be read completely: it has no lerobot.processor" in trained.stderr
    assert "ModuleNotFoundError" not in trained.stderr


def test_what_the_core_imports_is_found_in_its_source() -> None:
    found = set(imported())
    assert {("lerobot.processor", "PolicyProcessorPipeline"), ("lerobot.scripts", "lerobot_eval")} <= found
    installed = lerobot_folder()
    assert installed is not None and missing_part(installed) == ""
