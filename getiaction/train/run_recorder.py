"""Between reading the dataset and the first step: the ranks agree on the folder, and the facts are kept."""

from __future__ import annotations

import contextlib
import math
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lightning as L
import torch

from getiaction.data.process_group import gather, this_host
from getiaction.errors import TrainingError
from getiaction.spec.batches import Batches
from getiaction.spec.frame_loading import cores
from getiaction.train.checkpoints import RECIPE_STATE
from getiaction.train.folder import PACKAGES, RunFolder
from getiaction.train.metrics import forget_after
from getiaction.train.progress import where
from getiaction.train.screen import Screen
from getiaction.train.summary import describe_data, describe_policy, many, policy_name, trained_parameters

LOGGED_STEPS = 100
DATASET = "dataset"


class RunRecorder(L.Callback):
    """Opens a run.

    Args:
        run: its folder; None when nothing is kept.
        recipe: as plain values.
        text: the recipe as the folder keeps it.
        resolved: its text with all defaults written out; empty where it is not kept.
        screen: where to say what is going on.
        ignored: codes of findings that the user ignores.
    """

    def __init__(
        self,
        run: RunFolder | None,
        recipe: dict[str, Any],
        text: str,
        resolved: str,
        screen: Screen,
        ignored: Sequence[str] = (),
    ) -> None:
        self.run = run
        self.given = recipe.get("trainer") or {}
        self.recipe = recipe
        self.text = text
        self.resolved = resolved
        self.screen = screen
        self.ignored = list(ignored)
        self.processes: list[tuple[str, int]] = []  # host and number of each rank's process

    def ended(self) -> list[int]:
        """The ranks whose processes have ended, as far as this host can see; waits a moment for the first."""
        here = this_host()
        for _ in range(20):
            gone = [rank for rank, (host, pid) in enumerate(self.processes) if host == here and not _is_alive(pid)]
            if gone:
                return gone
            time.sleep(0.1)
        elsewhere = [rank for rank, (host, _) in enumerate(self.processes) if host != here]
        return elsewhere if len(elsewhere) == 1 else []

    @property
    def state_key(self) -> str:
        """The name of this callback's state in a checkpoint."""
        return RECIPE_STATE

    def state_dict(self) -> dict[str, Any]:
        """The resolved recipe, so that a damaged recipe.yaml does not end a run."""
        return {"recipe": self.text}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """The dataset has been read; the policy is built next, which may fetch weights."""
        if trainer.world_size > 1:
            self.processes = gather((this_host(), os.getpid()))
            check_alike(trainer.datamodule)
        if self.run:
            self.run.path = trainer.strategy.broadcast(self.run.path)
            if not trainer.is_global_zero:
                self.run.announced = True
                self.screen.log_to(self.run.log_of(trainer.global_rank))
        self.screen.doing("building the policy")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Everything is there."""
        if "log_every_n_steps" not in self.given:
            # Lightning's 50 leaves a short run without a single row.
            trainer.log_every_n_steps = int(max(1, min(50, trainer.estimated_stepping_batches // LOGGED_STEPS)))
        trainer.datamodule.recount_batches()
        if self.run and trainer.is_global_zero:
            self.run.write_recipe(self.text, self.resolved)
            facts = {"seed": self.recipe["seed"], **_facts(trainer, pl_module)}
            facts |= {"ignored": self.ignored} if self.ignored else {}
            before = self.run.write_facts(trainer.global_step, facts)
            for change in (dataset_change, order_change, batch_change):
                if said := change(before, facts):
                    self.screen.say(said)
            self.run.sweep()
            if forget_after(self.run.metrics, trainer.global_step):
                self.screen.say(f"{self.run.metrics} was damaged: its readable rows are kept, the file is *.damaged")
        resumed = f", from step {trainer.global_step}" if trainer.global_step else ""
        self.screen.say(
            f"{describe_policy(pl_module)} on {describe_data(trainer.datamodule)}, {where(trainer)}{resumed}"
        )
        if said := ensure_validation(trainer):
            self.screen.say(said)
        if trainer.datamodule.plan is not None and trainer.datamodule.meta.camera_keys:
            self.screen.say(str(trainer.datamodule.plan))
        if self.run:
            self.screen.say(f"run folder {self.run.path}")


def check_alike(data: Any) -> None:
    """Compare the dataset and the versions of packages over all processes of the training.

    Raises:
        TrainingError: a process has another dataset, or other versions, than the first one.
    """
    meta = data.train_dataset.meta
    facts = {**{f"version of {package}": version(package) for package in PACKAGES}, DATASET: data.fingerprint}
    everyone = gather((this_host(), str(meta.root), facts))
    first_host, first_root, expected = everyone[0]
    for rank, (host, root, found) in enumerate(everyone):
        for name, value in found.items():
            if value == expected[name]:
                continue
            if name == DATASET:
                raise TrainingError(
                    f"the processes read different datasets: {root} (rank {rank} on {host}) has metadata that "
                    f"differs from {first_root} (rank 0 on {first_host})",
                    f"copy the dataset to {host} again, or put it on a disk that all nodes share",
                )
            raise TrainingError(
                f"rank {rank} on {host} has another {name} ({value}) than rank 0 on {first_host} ({expected[name]})",
                "install the same versions on every node",
            )


def ensure_validation(trainer: L.Trainer) -> str:
    """Validate after the last step where the run would end before its first validation; say so in one line.

    Episodes are held out to be looked at. An epoch that is longer than the run, or an interval that is longer than
    both, would leave them unused.
    """
    steps, batches = trainer.estimated_stepping_batches, trainer.num_training_batches
    finite = math.isfinite(steps) and math.isfinite(batches)
    if not (finite and trainer.enable_validation and trainer.datamodule.val_dataset is not None):
        return ""
    if trainer.val_check_batch is None:  # by the clock
        return ""
    accumulated = trainer.accumulate_grad_batches
    epochs, rest = divmod(int(steps), math.ceil(batches / accumulated))
    last = epochs * int(batches) + rest * accumulated
    every = trainer.check_val_every_n_epoch
    first = trainer.val_check_batch if every is None else (every - 1) * batches + min(trainer.val_check_batch, batches)
    if first <= last:
        return ""
    trainer.check_val_every_n_epoch, trainer.val_check_batch = None, last  # counted over epochs
    return f"validation after the last step: the run of {many(int(steps), 'step')} ends before its first validation"


def dataset_change(earlier: dict[str, Any], facts: dict[str, Any]) -> str:
    """One line if the dataset is not the one that the run was trained on so far; empty if it is, or unknown.

    Args:
        earlier: the facts in run.json, as the earlier part of the run wrote them.
        facts: those of this part.
    """
    before, now = earlier.get("dataset"), facts["dataset"]
    if not isinstance(before, dict) or before.get("fingerprint") in (None, now["fingerprint"]):
        return ""
    differences = [
        f"{many(before[name], word)} → {many(now[name], word)}"
        for name, word in (("episodes", "episode"), ("frames", "frame"))
        if isinstance(before.get(name), int) and before[name] != now[name]
    ]
    if before.get("repo_id") != now["repo_id"]:
        differences.insert(0, f"{before.get('repo_id')} → {now['repo_id']}")
    what = ", ".join(differences) or "other metadata"
    return f"the dataset changed since the earlier part of this run ({what}); run.json keeps both fingerprints"


def order_change(earlier: dict[str, Any], facts: dict[str, Any]) -> str:
    """One line if the order of the samples differs from the earlier part; arguments as for `dataset_change`."""
    before, now = earlier.get("frames"), facts["frames"]
    if not isinstance(before, dict) or before.get("order") in (None, now["order"]):
        return ""
    return f"the order of the samples changes from {before['order']} to {now['order']}: {now['reason']}"


def batch_change(earlier: dict[str, Any], facts: dict[str, Any]) -> str:
    """One line if an optimizer step has another number of samples now; arguments as for `dataset_change`."""
    before, now = earlier.get("batch"), facts["batch"]
    if not isinstance(before, dict) or before == now:
        return ""
    processes = f"{before.get('processes')} → {many(now['processes'], 'process', 'processes')}, "
    return (
        f"the samples of an optimizer step change from {before.get('samples')} to {now['samples']} "
        f"({processes if before.get('processes') != now['processes'] else ''}the learning rate stays)"
    )


def _facts(trainer: L.Trainer, pl_module: L.LightningModule) -> dict[str, Any]:
    data: Any = trainer.datamodule
    meta = data.train_dataset.meta
    dataset = {
        "repo_id": meta.repo_id,
        "root": str(meta.root),
        "revision": str(meta.revision),
        "fps": meta.fps,
        "stride": data.frames_apart,
        "episodes": meta.total_episodes,
        "frames": meta.total_frames,
        "fingerprint": data.fingerprint,
    }
    frames = {
        "order": data.order["kind"] if data.order else "shuffled",
        "loading": data.plan.method,
        "reason": data.plan.reason,
    }
    step = Batches(data.train_batch_size, trainer.accumulate_grad_batches, trainer.world_size)
    batch = {"processes": step.processes, "samples": step.effective}
    policy = {
        "name": policy_name(pl_module),
        "parameters": sum(p.numel() for p in pl_module.parameters()),
        "trained": trained_parameters(pl_module),
    }
    return {
        "policy": policy,
        "hardware": _hardware(trainer),
        "dataset": dataset,
        "frames": frames,
        "batch": batch,
    }


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return not Path("/proc/self").exists()


def _hardware(trainer: L.Trainer) -> dict[str, Any]:
    """What trains: as "2 x cuda", the GPU's name, the processor and the cores that this process may use."""
    device = trainer.strategy.root_device
    return {
        "device": where(trainer),
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "precision": str(trainer.precision),
        "processor": _processor(),
        "cores": cores(),
    }


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:  # noqa: PTH123
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
