"""How often the findings of `getiaction evaluate` are right: sound policies, and policies with a planted fault.

    python benchmarks/evaluation_accuracy.py [--seeds 3] [--only NAME …] [--write docs/evaluation_accuracy.md]

Trains small ACT and Diffusion policies on the CPU on a task made here (a gripper reaches a target that only the
picture, or the environment's state, shows), evaluates each on held-out episodes, and counts: a planted fault is
detected when its code is among the findings; a finding on a sound policy, or one that its planted fault does not
explain, is a false alarm. How often each policy reaches its target when it acts, in 50 new situations, is measured
too. One seed takes about ten minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightning as L  # noqa: TID253
import numpy as np
import torch  # noqa: TID253

from getiaction.data.lerobot import LeRobotDataModule
from getiaction.evaluation.run import evaluate
from getiaction.evaluation.source import find
from getiaction.policies.lerobot import LeRobotPolicy
from getiaction_cli.checking.evaluation_context import EvaluationContext
from getiaction_cli.checking.runner import check
from getiaction_cli.diagnostics import Severity

CAMERA, STATE, TARGET = "observation.image", "observation.state", "observation.environment_state"
JOINTS = ["x", "y", "gripper"]
SIZE = 32
EPISODES, FRAMES, FPS = 160, 30, 10
ACT = {
    "dim_model": 64,
    "n_heads": 4,
    "dim_feedforward": 128,
    "n_encoder_layers": 1,
    "use_vae": False,
    "pre_norm": True,
    "chunk_size": 8,
    "n_action_steps": 8,
    "pretrained_backbone_weights": None,
    "optimizer_lr": 1e-3,
    "optimizer_lr_backbone": 1e-3,
}
DIFFUSION = {
    "down_dims": [32, 64],
    "n_groups": 4,
    "diffusion_step_embed_dim": 32,
    "horizon": 8,
    "n_action_steps": 6,
    "noise_scheduler_type": "DDIM",
    "num_train_timesteps": 20,
    "num_inference_steps": 5,
    "optimizer_lr": 1e-3,
}


def make_reach(root: Path, seed: int = 0, *, speeds: bool = False, fps: int = FPS, pictures: bool = False) -> Path:
    """A gripper goes from a random place to a random target and closes; `speeds` records movements, not positions."""
    from lerobot.configs.video import RGBEncoderConfig
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    features: dict[str, dict[str, Any]] = {
        STATE: {"dtype": "float32", "shape": (3,), "names": {"motors": JOINTS}},
        TARGET: {"dtype": "float32", "shape": (2,), "names": {"target": ["target_x", "target_y"]}},
        "action": {"dtype": "float32", "shape": (3,), "names": {"motors": JOINTS}},
    }
    if pictures:
        features[CAMERA] = {"dtype": "video", "shape": (SIZE, SIZE, 3), "names": ["height", "width", "channel"]}
    encoder = RGBEncoderConfig(vcodec="h264", preset="ultrafast")
    dataset = LeRobotDataset.create(
        "made/reach", fps, features, root=root, use_videos=pictures, streaming_encoding=pictures, rgb_encoder=encoder,
        encoder_queue_maxsize=FRAMES + 1,
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    for _ in range(EPISODES):
        scene = Scene(rng, 1)
        for _ in range(FRAMES):
            seen = scene.observation()
            way = scene.target - scene.place
            step = way * np.minimum(1.0, 0.06 / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6))
            wanted = scene.place + step + rng.normal(0, 0.004, (1, 2))
            closing = np.linalg.norm(way, axis=-1, keepdims=True) < 0.08
            goal = np.concatenate([100 * wanted, closing], axis=-1).astype(np.float32)
            action = goal - seen[STATE] if speeds else goal
            numbers = {key: value[0] for key, value in seen.items()}
            shown = {CAMERA: scene.pictures()[0]} if pictures else {}
            dataset.add_frame({**shown, **numbers, "action": action[0], "task": "Reach the target."})
            scene.act(action, speeds)
        dataset.save_episode()
    dataset.finalize()
    return root


class Scene:
    """Some situations side by side: a hand at a place, a target, a gripper that follows its command slowly."""

    GRID = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1) / (SIZE - 1)

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.target, self.place = rng.uniform(0.1, 0.9, (count, 2)), rng.uniform(0, 1, (count, 2))
        self.grip = np.zeros((count, 1))

    def observation(self) -> dict[str, np.ndarray]:
        """State and target, `(count, …)` float32."""
        state = np.concatenate([100 * self.place, self.grip], axis=-1)
        return {STATE: state.astype(np.float32), TARGET: (100 * self.target).astype(np.float32)}

    def pictures(self) -> np.ndarray:
        """`(count, height, width, 3)` uint8: target, hand and gripper in the three colours."""
        spot = np.exp(-((self.GRID - self.target[:, None, None]) ** 2).sum(-1) / 0.03)
        hand = np.exp(-((self.GRID - self.place[:, None, None]) ** 2).sum(-1) / 0.01)
        grip = np.broadcast_to(self.grip[:, :, None], spot.shape)
        return (255 * np.stack([spot, hand, grip], axis=-1).clip(0, 1)).astype(np.uint8)

    def act(self, action: np.ndarray, speeds: bool) -> None:
        """One frame later; a hand moves no faster than 0.12 a frame."""
        goal = action + self.observation()[STATE] if speeds else action
        way = goal[:, :2] / 100 - self.place
        self.place = self.place + way * np.minimum(1.0, 0.12 / np.maximum(np.linalg.norm(way, axis=-1)[:, None], 1e-6))
        self.grip = self.grip + 0.5 * (goal[:, 2:].clip(0, 1) - self.grip)

    def reached(self) -> np.ndarray:
        """Which hands are at their targets with a closed gripper."""
        return (np.linalg.norm(self.target - self.place, axis=-1) < 0.08) & (self.grip[:, 0] > 0.5)


def reaches(policy: Any, speeds: bool, count: int = 50) -> float:
    """In which share of new situations the policy reaches its target."""
    scene = Scene(np.random.default_rng(10_000), count)
    seen: list[dict[str, Any]] = []
    frame = 0
    while frame < FRAMES:
        steps = policy.steps_per_prediction if policy.predictions_are_independent else 1
        seen = (seen or [observed(scene)] * policy.observations_per_prediction)[-policy.observations_per_prediction :]
        actions = policy.predict_chunk(seen, new_episode=policy.predictions_are_independent or frame == 0)
        for action in actions.unbind(1)[:steps]:
            scene.act(action.numpy(), speeds)
            seen.append(observed(scene))
            frame += 1
    return float(scene.reached().mean())


def observed(scene: Scene) -> dict[str, Any]:
    """As `select_action` takes it."""
    numbers = {key: torch.from_numpy(value) for key, value in scene.observation().items()}
    return {
        **numbers,
        CAMERA: torch.from_numpy(scene.pictures()).permute(0, 3, 1, 2),
        "task": ["Reach the target."] * len(scene.grip),
    }


class Shuffle(L.Callback):
    """Gives each sample of a training batch this input of another sample."""

    def __init__(self, key: str) -> None:
        self.key = key

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        batch[self.key] = batch[self.key][torch.randperm(len(batch[self.key]))]


class Backward(L.Callback):
    """Trains the actions of each chunk in reverse order."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, batch: Any, batch_idx: int) -> None:
        batch["action"] = batch["action"].flip(1)


