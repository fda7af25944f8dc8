"""Adapters of strangers (adapter_config.json of PEFT): nothing of them is imported, fetched or matched without end."""

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hostile
import pytest
import yaml

from getiaction import trust
from getiaction.errors import TrainingError

ENDLESS = "(([a-z_.0-9]+)+)+!"  # backtracks for years on a name of 40 characters
MODULES = ["model.encoder.layers.0.self_attn.out_proj", "model.encoder.layers.0.linear1"]
DEFAULTS = {
    "peft_type": None, "r": 8, "target_modules": None, "exclude_modules": None, "modules_to_save": None,
    "rank_pattern": {}, "megatron_config": None, "megatron_core": "megatron.core", "loftq_config": {},
    "layers_pattern": None, "shadow_model": "mirror", "init_lora_weights": True, "auto_mapping": None,
    "task_type": None, "bias": "none",
}  # fmt: skip
GOOD = {"peft_type": "LORA", "r": 4, "target_modules": ["linear1"], "megatron_core": "megatron.core", "bias": "none"}

REFUSED = {
    "a module to import": {"megatron_config": {"x": 1}, "megatron_core": "this"},
    "a model": {"shadow_model": "stranger/x"},
    "a file": {"loftq_config": {"cache_file": "/etc/passwd"}},
    "more patterns": {"layers_pattern": ["layers"]},
    "a rank without end": {"r": 10**9},
    "a rank of one layer": {"rank_pattern": {"linear1": 10**9}},
    "a rank in words": {"r": "4"},
    "a negative rank": {"r": -1},
}


@pytest.mark.parametrize("name", REFUSED)
def test_only_the_fields_of_lerobot_name_anything(name: str) -> None:
    with pytest.raises(trust.Refused, match=r"of it is|a rank in it is"):
        trust.adapter(GOOD | REFUSED[name], DEFAULTS, 64, "it")


def test_fields_that_peft_imports_by_are_left_out() -> None:
    named = {"auto_mapping": {"parent_library": "subprocess", "base_model_class": "Popen"}, "task_type": "CAUSAL_LM"}
    assert trust.adapter(GOOD | named | {"of_a_newer_peft": 1}, DEFAULTS, 64, "it") == GOOD


@pytest.mark.parametrize("value", [ENDLESS, "(", "a{99999999999999999999}"])
@pytest.mark.parametrize("key", ["target_modules", "exclude_modules", "modules_to_save", "rank_pattern"])
def test_patterns_end(key: str, value: str) -> None:
    given: Any = {"modules_to_save": [value], "rank_pattern": {value: 4}}.get(key, value)
    with pytest.raises(trust.Refused, match=f"{key} of it"):
        trust.check_adapter_patterns({key: given}, MODULES, "it")


@pytest.mark.parametrize(
    "pattern", [r"(model\.encoder\.layers\..*\.(q|v|out)_proj|model\.head)", ".*linear1", "all-linear", "linear1"]
)
def test_patterns_that_people_write_are_fine(pattern: str) -> None:
    trust.check_adapter_patterns({"target_modules": pattern, "modules_to_save": ["head"]}, MODULES, "it")


# The real thing ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(finished: Path, recipe: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `pretrained_model` of adapters on the shared ACT."""
    from getiaction.train.run import train

    peft = {"r": 2, "lora_alpha": 4, "target_modules": ["linear1", "linear2"]}
    model = {**recipe["model"], "init_args": {"pretrained_path": str(finished / "pretrained_model"), "peft": peft}}
    folder = tmp_path_factory.mktemp("adapters") / "run"
    adapted = {**recipe, "model": model}
    train(adapted, recipe_name="x", recipe_text=yaml.safe_dump(adapted), quiet=True, output_dir=folder)
    return folder / "pretrained_model"


def _config(**changes: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        file = folder / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


def _pickle(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()
    (folder / "adapter_model.bin").write_bytes(pickle.dumps(hostile.Program(folder.parent / "ran")))


def _pipe(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)

    return change


ATTACKS: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pattern": (_config(target_modules=ENDLESS), "takes more than a second"),
    "a tokenizer": (
        _config(peft_type="PROMPT_TUNING", prompt_tuning_init="TEXT", tokenizer_name_or_path="stranger/x"),
        "does not train adapters of layers",
    ),
    "a model": (_config(peft_type="SHADOW", shadow_model="stranger/x"), "shadow_model"),
    "no method": (_config(peft_type="__class__"), "does not name a method"),
    "a rank": (_config(r=10**9), "a rank in"),
    "a pickle": (_pickle, "adapter_model.safetensors of .* can't be read"),
    "a pipe": (_pipe("adapter_config.json"), "Not a regular file"),
    "weights as a pipe": (_pipe("adapter_model.safetensors"), "Not a regular file"),
    "deep JSON": (lambda folder: (folder / "adapter_config.json").write_text(hostile.deep_json()), "nested too deeply"),
    "no base": (_config(base_model_name_or_path=["a"]), "does not name the policy"),
    "a revision that is a path": (_config(base_model_name_or_path="a/b", revision="../../x"), "branch, tag or commit"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ATTACKS)
def test_loading_refuses(name: str, trained: Path, tmp_path: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy

    change, words = ATTACKS[name]
    folder = Path(shutil.copytree(trained, tmp_path / "theirs"))
    change(folder)
    with pytest.raises(TrainingError, match=words):
        LeRobotPolicy.from_pretrained(folder)
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.safetensors", "policy_preprocessor_step_3_normalizer_processor.safetensors"])
def test_a_pretrained_policy_has_only_files(name: str, finished: Path, recipe: dict[str, Any], tmp_path: Path) -> None:
    from getiaction.policies.lerobot import LeRobotPolicy
    from getiaction.train.run import train

    folder = Path(shutil.copytree(finished / "pretrained_model", tmp_path / "theirs"))
    _pipe(name)(folder)
    with pytest.raises(TrainingError, match="is not a regular file"):
        LeRobotPolicy.from_pretrained(folder)
    changed = {**recipe, "model": {**recipe["model"], "init_args": {"pretrained_path": str(folder)}}}
    with pytest.raises(TrainingError, match="is not a regular file"):
        train(changed, recipe_name="x", recipe_text=yaml.safe_dump(changed), quiet=True, output_dir=tmp_path / "run")


@pytest.mark.slow
def test_a_recipe_with_an_endless_pattern(finished: Path, recipe: dict[str, Any], tmp_path: Path) -> None:
    from getiaction.train.run import train

    base = {"pretrained_path": str(finished / "pretrained_model"), "peft": {"r": 2, "target_modules": ENDLESS}}
    changed = {**recipe, "model": {**recipe["model"], "init_args": base}}
    with pytest.raises(trust.Refused, match=r"target_modules of model\.init_args\.peft"):
        train(changed, recipe_name="x", recipe_text=yaml.safe_dump(changed), quiet=True, output_dir=tmp_path / "run")
