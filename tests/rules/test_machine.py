"""GA5xx: each rule on a machine that lacks something and on one that doesn't. Machines are values, made by hand."""

import contextlib
import json
import platform
import re
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pynvml
import pytest
from verdict_helpers import HEALTHY, Judge, block

from getiaction.spec import memory
from getiaction.spec.memory import Need
from getiaction_cli import installed
from getiaction_cli import machine as probing
from getiaction_cli.analysis.weights import from_hub
from getiaction_cli.checking.recipe_context import RecipeContext, SharedInputs
from getiaction_cli.checking.runner import load_rules
from getiaction_cli.diagnostics import Severity
from getiaction_cli.installed import normal, requirements, versions
from getiaction_cli.machine import Gpu, Machine
from getiaction_cli.policies import load
from getiaction_cli.recipe import read

RULES = {code: rule for code, rule in load_rules().items() if code.startswith("GA5")}
RTX = Gpu("RTX 4090", memory=24 * 10**9, free=20 * 10**9, capability=(8, 9))
WITH_GPU = replace(HEALTHY, gpus=(RTX,), torch_cuda="13.0")
OLD_GPU = replace(HEALTHY, gpus=(Gpu("GTX 1080", 8 * 10**9, None, (6, 1)),), torch_cuda="13.0")
MAC = replace(HEALTHY, system="Darwin", arch="arm64")

# The machine on which a page's Example fires; HEALTHY where it is the recipe that is too much for any.
ON = {
    "GA502": WITH_GPU,
    "GA505": replace(HEALTHY, packages={}),
    "GA507": replace(HEALTHY, env={"HF_HUB_OFFLINE": "1"}),
    "GA508": replace(HEALTHY, hub_token=False, gpus=(Gpu("H200"),), torch_cuda="13.0"),
    "GA510": replace(HEALTHY, free_space=lambda _: 3 * 10**9),
    "GA513": replace(HEALTHY, shared_memory=64 * 10**6),
    "GA514": replace(HEALTHY, env={"LEROBOT_HOME": "/data"}),
    "GA515": MAC,
    "GA517": WITH_GPU,
    "GA518": replace(HEALTHY, memory=16 * 10**9),
    "GA540": replace(HEALTHY, env={"HF_HUB_OFFLINE": "1"}),
    "GA524": WITH_GPU,
    "GA521": replace(HEALTHY, packages={name: v for name, v in HEALTHY.packages.items() if name != "gym-pusht"}),
}
BESIDE = {
    "GA513": {"GA327"},
    "GA518": {"GA327"},
    "GA524": {"GA327"},
}  # a batch that fills the memory is larger than the small test dataset


