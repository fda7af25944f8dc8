"""Recipes and datasets that differ from a healthy one in a single thing: what the verdict is measured with.

Each mutant is a recipe with tiny networks on a tiny dataset, after one change: a key of the recipe set to another
value, taken away or misspelt, or one edit of the dataset's files. Some changes are mistakes, many are not; which is
which is decided by training (benchmarks/mutation_truth.py), not here.
"""

import copy
import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import make_dataset
import odd_datasets
import tiny_vlas
import yaml

from getiaction_cli.policies import load, plain

Edit = Callable[[Path], object]
REMOVE = object()

TINY: dict[str, dict[str, Any]] = {
    "act": {
        "pretrained_backbone_weights": None,
        "chunk_size": 8,
        "n_action_steps": 8,
        "dim_model": 32,
        "n_heads": 2,
        "dim_feedforward": 64,
        "n_encoder_layers": 1,
        "n_vae_encoder_layers": 1,
        "latent_dim": 4,
    },
    "diffusion": {
        "pretrained_backbone_weights": None,
        "horizon": 8,
        "n_action_steps": 4,
        "drop_n_last_frames": 3,
        "down_dims": [16, 32],
        "n_groups": 4,
        "diffusion_step_embed_dim": 16,
        "num_train_timesteps": 10,
        "spatial_softmax_num_keypoints": 4,
        "use_separate_rgb_encoder_per_camera": False,
    },
    "vqbet": {
        "pretrained_backbone_weights": None,
        "n_obs_steps": 2,
        "n_action_pred_token": 2,
        "action_chunk_size": 3,
        "crop_shape": [80, 80],
        "n_vqvae_training_steps": 2,
        "spatial_softmax_num_keypoints": 4,
        "gpt_n_layer": 1,
        "gpt_n_head": 2,
        "gpt_input_dim": 16,
        "gpt_hidden_dim": 16,
        "gpt_output_dim": 16,
        "vqvae_n_embed": 4,
        "vqvae_embedding_dim": 8,
        "vqvae_enc_hidden_dim": 8,
    },
    "tdmpc": {
        "horizon": 3,
        "latent_dim": 8,
        "mlp_dim": 16,
        "q_ensemble_size": 2,
        "image_encoder_hidden_dim": 4,
        "state_encoder_hidden_dim": 16,
        "n_gaussian_samples": 16,
        "n_pi_samples": 4,
        "n_elites": 4,
        "cem_iterations": 2,
    },
}
CLASS = {"act": "ACT", "diffusion": "Diffusion", "vqbet": "VQBeT", "tdmpc": "TDMPC"}
PUSHT = "lerobot/pusht"


@dataclass(frozen=True)
class Mutant:
    """One change.

    Args:
        name: "act model.init_args.chunk_size=0" or "act dataset fps-30": unique.
        policy: LeRobot's name of the policy.
        text: the recipe after the change; ``{root}`` stands for the mutated dataset's folder.
        edit: what is done to a copy of the dataset; None leaves it.
        dataset: the dataset that ``edit`` changes.
    """

    name: str
    policy: str
    text: str
    edit: Edit | None = None
    dataset: str = PUSHT


def base(policy: str) -> dict[str, Any]:
    """The healthy recipe."""
    return {
        "seed": 1,
        "model": {
            "class_path": f"getiaction.policies.lerobot.{CLASS[policy]}",
            "init_args": {"learning_rate": 1e-4, **copy.deepcopy(TINY[policy])},
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {"repo_id": PUSHT, "train_batch_size": 2, "num_workers": 0, "frame_store": "off"},
        },
        "trainer": {"max_steps": 6, "accelerator": "cpu"},
    }


def text_of(recipe: Any) -> str:
    """As YAML."""
    return yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)


def mutants() -> list[Mutant]:
    """All of them, the four policies taking turns."""
    found: list[Mutant] = []
    for policy in TINY:
        found.append(Mutant(f"{policy} healthy", policy, text_of(base(policy))))
        found += _parameters(policy)
        found += _sections(policy)
        found += _deltas(policy)
        found += _other_datasets(policy)
        found += _damaged(policy)
    found += [*_callbacks(), *_elsewhere()]
    return list({mutant.name: mutant for mutant in found}.values())


def _set(recipe: dict[str, Any], route: str, value: Any) -> None:
    *parents, last = route.split("/")
    for parent in parents:
        recipe = recipe.setdefault(parent, {})
    if value is REMOVE:
        recipe.pop(last, None)
    else:
        recipe[last] = value


