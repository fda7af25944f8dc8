"""Pretrained policies, checkpoints and run folders of strangers: refused before anything in them is called."""

import collections
import copy
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import pytest
import torch
import yaml

from getiaction import trust
from getiaction.errors import TrainingError
from getiaction_cli.policies.steps import InstalledSteps

STEPS = list(hostile.steps(Path("ran")))
GETIACTION = [sys.executable, "-m", "getiaction_cli.main"]


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """A file that is there when something of a stranger's has run."""
    return tmp_path / "ran"


def loaded_steps() -> trust.Steps:
    """The steps as training knows them."""
    from getiaction.lerobot.names import config_class
    from getiaction.lerobot.steps import LoadedSteps

    return LoadedSteps(config_class("act")(device="cpu"))


# Processors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [InstalledSteps, loaded_steps])
@pytest.mark.parametrize("name", STEPS)
def test_only_steps_of_lerobot_are_steps(name: str, steps: Callable[[], trust.Steps], mark: Path) -> None:
    known = set(sys.modules)
    with pytest.raises(trust.Refused, match=r"step 0 of it|the config of step 0"):
        trust.processor(hostile.processor(hostile.steps(mark)[name]), steps(), "it")
    assert not {"this", "lerobot.annotations.steerable_pipeline.vlm_client"} & (set(sys.modules) - known)
    assert not mark.exists()


@pytest.mark.parametrize("content", [None, [], "text", {}, {"steps": {}}, {"steps": [None]}, {"steps": ["a"]}])
def test_what_is_no_processor_is_refused(content: Any) -> None:
    with pytest.raises(trust.Refused):
        trust.processor(content, InstalledSteps(), "it")


def test_both_halves_know_the_same_steps(finished: Path) -> None:
    for name in trust.PROCESSORS:
        content = json.loads((finished / "pretrained_model" / name).read_text())
        assert trust.processor(content, InstalledSteps(), name) == content
        assert trust.processor(content, loaded_steps(), name) == content
        by_class = copy.deepcopy(content)
        for step in by_class["steps"]:
            from lerobot.processor import ProcessorStepRegistry

            found = ProcessorStepRegistry.get(step.pop("registry_name"))
            step["class"] = f"{found.__module__}.{found.__qualname__}"
        assert trust.processor(by_class, InstalledSteps(), name) == by_class
        assert trust.processor(by_class, loaded_steps(), name) == by_class


@pytest.fixture
def pretrained(finished: Path, tmp_path: Path) -> Path:
    """A copy of a pretrained policy to tamper with."""
    return Path(shutil.copytree(finished / "pretrained_model", tmp_path / "theirs"))


def fine_tuning(recipe: dict[str, Any], pretrained: Path, **parameters: Any) -> dict[str, Any]:
    changed = copy.deepcopy(recipe)
    changed["model"]["init_args"] = {"pretrained_path": str(pretrained), **parameters}
    return changed


def train(recipe: dict[str, Any], folder: Path, **arguments: Any) -> Any:
    from getiaction.train.run import train

    return train(
        recipe, recipe_name="x", recipe_text=yaml.safe_dump(recipe), quiet=True, output_dir=folder, **arguments
    )


@pytest.mark.parametrize("file", trust.PROCESSORS)
def test_training_refuses_before_it_loads_anything(
    file: str, recipe: dict[str, Any], pretrained: Path, mark: Path, tmp_path: Path
) -> None:
    (pretrained / file).write_text(json.dumps(hostile.processor(hostile.steps(mark)["a program"])))
    (pretrained / "model.safetensors").unlink()  # nothing has asked for the weights by then
    with pytest.raises(trust.Refused, match=rf"step 0 of {file} of .*theirs asks for 'subprocess.Popen'"):
        train(fine_tuning(recipe, pretrained), tmp_path / "run")
    assert not mark.exists() and not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [hostile.deep_json(), '{"steps": 1e999}', "", "[1]"])
@pytest.mark.parametrize("file", [*trust.PROCESSORS, "config.json"])
def test_spoilt_files_are_one_error(
    file: str, content: str, recipe: dict[str, Any], pretrained: Path, tmp_path: Path
) -> None:
    (pretrained / file).write_text(content)
    with pytest.raises(TrainingError, match="json"):
        train(fine_tuning(recipe, pretrained), tmp_path / "run")


@pytest.mark.parametrize("file", [*trust.PROCESSORS, "config.json"])
def test_a_pipe_is_no_file(file: str, recipe: dict[str, Any], pretrained: Path, tmp_path: Path) -> None:
    (pretrained / file).unlink()
    os.mkfifo(pretrained / file)
    with pytest.raises(TrainingError, match=r"[Nn]ot a regular file"):
        train(fine_tuning(recipe, pretrained), tmp_path / "run")