def scale_joint(joint: int, factor: float) -> Callable[[Any], None]:
    """Statistics of an action's joint that are too wide by a factor."""

    def change(stats: dict[str, dict[str, Any]]) -> None:
        for name in ("std", "min", "max"):
            values = np.array(stats["action"][name], dtype=np.float32)
            values[joint] *= factor
            stats["action"][name] = values

    return change


def swap_joints(one: int, other: int) -> Callable[[Any], None]:
    """Statistics of two of the action's joints, exchanged."""

    def change(stats: dict[str, dict[str, Any]]) -> None:
        for name, given in stats["action"].items():
            values = np.array(given, dtype=np.float32)
            if values.shape[-1:] == (3,):
                values[[one, other]] = values[[other, one]]
                stats["action"][name] = values

    return change


def narrow(stats: dict[str, dict[str, Any]]) -> None:
    """A minimum and a maximum that leave out the ends of the movement."""
    low, high = (np.array(stats["action"][name], dtype=np.float32) for name in ("min", "max"))
    middle, half = (low + high) / 2, (high - low) / 2
    stats["action"]["min"], stats["action"]["max"] = middle - 0.6 * half, middle + 0.6 * half


@dataclass
class Case:
    """A policy to train, and what should be found.

    Args:
        expected: the code that a planted fault should give; None for a sound policy.
        explained: codes that the fault explains as well.
        policy: LeRobot's name.
        parameters: over ACT or DIFFUSION.
        inputs: what it reads.
        steps: optimizer steps.
        data: arguments of the data module.
        dataset: which dataset.
        callbacks: what happens to training batches.
        before: changes the statistics it is trained with.
        after: changes the statistics it is saved with.
    """

    name: str
    expected: str | None = None
    explained: tuple[str, ...] = ()
    policy: str = "act"
    parameters: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = (STATE, TARGET)
    steps: int = 1000
    batch: int = 64
    data: dict[str, Any] = field(default_factory=lambda: {"val_split": 0.2})
    dataset: str = "reach"
    callbacks: tuple[Callable[[], L.Callback], ...] = ()
    before: Callable[[Any], None] | None = None
    after: Callable[[Any], None] | None = None