def drawn(count: int, seed: int) -> list[Mutant]:
    """One to three changes at once of a recipe on one of several datasets, drawn at random."""
    draw = random.Random(seed)
    bases = [(policy, PUSHT, {}) for policy in TINY] + [
        (policy, f"made/{dataset}", parameters) for policy, dataset, _, parameters in _BASES.values()
    ]
    changes = {policy: list(_changes(policy)) for policy in TINY}
    found: dict[str, Mutant] = {}
    while len(found) < count:
        policy, dataset, parameters = draw.choice(bases)
        recipe = base(policy)
        recipe["model"]["init_args"] |= copy.deepcopy(parameters)
        recipe["data"]["init_args"]["repo_id"] = dataset
        chosen = draw.sample(changes[policy], draw.randint(1, 3))
        if not any(a is not b and a[0].startswith(b[0]) for a in chosen for b in chosen):
            for route, value in chosen:
                _set(recipe, route, value)
            name = f"{policy} on {dataset}: {', '.join(_said(route, value) for route, value in chosen)}"
            found[name] = Mutant(name, policy, text_of(recipe), dataset=dataset)
    return list(found.values())


def pairs(count: int, seed: int) -> list[Mutant]:
    """Two changes at once, drawn at random from all changes of the recipe: what no rule was made with."""
    draw = random.Random(seed)
    found: dict[str, Mutant] = {}
    changes = {policy: list(_changes(policy)) for policy in TINY}
    while len(found) < count:
        policy = draw.choice(list(TINY))
        (route, value), (other, second) = draw.sample(changes[policy], 2)
        if other.startswith(route) or route.startswith(other):
            continue
        recipe = base(policy)
        _set(recipe, route, value)
        _set(recipe, other, second)
        name = f"{policy} pair {_said(route, value)}, {_said(other, second)}"
        found[name] = Mutant(name, policy, text_of(recipe))
    return list(found.values())


def others(each: int, hub: Path) -> list[Mutant]:
    """The larger policies: healthy, and with single changes of their recipes drawn at random, the same ones every time.

    Args:
        each: changes of each policy.
        hub: the cache in which the models are made that they start from; ``{hub}`` in the recipes.
    """
    found: list[Mutant] = []
    shutil.rmtree(hub, ignore_errors=True)
    for policy, make in tiny_vlas.MAKERS.items():
        dataset = "made/toy" if policy == "fastwam" else PUSHT  # it looks for `observation.images.…`
        recipe = base("act")
        parameters = json.loads(json.dumps(make(hub)).replace(str(hub), "{hub}"))
        if policy == "smolvla":  # a frozen network of random weights is not healthy
            parameters |= {"train_expert_only": False, "freeze_vision_encoder": False}
        recipe["model"] = {"class_path": load(policy).class_path, "init_args": {"learning_rate": 1e-4, **parameters}}
        recipe["data"]["init_args"]["repo_id"] = dataset
        found.append(Mutant(f"{policy} healthy", policy, text_of(recipe), dataset=dataset))
        single = []
        for name, value in _of_parameters(policy, parameters):
            changed = copy.deepcopy(recipe)
            _set(changed, f"model/init_args/{name}", value)
            said = f"{policy} {_said(f'model/init_args/{name}', value)}"
            single.append(Mutant(said, policy, text_of(changed), dataset=dataset))
        found += sorted(single, key=lambda mutant: hashlib.sha256(mutant.name.encode()).digest())[:each]
    return found


def _said(route: str, value: Any) -> str:
    return f"{route.replace('/', '.')}={'removed' if value is REMOVE else json.dumps(value)}"


def _changes(policy: str) -> Iterator[tuple[str, Any]]:
    """(route, value) of every change of the recipe."""
    for name, value in _of_parameters(policy, TINY[policy]):
        yield f"model/init_args/{name}", value
    for route, values in _SECTIONS:
        if route.count("/") and "class_path" not in route:
            yield from ((route, value) for value in values)


def _changed(policy: str, route: str, value: Any) -> Mutant:
    recipe = base(policy)
    _set(recipe, route, value)
    return Mutant(f"{policy} {_said(route, value)}", policy, text_of(recipe))


# What no recipe of a tiny network on a tiny dataset should try: it would take minutes or gigabytes.
_TOO_LARGE = {"num_train_timesteps": 1000, "gpt_block_size": 2000, "n_gaussian_samples": 1000}
_NOT_HERE = {"input_features", "output_features", "pretrained_path", "pretrained_revision", "device", "repo_id", "tags"}
_NOT_HERE |= {"private", "license", "compile_mode", "compile_model", "use_peft", "push_to_hub"}


def _parameters(policy: str) -> Iterator[Mutant]:
    """Every parameter of the policy, several values each."""
    for name, value in _of_parameters(policy, TINY[policy]):
        yield _changed(policy, f"model/init_args/{name}", value)