def test_code_beside_a_tokenizer_does_not_run(
    recipe: dict[str, Any], pretrained: Path, mark: Path, tmp_path: Path
) -> None:
    step = {
        "registry_name": "action_tokenizer_processor",
        "config": {"action_tokenizer_name": str(hostile.code(tmp_path / "tokenizer", mark)), "trust_remote_code": True},
    }
    (pretrained / trust.PROCESSORS[0]).write_text(json.dumps(hostile.processor(step)))
    with pytest.raises(trust.Refused, match=r"tokenizer holds Python code \(code.py\) that would be run"):
        train(fine_tuning(recipe, pretrained), tmp_path / "run")
    assert not mark.exists()


def test_the_user_may_allow_code(mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoProcessor

    folder = hostile.code(tmp_path / "tokenizer", mark)
    monkeypatch.setenv(trust.ALLOW_CODE, f"other/one, {folder}")
    with trust.no_foreign_code(frozenset()):
        assert AutoProcessor.from_pretrained(str(folder), trust_remote_code=True) is None
    assert mark.exists()


def test_a_folder_does_not_pass_for_lerobots_own_repository(
    mark: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoProcessor

    from getiaction.lerobot.foreign_code import no_foreign_code, trusted_texts

    monkeypatch.chdir(tmp_path)
    own = "lerobot/fast-action-tokenizer"
    assert trust.may_load_code(own, None, trusted_texts("pi0_fast"))
    assert not trust.may_load_code(own, "refs/pr/1", trusted_texts("pi0_fast"))  # anyone may propose a commit
    hostile.code(tmp_path / own, mark)
    with pytest.raises(trust.Refused), no_foreign_code("pi0_fast"):
        AutoProcessor.from_pretrained(own, trust_remote_code=True)
    assert not mark.exists()


def test_compiled_code_is_not_fetched(recipe: dict[str, Any], pretrained: Path) -> None:
    from getiaction.lerobot.configuration import make_config

    with pytest.raises(trust.Refused, match=r"vlm_config\.attn_implementation is 'stranger/kernel'"):
        make_config("eo1", {"vlm_config": {"attn_implementation": "stranger/kernel"}}, "cpu")


def test_a_checkpoint_does_not_choose_where_its_users_publish(recipe: dict[str, Any], pretrained: Path) -> None:
    from getiaction.lerobot.configuration import pretrained_config_values

    config = json.loads((pretrained / "config.json").read_text())
    config |= {"push_to_hub": True, "repo_id": "stranger/takes-all"}
    (pretrained / "config.json").write_text(json.dumps(config))
    assert not {"push_to_hub", "repo_id"} & pretrained_config_values("act", str(pretrained), None).keys()


@pytest.mark.slow
def test_the_verdict_and_a_trial_say_so(recipe: dict[str, Any], pretrained: Path, mark: Path, tmp_path: Path) -> None:
    (pretrained / trust.PROCESSORS[0]).write_text(json.dumps(hostile.processor(hostile.steps(mark)["a program"])))
    file = tmp_path / "r.yaml"
    file.write_text("# getiaction: ignore[GA250]\n" + yaml.safe_dump(fine_tuning(recipe, pretrained)))
    told = subprocess.run(
        [*GETIACTION, "validate-config", file, "--smoke"], capture_output=True, text=True, check=False
    )
    assert told.returncode and "asks for 'subprocess.Popen'" in told.stdout + told.stderr, told
    assert not mark.exists()


# Checkpoints and run folders -----------------------------------------------------------------------------------------


@pytest.fixture
def theirs(finished: Path, tmp_path: Path) -> Path:
    """A copy of a run folder to tamper with."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def tamper(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = run / "checkpoints/last.ckpt"
    content = torch.load(file, weights_only=True)
    change(content)
    torch.save(content, file)


def resume(run: Path, recipe: dict[str, Any], **trainer: Any) -> Any:
    from getiaction.train.run import train

    longer = {**recipe, "trainer": {**recipe["trainer"], "max_steps": 4, **trainer}}
    return train(longer, recipe_name="x", recipe_text=yaml.safe_dump(longer), quiet=True, resume=run)


@pytest.mark.parametrize("name", STEPS)
def test_resuming_refuses_other_steps(name: str, theirs: Path, recipe: dict[str, Any], mark: Path) -> None:
    step = hostile.steps(mark)[name]
    tamper(theirs, lambda content: content["getiaction"]["postprocessor"]["config"]["steps"].append(step))
    before = (theirs / "checkpoints/last.ckpt").read_bytes()
    with pytest.raises(trust.Refused, match="of the checkpoint's postprocessor"):
        resume(theirs, recipe)
    assert not mark.exists()
    assert (theirs / "checkpoints/last.ckpt").read_bytes() == before


def test_attributes_of_a_dictionary_are_dropped(theirs: Path, recipe: dict[str, Any]) -> None:
    class_of_step = []

    def change(content: dict[str, Any]) -> None:
        step = content["getiaction"]["preprocessor"]["config"]["steps"][0]
        step["config"] = collections.OrderedDict(step["config"])
        step["config"].serve_command = "touch ran"
        class_of_step.append(step)

    tamper(theirs, change)
    read = torch.load(theirs / "checkpoints/last.ckpt", weights_only=True)
    assert read["getiaction"]["preprocessor"]["config"]["steps"][0]["config"].serve_command  # torch lets it through
    clean = trust.checkpoint(read, theirs / "checkpoints")
    assert not hasattr(clean["getiaction"]["preprocessor"]["config"]["steps"][0]["config"], "serve_command")
    assert resume(theirs, recipe).steps == 4


def test_a_pickle_does_not_run(theirs: Path, recipe: dict[str, Any], mark: Path) -> None:
    hostile.pickled(theirs / "checkpoints/last.ckpt", mark)
    with pytest.raises(TrainingError, match="damaged, or not a checkpoint"):
        resume(theirs, recipe)
    torch.save(
        {"state_dict": {}, "loops": {}, "optimizer_states": [], "x": hostile.Program(mark)},
        theirs / "checkpoints/last.ckpt",
    )
    with pytest.raises(TrainingError, match="more than numbers and plain values"):
        resume(theirs, recipe)
    assert not mark.exists()


def test_a_compressed_checkpoint_is_not_unpacked(theirs: Path, recipe: dict[str, Any]) -> None:
    import zipfile

    with zipfile.ZipFile(theirs / "checkpoints/last.ckpt", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data/0", b"\0" * (64 << 20))
    assert (theirs / "checkpoints/last.ckpt").stat().st_size < 1 << 20
    with pytest.raises(TrainingError, match="damaged, or not a checkpoint"):
        resume(theirs, recipe)


def test_a_checkpoint_names_no_function_that_builds_the_policy(theirs: Path, mark: Path) -> None:
    from getiaction.policies.lerobot import ACT

    tamper(theirs, lambda content: content["hyper_parameters"].update(_instantiator="os.system"))
    with pytest.raises(trust.Refused, match="names a function"):
        ACT.load_from_checkpoint(theirs / "checkpoints/last.ckpt")


@pytest.mark.parametrize("kind", ["folder", "traversal", "elsewhere", "address"])
def test_a_callback_deletes_nothing_that_a_checkpoint_names(
    kind: str, theirs: Path, recipe: dict[str, Any], tmp_path: Path
) -> None:
    thesis = tmp_path / "thesis"
    thesis.mkdir()
    (thesis / "chapter.ckpt").write_text("two years of work")
    checkpoints = str(theirs / "checkpoints")
    path = {
        "folder": str(thesis),
        "traversal": f"{checkpoints}/../../thesis",
        "elsewhere": str(thesis / "chapter.ckpt"),
        "address": f"local://{thesis}",
    }[kind]
    keep = {"monitor": "train/loss", "save_top_k": 1, "every_n_train_steps": 1, "filename": "top-{step}"}
    callback = {"class_path": "lightning.pytorch.callbacks.ModelCheckpoint", "init_args": keep}

    def change(content: dict[str, Any]) -> None:
        import lightning as L

        key = L.pytorch.callbacks.ModelCheckpoint(**keep).state_key
        worst = torch.tensor(1e9)
        content["callbacks"][key] = {
            "monitor": "train/loss", "best_model_score": worst, "best_model_path": path, "current_score": worst,
            "dirpath": checkpoints, "best_k_models": {path: worst}, "kth_best_model_path": path, "kth_value": worst,
            "last_model_path": path,
        }  # fmt: skip

    tamper(theirs, change)
    resume(theirs, recipe, callbacks=[callback])
    assert (thesis / "chapter.ckpt").read_text() == "two years of work"
    assert len(list(Path(checkpoints).glob("top-*.ckpt"))) == 1  # its own are replaced by better ones


def test_cycles_and_shared_lists_of_a_checkpoint_end(theirs: Path) -> None:
    level: list[Any] = ["ha"]
    for _ in range(60):
        level = [level, level]  # 2**60 words when each is followed
    assert trust.plain({"a": "b"}, "it") == {"a": "b"}
    trust.checkpoint({"laughs": level}, theirs)
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(trust.Refused, match="nested too deeply"):
        trust.checkpoint({"cycle": cycle}, theirs)


@pytest.mark.parametrize("value", [object(), print, {1: 2}, {"a": {3}}, {"a": b"bytes"}, torch.zeros(1)])
def test_settings_are_plain_values(value: Any) -> None:
    with pytest.raises(trust.Refused):
        trust.plain(value, "it")
