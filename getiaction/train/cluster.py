"""The processes that SLURM's srun has started, as Lightning's cluster environment.

Lightning's own `SLURMEnvironment` ignores a job named `bash`, refuses `--ntasks` without `--ntasks-per-node`, compares
`devices` with the job instead of the step, and saves a checkpoint inside a signal handler. Here the step decides, and
signals are handled by `Interrupt`.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from lightning.fabric.plugins.environments import (
    ClusterEnvironment,
    LightningEnvironment,
    SLURMEnvironment,
    TorchElasticEnvironment,
)

from getiaction.spec.launch import Launch


class SrunEnvironment(SLURMEnvironment):
    """One srun step.

    Args:
        launch: the step, as its environment variables describe it.
        one_gpu_each: each task sees one GPU, number 0. Lightning indexes GPUs by local rank, so every task is then
            presented as a node with one device.
    """

    def __init__(self, launch: Launch, *, one_gpu_each: bool = False) -> None:
        ClusterEnvironment.__init__(self)
        self.auto_requeue = False  # no handler of Lightning's
        self.requeue_signal = getattr(signal, "SIGUSR1", None)
        self.launch, self.one_gpu_each = launch, one_gpu_each

    @property
    def main_address(self) -> str:
        """The first node of the step, unless MASTER_ADDR names another."""
        nodes = os.environ.get("SLURM_STEP_NODELIST") or os.environ.get("SLURM_NODELIST", "127.0.0.1")
        return os.environ.setdefault("MASTER_ADDR", self.resolve_root_node_address(nodes))

    def world_size(self) -> int:
        """Tasks of the step."""
        return self.launch.world_size

    def global_rank(self) -> int:
        """This task's number."""
        return self.launch.rank

    def local_rank(self) -> int:
        """Which of the visible GPUs is this task's."""
        return 0 if self.one_gpu_each else self.launch.local_rank

    def node_rank(self) -> int:
        """Which node this is."""
        return self.launch.rank if self.one_gpu_each else super().node_rank()

    def validate_settings(self, num_devices: int, num_nodes: int) -> None:
        """Nothing: `Launch.contradiction` has compared them."""


def arguments(trainer: dict[str, Any], launch: Launch, gpus: int | None) -> dict[str, Any]:
    """The Trainer's `devices`, `num_nodes` and `plugins` for the processes that the launcher has started.

    Args:
        trainer: the recipe's arguments, plugins built.
        launch: the launcher.
        gpus: GPUs that this process sees; None where it trains on something else.
    """
    filled = launch.settings(trainer)
    environment: ClusterEnvironment | None = None
    if launch.launcher == "srun":
        apart = gpus is not None and launch.sees_one_each(gpus)
        if apart:
            filled |= {"devices": 1, "num_nodes": launch.world_size}
        environment = SrunEnvironment(launch, one_gpu_each=apart)
    elif launch.launcher == "torchrun":
        environment = TorchElasticEnvironment()
    elif "SLURM_JOB_ID" in os.environ:  # a shell or a script inside a job: Lightning may start the other processes
        environment = LightningEnvironment()
    if environment is not None:
        given = filled.get("plugins") or []
        plugins = given if isinstance(given, list) else [given]
        if not any(isinstance(plugin, ClusterEnvironment) for plugin in plugins):
            filled["plugins"] = [*plugins, environment]
    return filled