def _of_parameters(policy: str, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """(name, value) of every parameter of the policy, several values each."""
    for name, field in load(policy).fields.items():
        if name not in _NOT_HERE:
            current = plain(given.get(name, field.default))
            yield from ((name, value) for value in _values(name, current, field.choices, field.type))


def _values(name: str, current: Any, choices: tuple[Any, ...], kind: str) -> list[Any]:
    if isinstance(current, dict):
        return [
            {},
            dict.fromkeys(current, "IDENTITY"),
            dict.fromkeys(current, "MEAN_STD"),
            dict.fromkeys(current, "MIN_MAX"),
            dict.fromkeys(current, "QUANTILES"),
            {**current, "STATE": "NONSENSE"},
            "MEAN_STD",
        ]
    if isinstance(current, bool):
        values: list[Any] = [not current]
    elif isinstance(current, int):
        values = [0, -1, current + 1, current * 2] if current > 1 else [0, -1, current + 1, current + 0.5]
    elif isinstance(current, float):
        values = [0.0, -current, current * 3]
    elif isinstance(current, list) and current:
        values = [
            [],
            current[:1],
            [*current, current[-1]],
            [n + 1 if isinstance(n, int) else n for n in current],
            "wide",
        ]
    elif isinstance(current, str):
        values = ["nonsense", *[plain(choice) for choice in choices if choice != current]]
        if name == "vision_backbone":
            values = ["resnet34", "vit_b_16", "resnet19"]
        if name == "feedforward_activation":
            values = ["gelu", "glu", "swish"]
        if name == "noise_scheduler_type":
            values = ["DDIM", "ddpm"]
        if name == "beta_schedule":
            values = ["linear", "scaled_linear", "cosine"]
        if name == "scheduler_name":
            values = ["linear", "constant", "cosin"]
        if name == "prediction_type":
            values = ["sample", "v_prediction"]
    else:  # None by default
        values = [[64, 64], [0, 0]] if "tuple" in kind else [0.01, 1] if "float" in kind else [2, 0]
        if name in ("crop_shape", "resize_shape"):
            values = [[84, 84], [96, 96], [97, 80], [40, 40], [24, 24], [0, 0], [64]]
        if name == "pretrained_backbone_weights":
            values = ["ResNet18_Weights.NONSENSE", "ResNet50_Weights.IMAGENET1K_V1"]
        if name == "num_inference_steps":
            values = [5, 100, 0]
    if name == "n_vqvae_training_steps":
        values += [20000]
    if name in ("crop_shape", "resize_shape") and isinstance(current, list):
        values += [None, [97, 80], [96, 96], [24, 24]]
    return [value for value in values if not (isinstance(value, int | float) and value > _TOO_LARGE.get(name, 10**9))]


_SECTIONS: list[tuple[str, list[Any]]] = [
    ("seed", [0, -1, "x", None, 2**40]),
    ("model/class_path", [REMOVE, "getiaction.policies.lerobot.Act", "getiaction.policies.lerobot.Nonsense",
                          "os.system", 3, "getiaction.policies.lerobot.act.ACT", [1]]),
    ("model/init_args/learning_rate", [0, -1e-4, 1e-3, "1e-4", "fast", None]),
    ("model/init_args/optimizer_lr", [1e-3, "x"]),
    ("model/init_args/chunk_sise", [8]),
    ("model/init_args/config_kwargs", [{}, {"n_obs_steps": 1}, {"nonsense": 1}, "x"]),
    ("model/init_args/input_features", [["observation.image", "observation.state"], ["observation.image"],
                                        ["observation.state"], ["observation.images.top"], [], "observation.image",
                                        ["action"]]),
    ("model/init_args/output_features", [["action"], ["actions"], ["observation.state"], []]),
    ("model/init_args/pretrained_path", ["./nowhere", ""]),
    ("model/init_args/rename_map", [{"observation.image": "observation.images.top"}, {}]),
    ("model/init_args/push_to_hub", [False]),  # true uploads
    ("model/init_args/n_obs_steps", [3]),
    ("model/init_args/device", ["cpu", "cuda", "gpu"]),
    ("model/init_args/use_amp", [True]),
    ("model", [REMOVE, {}, "act"]),
    ("data", [REMOVE]),
    ("data/class_path", [REMOVE, "getiaction.data.lerobot.DataModule", "torch.utils.data.DataLoader", [1]]),
    ("data/init_args/repo_id", [REMOVE, "pusht", "lerobot/no-such-dataset", "getiaction/pusht-demo", 3, "", " "]),
    ("data/init_args/root", ["/no/such/folder", "{root}"]),
    ("data/init_args/batch_size", [8]),
    ("data/init_args/train_batch_size", [1, 0, -1, 16, 1000, 2.5, "8", None]),
    ("data/init_args/val_batch_size", [2, 0]),
    ("data/init_args/val_split", [0.3, 0.9, 1.0, 1, -0.1, "x"]),
    ("data/init_args/episodes", [[0], [0, 1], [2], [3], [-1], [], [0, 0], [1.5], 2, "all"]),
    ("data/init_args/num_workers", [1, -1, "x"]),
    ("data/init_args/video_backend", ["pyav", "torchcodec", "ffmpeg", "video_reader"]),
    ("data/init_args/tolerance_s", [1e-3, 0.2, 0.0, -1.0, "x", 1e-6, 1e-9]),
    ("data/init_args/use_imagenet_stats", [False, "x", 0, "false"]),
    ("data/init_args/frame_store", ["auto", {"max_gb": 1}, "maybe", {"gb": 1}, None, {"max_gb": -1}, {"path": 3}]),
    ("data/init_args/image_transforms", [{"enable": True}, {"enable": False}, {"nonsense": 1}, "x",
                                         {"tfs": {"x": {"type": "Nonsense"}}},
                                         {"tfs": {"x": {"type": "ColorJitter", "kwargs": {"brightness": [0.8, 1.2]}}}},
                                         {"tfs": {"x": {"type": "ColorJitter", "kwargs": {"bright": [0.8, 1.2]}}}},
                                         {"tfs": {"x": {"type": "ColorJitter", "weight": "a"}}},
                                         {"tfs": {"x": {"type": "RandomAffine"}}},
                                         {"enable": False, "tfs": {"x": {"type": "Nonsense"}}},
                                         {"max_num_transforms": -1}]),
    ("data/init_args/seed", [3]),
    ("data/init_args/streaming", [True]),
    ("trainer", [REMOVE, {}, [1]]),
    ("trainer/max_steps", [1, 0, -1, "many", 2.5, 4.0, "4", float("nan")]),
    ("trainer/max_step", [10]),
    ("trainer/max_epochs", [1, 0]),
    ("trainer/accelerator", ["auto", "gpu", "cuda", "mps", "nonsense"]),
    ("trainer/devices", [1, "auto", 0, "text", "1", True, 1.0]),
    ("trainer/precision", ["bf16-mixed", "16-mixed", "32-true", 32, "64-true", "bf16-true", "8-bit"]),
    ("trainer/gradient_clip_val", [1.0, -1.0, "x"]),
    ("trainer/gradient_clip_algorithm", ["value", "norms"]),
    ("trainer/accumulate_grad_batches", [2, 0, 2.0, "2", 1.5]),
    ("trainer/log_every_n_steps", [1, 0]),
    ("trainer/val_check_interval", [1, 0.5, 1000, 0, 1.5, "", "1.0"]),
    ("trainer/check_val_every_n_epoch", [1, 0]),
    ("trainer/limit_train_batches", [2, 0.5, 0, 2.5, -1]),
    ("trainer/overfit_batches", [1]),
    ("trainer/max_time", ["00:00:01:00", "soon", {"minutes": 1}, {"minutes": "x"}, {"minute": 1}]),
    ("trainer/strategy", ["auto", "fast", "ddp", "DDP", "ddp_spawn", "fsdp", "deepspeed",
                          {"class_path": "lightning.pytorch.strategies.FSDPStrategy"}]),
    ("trainer/logger", [False, True, {"class_path": "lightning.pytorch.loggers.CSVLogger"}, {"class_path": "CSVLogger"},
                        {"class_path": "lightning.pytorch.loggers.CometLogger"}, "csv"]),
    ("trainer/callbacks", [[], [{"class_path": "lightning.pytorch.callbacks.LearningRateMonitor"}],
                           [{"class_path": "lightning.pytorch.callbacks.EarlyStopping",
                             "init_args": {"monitor": "train/loss"}}],
                           [{"class_path": "lightning.pytorch.callbacks.EarlyStopping"}],
                           [{"class_path": "lightning.pytorch.callbacks.Nonsense"}], ["EarlyStopping"]]),
    ("trainer/enable_checkpointing", [False, True]),
    ("trainer/barebones", [True, None]),
    ("trainer/plugins", ["text", [{"class_path": "lightning.pytorch.plugins.DoublePrecision"}]]),
    ("trainer/benchmark", [True, "x", 1, None]),
    ("trainer/deterministic", ["warn"]),
    ("trainer/enable_progress_bar", [True]),
    ("trainer/num_sanity_val_steps", [0]),
    ("optimizer", [{"lr": 1e-4}]),
]  # fmt: skip

_HOME = "lightning.pytorch.callbacks"
# Callback → arguments, each tried alone.
_CALLBACKS: list[tuple[str, dict[str, Any]]] = [
    ("EarlyStopping", {"monitor": "val_loss"}),
    ("EarlyStopping", {"monitor": "val/loss"}),
    ("EarlyStopping", {"monitor": "val_loss", "strict": False}),
    ("EarlyStopping", {"monitor": "train/lr"}),
    ("EarlyStopping", {"monitor": "train/loss", "patience": "3"}),
    ("EarlyStopping", {"monitor": "train/loss", "patience": -1}),
    ("EarlyStopping", {"monitor": "train/loss", "mode": "maximum"}),
    ("EarlyStopping", {"monitor": "train/loss", "min_delta": "x"}),
    ("ModelCheckpoint", {"monitor": "val_loss"}),
    ("ModelCheckpoint", {"monitor": "train/loss", "save_top_k": 2}),
    ("ModelCheckpoint", {"save_top_k": 2}),
    ("ModelCheckpoint", {"save_top_k": -2}),
    ("ModelCheckpoint", {"every_n_train_steps": 1, "every_n_epochs": 1}),
    ("ModelCheckpoint", {"every_n_train_steps": -1}),
    ("LearningRateMonitor", {"logging_interval": "steps"}),
    ("Timer", {"duration": "soon"}),
    ("Timer", {"duration": {"minutes": 1}}),
    ("Timer", {"duration": "00:00:01:00", "interval": "never"}),
    ("GradientAccumulationScheduler", {"scheduling": {0: 2}}),
    ("StochasticWeightAveraging", {"swa_lrs": 0.01}),
    ("StochasticWeightAveraging", {"swa_lrs": -1}),
    ("BatchSizeFinder", {}),
    ("LearningRateFinder", {}),
    ("BackboneFinetuning", {}),
    ("WeightAveraging", {}),
    ("EMAWeightAveraging", {}),
    ("EarlyStoping", {"monitr": "train/loss"}),
]


def _callbacks() -> Iterator[Mutant]:
    for name, arguments in _CALLBACKS:
        recipe = base("act")
        section = {"class_path": f"{_HOME}.{name}", "init_args": arguments}
        recipe["trainer"]["callbacks"] = [section]
        yield Mutant(f"act callback {name} {json.dumps(arguments)}", "act", text_of(recipe))
    recipe = base("act")
    recipe["trainer"]["callbacks"] = [{"class_path": f"{_HOME}.EarlyStopping", "monitor": "train/loss"}]
    yield Mutant("act callback without init_args", "act", text_of(recipe))


# Other recipes on other datasets: (policy, dataset, frames per second, parameters).
_BASES: dict[str, tuple[str, str, int, dict[str, Any]]] = {
    "arms": ("act", "arms", 50, {"chunk_size": 10, "n_action_steps": 5}),
    "ensemble": ("act", "episodes", 30, {"chunk_size": 4, "n_action_steps": 1, "temporal_ensemble_coeff": 0.01}),
    "blind": ("act", "environment", 10, {"use_vae": False}),
    "one step": ("diffusion", "arms", 50, {"n_obs_steps": 1, "n_action_steps": 8, "drop_n_last_frames": 0}),
    "three steps": ("diffusion", "episodes", 30, {"n_obs_steps": 3, "drop_n_last_frames": 2, "crop_shape": [40, 40]}),
    "short tokens": ("vqbet", "episodes", 30, {"n_obs_steps": 1, "n_action_pred_token": 1, "crop_shape": None}),
    "long tokens": ("vqbet", "episodes", 30, {"n_obs_steps": 3, "n_action_pred_token": 4, "crop_shape": [40, 40]}),
    "planning": ("tdmpc", "episodes", 30, {"horizon": 2, "n_action_steps": 2, "n_action_repeats": 1}),
}  # fmt: skip
_OTHERS: list[tuple[str, list[Any]]] = [
    ("precision", ["bf16-true", "64-true", "16-true"]),
    ("pretrained_backbone_weights", ["IMAGENET1K_V3"]),
    ("n_obs_steps", [4, 4.0, "4", True, None, [2]]),
    ("n_action_steps", [1, 3, 6, 12]),
    ("horizon", [1, 4, 16, 32]),
    ("chunk_size", [1, 3, 6, 32]),
    ("normalization_mapping", [{"STATE": "QUANTILES", "ACTION": "QUANTILE10", "VISUAL": "IDENTITY", "ENV": "MIN_MAX"}]),
]


def _elsewhere() -> Iterator[Mutant]:
    """Recipes and datasets that the rules were not made with: the same kinds of change."""
    for name, (policy, dataset, fps, parameters) in _BASES.items():

        def made_of(change: Callable[[dict[str, Any]], object], _of: Any = (policy, dataset, parameters)) -> str:
            recipe = base(_of[0])
            recipe["model"]["init_args"] |= _of[2]
            recipe["data"]["init_args"]["repo_id"] = f"made/{_of[1]}"
            change(recipe)
            return text_of(recipe)

        def mutant(what: str, text: str, _of: Any = (policy, name, dataset)) -> Mutant:
            return Mutant(f"{_of[0]} elsewhere {_of[1]}: {what}", _of[0], text, dataset=f"made/{_of[2]}")

        yield mutant("healthy", made_of(lambda recipe: None))
        for key, values in _OTHERS:
            route = "trainer/precision" if key == "precision" else f"model/init_args/{key}"
            if key == "precision" or key in load(policy).fields:
                for value in values:
                    text = made_of(lambda recipe, _at=route, _to=value: _set(recipe, _at, _to))
                    yield mutant(f"{key}={json.dumps(value)}", text)
        steps = load(policy).configure({**TINY[policy], **parameters}).action_delta_indices or [0]
        for what, times in {
            "right": [step / fps for step in steps],
            "rounded": [round(step / fps, 3) for step in steps],
            "of 10 fps": [step / 10 for step in steps],
            "noise": [step / fps + 5e-6 for step in steps],
            "half a frame": [(step + 0.5) / fps for step in steps],
            "one too few": [step / fps for step in steps[1:]] or [1 / fps],
            "one before": [(step - 1) / fps for step in steps],
            "as frames": list(map(float, steps)),
        }.items():
            said = {"action": times}
            text = made_of(lambda recipe, _to=said: _set(recipe, "data/init_args/delta_timestamps", _to))
            yield mutant(f"delta_timestamps {what}", text)


# What trains the same for every policy is tried on one of them only.
_ON_ALL = (
    "model",
    "data/init_args/episodes",
    "data/init_args/val_split",
    "trainer/precision",
    "data/init_args/train_batch_size",
)
_ON_ALL_BUT = ("model/class_path", "model/init_args/config_kwargs", "model/init_args/push_to_hub")


def _sections(policy: str) -> Iterator[Mutant]:
    for route, values in _SECTIONS:
        everywhere = route.startswith(_ON_ALL) and route not in _ON_ALL_BUT
        if policy != "act" and not everywhere:
            continue
        for value in values:
            if route.split("/")[-1] in ("n_obs_steps", "optimizer_lr") and value in (3, 1e-3):
                continue  # among the parameters already
            yield _changed(policy, route, value)


def _deltas(policy: str) -> Iterator[Mutant]:
    """Stated time steps: those that are derived, and others."""
    config = load(policy).configure(TINY[policy])
    state = "observation.state"
    right = {"action": config.action_delta_indices, state: config.observation_delta_indices}
    cases: dict[str, Any] = {}
    for key, steps in right.items():
        steps = steps or [0]
        cases |= {
            f"{key} right": {key: steps},
            f"{key} shorter": {key: steps[:-1]},
            f"{key} longer": {key: [*steps, steps[-1] + 1]},
            f"{key} later": {key: [s + 1 for s in steps]},
            f"{key} every second": {key: [2 * s for s in steps]},
            f"{key} backwards": {key: steps[::-1]},
            f"{key} between frames": {key: [s + 0.37 for s in steps]},
            f"{key} rounded": {key: [round(s * 0.1001, 3) * 10 for s in steps]},
            f"{key} one": {key: [0]},
            f"{key} none": {key: []},
        }
    cases |= {
        "unknown key": {"actions": [0]},
        "unread key": {"timestamp": [0, 1]},
        "task index": {"task_index": [0, 1]},
        "reward": {"next.reward": [0, 1, 2]},
        "picture right": {"observation.image": right[state] or [0]},
        "picture alone": {"observation.image": [0]},
    }
    for name, frames in cases.items():
        recipe = base(policy)
        times = {key: [round(frame / 10, 6) for frame in steps] for key, steps in frames.items()}
        recipe["data"]["init_args"]["delta_timestamps"] = times
        yield Mutant(f"{policy} delta_timestamps {name}", policy, text_of(recipe))
    for name, value in {"text": "0.1", "number": {"action": 0.1}, "words": {"action": ["now", "then"]}}.items():
        recipe = base(policy)
        recipe["data"]["init_args"]["delta_timestamps"] = value
        yield Mutant(f"{policy} delta_timestamps {name}", policy, text_of(recipe))


def _other_datasets(policy: str) -> Iterator[Mutant]:
    """The same recipe on datasets of other shapes."""
    for name in odd_datasets.BUILDERS:
        if name == "large":  # minutes
            continue
        recipe = base(policy)
        recipe["data"]["init_args"]["repo_id"] = f"made/{name}"
        if policy == "vqbet":
            recipe["model"]["init_args"]["crop_shape"] = None
        yield Mutant(f"{policy} on made/{name}", policy, text_of(recipe), dataset=f"made/{name}")


# -- edits of the dataset's files --------------------------------------------------------------------------------------


def _json(file: str, change: Callable[[dict[str, Any]], object]) -> Edit:
    def edit(root: Path) -> None:
        path = root / file
        value = json.loads(path.read_text())
        change(value)
        path.write_text(json.dumps(value, indent=4))

    return edit


def _info(change: Callable[[dict[str, Any]], object]) -> Edit:
    return _json("meta/info.json", change)


def _stats(change: Callable[[dict[str, Any]], object]) -> Edit:
    return _json("meta/stats.json", change)


def _unlink(pattern: str) -> Edit:
    def edit(root: Path) -> None:
        for path in sorted(root.glob(pattern)):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    return edit


def _cut(pattern: str) -> Edit:
    def edit(root: Path) -> None:
        for path in sorted(root.glob(pattern)):
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2])

    return edit