@pytest.fixture(autouse=True)
def measured(lerobot_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The measurement that the page of GA524 speaks of: 500 MB a sample."""
    monkeypatch.setenv("GETIACTION_CACHE", str(tmp_path / "cache"))
    fit = RecipeContext(read("r.yaml", text=block(RULES["GA524"], "Example")), SharedInputs(offline=True)).fit
    need = Need(1, 1, 4, 4, 4, 8, 0, ((0.0, 500e6),), 1e9, 1000)
    features = {key: feature.raw for key, feature in fit.dataset.features.items()}
    memory.store(memory.cache_key(fit.recipe.plain(), features, fit.fps), need)


@pytest.mark.parametrize("batch", [44, 47, 64])
def test_a_batch_that_barely_does_not_fit_is_a_warning(batch: int, judge: Judge) -> None:
    text = block(RULES["GA524"], "Example").replace("train_batch_size: 64", f"train_batch_size: {batch}")
    found = judge(text, WITH_GPU).get("GA524")
    if batch == 44:  # of 24 GB, 22.4 can be used
        assert found is None
        return
    assert found is not None and found.path == "data.init_args.train_batch_size"
    assert found.severity is (Severity.ERROR if batch == 64 else Severity.WARNING)
    assert found.label == "44 fits"
    assert (found.fix is not None) == (batch == 64)  # 47 has no divisor but itself and 1
    if found.fix:
        assert "32 at a time" in found.fix.title


@pytest.mark.parametrize("code", RULES)
def test_example_fires_this_rule_alone(code: str, judge: Judge) -> None:
    assert set(judge(block(RULES[code], "Example"), ON.get(code, HEALTHY))) - BESIDE.get(code, set()) == {code}


@pytest.mark.parametrize("code", RULES)
def test_instead_fires_nothing(code: str, judge: Judge) -> None:
    machine = HEALTHY if code == "GA514" else ON.get(code, HEALTHY)
    assert judge(block(RULES[code], "Instead"), machine) == {}


RECIPE = """\
model:
  class_path: getiaction.policies.lerobot.ACT
  init_args: {{chunk_size: 8, n_action_steps: 8, pretrained_backbone_weights: {weights}}}
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args: {{repo_id: lerobot/pusht}}
trainer:
  max_steps: 1000
{more}"""


def recipe(more: str = "", weights: str = "ResNet18_Weights.IMAGENET1K_V1") -> str:
    return RECIPE.format(weights=weights, more=more)


OFFLINE = replace(HEALTHY, env={"HF_HUB_OFFLINE": "1"})
CASES = [
    ("  accelerator: gpu", HEALTHY, "GA501", 9),
    ("  accelerator: gpu", WITH_GPU, "", 0),
    ("  accelerator: gpu", replace(HEALTHY, gpus=(RTX,)), "GA501", 9),
    ("  accelerator: mps", MAC, "", 0),
    ("  accelerator: mps", WITH_GPU, "GA501", 9),
    ("  devices: 2", WITH_GPU, "GA502", 9),
    ("  devices: [0]", WITH_GPU, "", 0),
    ("  devices: [1]", WITH_GPU, "GA502", 9),
    ("  devices: 2", HEALTHY, "", 0),
    ("  devices: '1,'", WITH_GPU, "GA502", 9),
    ("  devices: [0, 0]", WITH_GPU, "GA502", 9),
    ("  devices: '0,'", HEALTHY, "GA502", 9),
    ("  devices: '2'", HEALTHY, "", 0),
    ("  precision: bf16-mixed", OLD_GPU, "GA503", 9),
    ("  precision: bf16-mixed", WITH_GPU, "", 0),
    ("  precision: 16-mixed", WITH_GPU, "", 0),
    ("  precision: transformer-engine", WITH_GPU, "GA503", 9),
    ("", OFFLINE, "GA507", 3),
    ("", replace(OFFLINE, torch_hub={"resnet18-f37072fd.pth"}), "", 0),
    ("  logger: {class_path: lightning.pytorch.loggers.WandbLogger}", HEALTHY, "GA511", 9),
    ("  logger: {class_path: lightning.pytorch.loggers.WandbLogger}",
     replace(HEALTHY, packages={"wandb": "0.27"}), "", 0),
    ("  logger: {class_path: lightning.pytorch.loggers.WandbLogger}",
     replace(HEALTHY, packages={"wandb": "0.27"}, wandb_key=False), "GA511", 9),
    ("  logger: {class_path: lightning.pytorch.loggers.WandbLogger, init_args: {offline: true}}",
     replace(HEALTHY, packages={"wandb": "0.27"}, wandb_key=False), "", 0),
    ("", replace(HEALTHY, free_space=lambda _: 10**9), "GA510", 2),
    ("  fast_dev_run: true", replace(HEALTHY, free_space=lambda _: 10**9), "", 0),
]  # fmt: skip


@pytest.mark.parametrize(("more", "machine", "code", "line"), CASES)
def test_on_this_machine(more: str, machine: Machine, code: str, line: int, judge: Judge) -> None:
    found = judge(recipe(more), machine)
    assert set(found) == ({code} if code else set())
    if code:
        assert found[code].span is not None and found[code].span.line == line


def test_a_wrong_version_of_an_extra_is_a_warning(judge: Judge) -> None:
    old = replace(HEALTHY, packages={**HEALTHY.packages, "transformers": "4.57.1"})
    said = judge(block(RULES["GA505"], "Example"), old)["GA505"]
    assert "transformers" in said.message and "4.57.1" in said.message and said.severity == "warning"


def test_a_policy_that_is_more_than_the_memory(judge: Judge) -> None:
    text = block(RULES["GA504"], "Example")
    assert "a step takes minutes" in judge(text, HEALTHY)["GA504"].message
    small = replace(HEALTHY, memory=16 * 10**9)
    assert "there are 16 GB of memory" in judge(text, small)["GA504"].message


def test_an_output_folder_that_is_taken(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert "--resume" not in judge(f"output_dir: {tmp_path}/run\n" + recipe())["GA509"].help, "not a run's folder"
    (tmp_path / "run" / "recipe.yaml").touch()
    (tmp_path / "run" / "run.json").touch()
    said = judge(f"output_dir: {tmp_path}/run\n" + recipe())["GA509"]
    assert said.span is not None and said.span.line == 1 and "--resume" in said.help
    assert judge(f"output_dir: {tmp_path}/new\n" + recipe()) == {}
    (tmp_path / "empty").mkdir()
    assert judge(f"output_dir: {tmp_path}/empty\n" + recipe()) == {}


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ("x" * 300, "a name has at most 255 bytes here"),
        ("new/" + "ä" * 200, "a name has at most 255 bytes here"),
        ("a/" * 2100 + "run", "a path has at most 4,096 bytes here"),
        ("notes.txt/run", "notes.txt is a file"),
        (r"a\0b", "its name has a null character"),
    ],
    ids=["name", "bytes", "path", "file", "null"],
)
@pytest.mark.skipif(platform.system() != "Linux", reason="the limits of Linux")
def test_an_output_folder_that_cannot_be_made(
    folder: str, why: str, judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").touch()
    found = judge(f'output_dir: "{folder}"\n' + recipe())["GA509"]
    assert why in found.message and found.span is not None and found.span.line == 1


def test_this_machine_is_probed_without_torch() -> None:
    here = probing.probe()
    assert here.accelerators()[-1] == "cpu"
    assert here.packages.get("lerobot") and "no-such-package" not in here.packages
    assert here.free_space(Path("no/such/folder/yet"))


def test_plain_requirements_are_read_as_packaging_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    extras = metadata.metadata("lerobot").get_all("Provides-Extra") or []
    quick = [requirements("lerobot", extra) for extra in extras]
    requirements.cache_clear()
    monkeypatch.setattr(installed, "_UNCONDITIONAL", re.compile("nothing"))
    assert [requirements("lerobot", extra) for extra in extras] == quick and any(quick)
    requirements.cache_clear()


def test_no_driver_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing.platform, "system", lambda: "Windows")  # where no device file says so at once
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        pytest.skip("this machine has a driver")
    assert probing._nvidia_gpus() == ()


def test_what_a_driver_does_not_say_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on machines whose GPU has no memory of its own."""

    def unsupported(_: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    driver: dict[str, object] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 3,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda index: f"GPU {index}",
        "nvmlDeviceGetMemoryInfo": unsupported,
        "nvmlDeviceGetCudaComputeCapability": lambda _: (12, 1),
    }
    for name, answer in driver.items():
        monkeypatch.setattr(pynvml, name, answer)
    monkeypatch.setattr(probing.platform, "system", lambda: "Windows")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    assert probing._nvidia_gpus() == (
        Gpu("GPU 0", capability=(12, 1)),
        Gpu("GPU 2", capability=(12, 1)),
    )


def test_versions_are_those_that_python_finds() -> None:
    found = {normal(d.name): d.version for d in metadata.distributions()}
    assert found and versions() == found


def test_requirements_follow_extras_of_extras() -> None:
    wanted = requirements("lerobot", "smolvla")
    assert {"transformers", "num2words", "accelerate"} <= set(wanted)
    assert wanted["transformers"].startswith("<") or wanted["transformers"].startswith(">")
    assert "torchcodec" not in requirements("lerobot", "groot")  # for some machines only, and LeRobot does without
    own = requirements("lerobot", "groot", own=True)
    assert "dm-tree" in own and "transformers" not in own
    assert ("decord" in own) == (platform.machine() in ("x86_64", "AMD64"))
    assert requirements("lerobot", "no-such-extra") == {} == requirements("no-such-package", "x")


def test_the_cache_of_resnet_weights_is_known_by_file() -> None:
    assert probing.resnet_weights()["ResNet18_Weights.IMAGENET1K_V1"] == "resnet18-f37072fd.pth"
    assert probing.resnet_weights()["ResNet50_Weights.DEFAULT"] == "resnet50-11ad3fa6.pth"


def test_adapters_are_not_judged_as_a_policy_that_is_trained_whole(judge: Judge) -> None:
    example = block(RULES["GA517"], "Example")
    adapted = example.replace("    chunk_size: 10\n", "    chunk_size: 10\n    peft: {r: 16}\n")
    assert adapted != example
    little = replace(WITH_GPU, free_space=lambda _: 10**9)
    assert "GA510" in judge(example, little)
    assert not {"GA510", "GA517"} & set(judge(adapted, little))


@pytest.mark.parametrize(
    ("parameters", "fetched"),
    [
        ({}, True),
        ({"video_dit_config": {"num_layers": 2}}, False),  # not the base's sizes: LeRobot starts from nothing
        ({"pretrained_path": "./mine"}, False),
    ],
    ids=["its base", "other sizes", "a policy of one's own"],
)
def test_fastwam_fetches_its_base_where_it_starts_from_it(parameters: dict[str, Any], fetched: bool) -> None:
    model = {"class_path": "getiaction.policies.lerobot.FastWAM", "init_args": parameters}
    policy = load("fastwam").configure({k: v for k, v in parameters.items() if k != "pretrained_path"})
    wanted = [wanted.repo_id for wanted in from_hub(read("recipe.yaml", text=json.dumps({"model": model})), policy)]
    assert ("lerobot/fastwam_base" in wanted) is fetched
    assert "Wan-AI/Wan2.2-TI2V-5B-Diffusers" in wanted