LOOKS: dict[str, Any] = {"inputs": (STATE, CAMERA), "steps": 300, "batch": 32, "dataset": "pictures"}
LATE = ("GA602", "GA609")  # what follows from a large error
CASES = [
    Case("sound: ACT on keypoints"),
    Case("sound: ACT on keypoints, chunks of 2", parameters={"n_action_steps": 2}),
    Case(
        "sound: ACT on keypoints, temporal ensembling",
        parameters={"n_action_steps": 1, "temporal_ensemble_coeff": 0.01},
    ),
    Case("sound: ACT on keypoints, movements", dataset="speeds"),
    Case("sound: Diffusion on keypoints", policy="diffusion", steps=1500),
    Case("sound: ACT on pictures", **LOOKS),
    Case("sound: ACT on pictures and keypoints", explained=("GA603",), **{**LOOKS, "inputs": (STATE, CAMERA, TARGET)}),
    Case("trained for 3 steps", "GA601|GA602", (*LATE, "GA607"), steps=3),
    Case("trained for 3 steps, Diffusion", "GA601|GA602", (*LATE, "GA607", "GA608"), policy="diffusion", steps=3),
    Case(
        "target shuffled in training",
        "GA604",
        ("GA601", *LATE),
        callbacks=(lambda: Shuffle(TARGET), lambda: Shuffle(STATE)),
    ),
    Case("pictures shuffled in training", "GA603", ("GA601", *LATE), callbacks=(lambda: Shuffle(CAMERA),), **LOOKS),
    Case(
        "a joint's statistics 300 times too wide in training", "GA605", ("GA607", *LATE), before=scale_joint(2, 300.0)
    ),
    Case(
        "two joints' statistics exchanged after training",
        "GA605|GA607",
        ("GA601", "GA605", "GA607", *LATE),
        after=swap_joints(0, 2),
    ),
    Case("statistics of a longer arm after training", "GA607", ("GA601", "GA605", *LATE), after=scale_joint(0, 2.0)),
    Case("overfit to two episodes", "GA606", (*LATE, "GA601", "GA605", "GA607"), data={"val_split": 0.985}),
    Case("clipped by narrow statistics", "GA608", (*LATE, "GA605"), policy="diffusion", steps=1500, before=narrow),
    Case("chunks trained backward", "GA609", ("GA602",), callbacks=(Backward,)),
    Case(
        "100 denoising steps for one action at 50 fps",
        "GA610",
        (*LATE, "GA601"),
        policy="diffusion",
        steps=1500,
        dataset="fast",
        parameters={"n_action_steps": 1, "num_train_timesteps": 100, "num_inference_steps": 100},
    ),
]


def run(case: Case, seed: int, roots: dict[str, Path], folder: Path) -> tuple[set[str], Any, float]:
    """Train and evaluate one policy; what was found, what was measured, and how often it succeeds."""
    L.seed_everything(seed, verbose=False)
    root = roots[case.dataset]
    data = LeRobotDataModule(
        "made/reach", root=root, train_batch_size=case.batch, num_workers=0, use_imagenet_stats=False, **case.data
    )
    base = ACT if case.policy == "act" else DIFFUSION
    policy = LeRobotPolicy(case.policy, input_features=list(case.inputs), config_kwargs=base | case.parameters)
    trainer = L.Trainer(
        accelerator="cpu", max_steps=case.steps, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=[make() for make in case.callbacks], limit_val_batches=0,
        default_root_dir=folder,
    )  # fmt: skip
    if case.before is not None:
        setup, change = data.setup, case.before

        def with_other_statistics(stage: str | None = None) -> None:
            setup(stage)
            change(data.stats)

        data.setup = with_other_statistics  # type: ignore[method-assign]
    trainer.fit(policy, data)
    if case.after is not None:
        from getiaction.lerobot.features import DatasetView

        assert data.meta is not None
        case.after(data.stats)
        policy._make_processors(DatasetView(data.meta.features, data.stats, data.meta))
    model = folder / f"{CASES.index(case)}-{seed}" / "pretrained_model"
    policy.save_pretrained(model)
    arguments = {"repo_id": "made/reach", "root": str(root), **case.data}
    found = evaluate(find(str(model)), arguments, trained_on=arguments, device="cpu")
    report = check(EvaluationContext(found))
    codes = {d.code for d in report.diagnostics if d.severity is not Severity.INFO}
    return codes, found, reaches(policy.eval(), case.dataset == "speeds")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seeds", type=int, default=1)
    arguments.add_argument("--first-seed", type=int, default=0)
    arguments.add_argument("--only", nargs="*", default=[], help="cases whose names hold one of these words")
    arguments.add_argument("--write", type=Path, help="the Markdown file to write")
    chosen = arguments.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ["GETIACTION_CACHE"] = str(folder / "cache")
        cases = [case for case in CASES if not chosen.only or any(word in case.name for word in chosen.only)]
        needed = {case.dataset for case in cases}
        options: dict[str, dict[str, Any]] = {
            "reach": {},
            "speeds": {"speeds": True},
            "fast": {"fps": 50},
            "pictures": {"pictures": True},
        }
        roots = {name: make_reach(folder / name, **options[name]) for name in needed}
        outcomes: dict[str, tuple[list[set[str]], list[float]]] = {case.name: ([], []) for case in cases}
        for seed in range(chosen.first_seed, chosen.first_seed + chosen.seeds):
            for case in cases:
                then = time.monotonic()
                codes, found, success = run(case, seed, roots, folder)
                outcomes[case.name][0].append(codes)
                outcomes[case.name][1].append(success)
                print(
                    f"{describe(case, codes, found, success)}  {time.monotonic() - then:.0f} s",
                    file=sys.stderr,
                    flush=True,
                )
            text = table([(case, *outcomes[case.name]) for case in cases], time.monotonic() - begun)
            if chosen.write:
                chosen.write.write_text(text, encoding="utf-8")
    print(text)