def _episodes(change: Callable[[Any], Any]) -> Edit:
    def edit(root: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        for path in sorted((root / "meta/episodes").rglob("*.parquet")):
            rows = change(pq.ParquetFile(path).read().to_pylist())
            pq.write_table(pa.Table.from_pylist(rows), path)

    return edit


def _each(**values: Any) -> Callable[[Any], Any]:
    def change(rows: Any) -> Any:
        return [{**row, **{key: value(row) for key, value in values.items()}} for row in rows]

    return change


def _feature(key: str, **values: Any) -> Edit:
    return _info(lambda info: info["features"][key].update(values))


def _stat(key: str, name: str, value: Callable[[Any], Any]) -> Edit:
    return _stats(lambda stats: stats[key].update({name: value(stats[key][name])}))


def _entry(key: str, value: Callable[[Any], Any]) -> Edit:
    return _stats(lambda stats: stats.update({key: {name: value(numbers) for name, numbers in stats[key].items()}}))


def _later(seconds: float) -> Edit:
    key = f"videos/{CAMERA}/from_timestamp"
    return _episodes(_each(**{key: lambda row: row[key] + seconds}))


NAN = float("nan")
CAMERA = "observation.image"
DAMAGE: dict[str, Edit] = {
    "fps 30 over 10": _info(lambda info: info.update(fps=30)),
    "fps 0": _info(lambda info: info.update(fps=0)),
    "fps text": _info(lambda info: info.update(fps="ten")),
    "no fps": _info(lambda info: info.pop("fps")),
    "version 2.1": _info(lambda info: info.update(codebase_version="v2.1")),
    "version 9": _info(lambda info: info.update(codebase_version="v9.0")),
    "no version": _info(lambda info: info.pop("codebase_version")),
    "no features": _info(lambda info: info.pop("features")),
    "no state feature": _info(lambda info: info["features"].pop("observation.state")),
    "no action feature": _info(lambda info: info["features"].pop("action")),
    "no camera feature": _info(lambda info: info["features"].pop(CAMERA)),
    "no reward feature": _info(lambda info: info["features"].pop("next.reward")),
    "no index feature": _info(lambda info: info["features"].pop("index")),
    "state of 3": _feature("observation.state", shape=[3]),
    "state of 1": _feature("observation.state", shape=[1]),
    "action of 3": _feature("action", shape=[3]),
    "state dtype text": _feature("observation.state", dtype="string"),
    "state dtype float64": _feature("observation.state", dtype="float64"),
    "state dtype wrong": _feature("observation.state", dtype="float31"),
    "camera without names": _feature(CAMERA, names=None),
    "camera channel first": _feature(CAMERA, names=["channel", "height", "width"]),
    "camera flat": _feature(CAMERA, shape=[96, 96]),
    "camera of another size": _feature(CAMERA, shape=[64, 64, 3]),
    "camera as image": _feature(CAMERA, dtype="image"),
    "total_episodes 2": _info(lambda info: info.update(total_episodes=2)),
    "total_episodes 5": _info(lambda info: info.update(total_episodes=5)),
    "total_frames wrong": _info(lambda info: info.update(total_frames=7)),
    "total_tasks 0": _info(lambda info: info.update(total_tasks=0)),
    "no robot type": _info(lambda info: info.pop("robot_type", None)),
    "video path wrong": _info(lambda info: info.update(video_path="videos/{video_key}.mp4")),
    "data path wrong": _info(lambda info: info.update(data_path="data/{nonsense}.parquet")),
    "info cut": _cut("meta/info.json"),
    "no info": _unlink("meta/info.json"),
    "no stats": _unlink("meta/stats.json"),
    "stats cut": _cut("meta/stats.json"),
    "no state stats": _stats(lambda stats: stats.pop("observation.state")),
    "no action stats": _stats(lambda stats: stats.pop("action")),
    "no camera stats": _stats(lambda stats: stats.pop(CAMERA)),
    "no reward stats": _stats(lambda stats: stats.pop("next.reward")),
    "no min": _stats(lambda stats: [entry.pop("min") for entry in stats.values()]),
    "no std": _stats(lambda stats: [entry.pop("std") for entry in stats.values()]),
    "no quantiles": _stats(lambda stats: [e.pop(q) for e in stats.values() for q in list(e) if q[0] == "q"]),
    "no count": _stats(lambda stats: [entry.pop("count") for entry in stats.values()]),
    "NaN mean and max of state": _stats(lambda s: s["observation.state"].update(mean=[NAN] * 2, max=[NAN] * 2)),
    "NaN mean and max of action": _stats(lambda s: s["action"].update(mean=[NAN] * 2, max=[NAN] * 2)),
    "infinite std of action": _stat("action", "std", lambda v: [float("inf")] * len(v)),
    "NaN of the reward": _stat("next.reward", "mean", lambda v: [NAN]),
    "state stats of 3": _entry("observation.state", lambda v: [*v, v[-1]]),
    "action stats of 1": _entry("action", lambda v: v[:1]),
    "negative std": _stat("action", "std", lambda v: [-x for x in v]),
    "min above max": _stats(lambda s: s["action"].update(min=s["action"]["max"], max=s["action"]["min"])),
    "zero std of state": _stat("observation.state", "std", lambda v: [0.0, v[1]]),
    "constant action": _stats(lambda s: odd_datasets.constant(s, "action", 0)),
    "stats of another dataset": _stats(
        lambda s: s["action"].update(min=[-1, -1], max=[1, 1], mean=[0, 0], std=[1, 1])
    ),
    "state stats as text": _stat("observation.state", "mean", lambda v: ["a", "b"]),
    "camera stats to 255": _stats(lambda s: s[CAMERA].update({n: [[[255.0]]] * 3 for n in ("mean", "std", "max")})),
    "no tasks": _unlink("meta/tasks.parquet"),
    "no episodes": _unlink("meta/episodes"),
    "episodes cut": _cut("meta/episodes/*/*.parquet"),
    "episode lost": _episodes(lambda rows: rows[:-1]),
    "episode twice": _episodes(lambda rows: [*rows, rows[-1]]),
    "lengths one more": _episodes(_each(length=lambda row: row["length"] + 1)),
    "episodes overlap": _episodes(_each(dataset_from_index=lambda row: max(0, row["dataset_from_index"] - 5))),
    "episodes turned": _episodes(lambda rows: rows[::-1]),
    "video begins later": _later(0.05),
    "video begins much later": _later(5.0),
    "video file index wrong": _episodes(_each(**{f"videos/{CAMERA}/file_index": lambda row: 7})),
    "data file index wrong": _episodes(_each(**{"data/file_index": lambda row: 7})),
    "no videos": _unlink("videos"),
    "video cut": _cut("videos/**/*.mp4"),
    "video empty": lambda root: [path.write_bytes(b"") for path in root.glob("videos/**/*.mp4")],
    "no data": _unlink("data"),
    "data cut": _cut("data/**/*.parquet"),
    "extra file": lambda root: (root / "notes.txt").write_text("hello"),
    "readme": lambda root: (root / "README.md").write_text("# hello"),
}  # fmt: skip

# These touch what policies read differently; the rest is tried with the two policies that are quickest.
_FOR_ALL = (
    "fps",
    "no ",
    "NaN",
    "state",
    "action",
    "camera",
    "min",
    "stats",
    "constant",
    "zero",
    "negative",
    "infinite",
)


def _damaged(policy: str) -> Iterator[Mutant]:
    for name, edit in DAMAGE.items():
        if policy in ("vqbet", "diffusion") and not name.startswith(_FOR_ALL):
            continue
        recipe = base(policy)
        recipe["data"]["init_args"]["root"] = "{root}"
        yield Mutant(f"{policy} dataset {name}", policy, text_of(recipe), edit)


def made(name: str, home: Path) -> Path:
    """A dataset's folder in ``home``, made if it is not there."""
    folder = home / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if name == PUSHT:
            make_dataset.pusht(folder)
        elif name.startswith("made/"):
            odd_datasets.BUILDERS.get(name.removeprefix("made/"), make_dataset.make)(folder)
        else:
            make_dataset.aloha(folder, name)
    return folder


def small(text: str) -> str:
    """A page's recipe with a tiny network where it says nothing else, two samples a batch, and one step on the CPU."""
    recipe = yaml.safe_load(text)
    model = recipe["model"]["init_args"] = recipe["model"].get("init_args") or {}
    policy = str(model.get("policy_name") or recipe["model"]["class_path"].rpartition(".")[2]).lower()
    said = {**(model.get("config_kwargs") or {}), **model}
    model |= {name: value for name, value in TINY.get(policy, {}).items() if name not in said}
    recipe["data"]["init_args"] |= {"train_batch_size": 2, "num_workers": 0}
    return text_of(one_step(recipe))


def one_step(recipe: dict[str, Any]) -> dict[str, Any]:
    """The same recipe, tried for one step on the CPU."""
    few = {"accelerator": "cpu", "devices": 1, "num_nodes": 1, "fast_dev_run": 1}
    return {**recipe, "trainer": {**(recipe.get("trainer") or {}), **few}}


def prepare(mutant: Mutant, home: Path, work: Path, hub: Path | None = None) -> str:
    """The mutant's recipe, its dataset made: datasets stand in ``home``, edited copies below ``work``."""
    source = made(mutant.dataset, home)
    if "{hub}" in mutant.text:
        return mutant.text.replace("{hub}", str(hub))
    if "{root}" not in mutant.text:
        return mutant.text
    copied = work / "".join(c if c.isalnum() else "-" for c in mutant.name)
    if not copied.exists():
        shutil.copytree(source, copied)
        if mutant.edit is not None:
            mutant.edit(copied)
    return mutant.text.replace("{root}", str(copied))