def describe(case: Case, codes: set[str], found: Any, success: float) -> str:
    """What was measured, in a line."""
    parts = {
        "reaches": f"{success:.2f}",
        "error": f"{found.error:.4f}",
        "still": f"{found.still[1]:.4f}",
        "mean": f"{found.baselines['the mean action']:.4f}",
        "cameras": found.cameras and round(found.cameras.growth, 3),
        "state": found.state and round(found.state.growth, 3),
        "trained": found.trained and round(found.trained.error, 4),
        "outside": round(max(j.outside for j in found.joints), 3),
        "limit": round(max(j.at_limit - j.recorded_at_limit for j in found.joints), 3),
        "borders": found.borders and (round(found.borders.jump, 4), round(found.borders.fast, 4)),
        "joints": [round(j.error / j.baselines["the mean action"], 2) for j in found.joints],
        "ms": round(1000 * found.latency.fastest),
    }
    said = "  ".join(f"{name} {value}" for name, value in parts.items())
    return f"{case.name}: {' '.join(sorted(codes)) or 'nothing'}  {said}"


Row = tuple[Case, list[set[str]], list[float]]


def detected(case: Case, codes: set[str]) -> bool:
    """Whether what was planted is among what was found."""
    return bool(codes & set((case.expected or "").split("|")))


def unexplained(case: Case, codes: set[str]) -> set[str]:
    """What was found without a reason."""
    return codes - set((case.expected or "").split("|")) - set(case.explained)


def table(rows: list[Row], seconds: float) -> str:
    """The counts as Markdown."""
    sound = [(case, codes) for case, results, _ in rows if case.expected is None for codes in results]
    planted = [(case, codes) for case, results, _ in rows if case.expected for codes in results]
    hits = sum(detected(case, codes) for case, codes in planted)
    alarmed = sum(bool(unexplained(case, codes)) for case, codes in sound)
    besides = sum(bool(unexplained(case, codes)) for case, codes in planted)
    lines = [
        "# Accuracy of evaluate",
        "",
        "Written by `benchmarks/evaluation_accuracy.py`, which trains policies: sound ones, and ones with a planted",
        "fault, on a task made for it. A fault is detected when its code is among the findings. Findings that it does",
        "not explain, and all findings on sound policies, are false alarms. Whether a policy is sound is measured too:",
        "in how many of 50 new situations it reaches its target when it acts.",
        "",
        f"- planted faults detected: **{hits} of {len(planted)}**",
        f"- sound policies with a false alarm: **{alarmed} of {len(sound)}**",
        f"- policies with a planted fault and a false alarm besides: **{besides} of {len(planted)}**",
        "",
        "| policy | reaches its target | expected | detected | false alarms | found |",
        "|---|---|---|---|---|---|",
    ]
    for case, results, reached in rows:
        codes = sorted({code for found in results for code in found})
        count = {code: sum(code in found for found in results) for code in codes}
        shown = ", ".join(code if count[code] == len(results) else f"{code} ({count[code]})" for code in codes)
        hit = f"{sum(detected(case, found) for found in results)} of {len(results)}" if case.expected else ""
        false = sum(bool(unexplained(case, found)) for found in results)
        low, high = f"{100 * min(reached):.0f}", f"{100 * max(reached):.0f}"
        often = f"{low} %" if low == high else f"{low}–{high} %"
        wanted = (case.expected or "nothing").replace("|", " or ")
        lines.append(f"| {case.name} | {often} | {wanted} | {hit} | {false} | {shown or 'nothing'} |")
    lines += [
        "",
        f"{len(sound) + len(planted)} policies were trained and evaluated in {seconds / 60:.0f} minutes on the CPU.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
