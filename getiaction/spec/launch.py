"""How this process was started: by torchrun, by SLURM's `srun`, by Lightning, or alone. Plain Python.

torchrun and srun start all processes of a job and describe them in environment variables. These variables decide the
number of processes: they replace `trainer.devices` and `trainer.num_nodes` where the recipe leaves these out, and must
agree with them where the recipe sets them.

Sources: torch/distributed/run.py (WORLD_SIZE, LOCAL_WORLD_SIZE, GROUP_WORLD_SIZE, …), srun(1) "OUTPUT ENVIRONMENT
VARIABLES" (SLURM_STEP_NUM_TASKS, SLURM_STEP_TASKS_PER_NODE, …), lightning/fabric/plugins/environments.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Launcher = Literal["torchrun", "srun", "sbatch", ""]
INTERACTIVE = ("bash", "interactive", "sh", "zsh")
SLURM_JOB_PREFIX = "job-"


@dataclass(frozen=True)
class Launch:
    """The processes of a job, and which of them this one is.

    Attributes:
        launcher: `torchrun` or `srun`, which start every process; `sbatch` for a process of a SLURM batch script that
            srun did not start; empty for a process that the user started, or that Lightning started for it.
        rank: Number of this process in the job, from 0.
        local_rank: Its number on its machine, from 0.
        world_size: Processes of the job; 1 without a launcher.
        local_world_size: Processes on this machine.
        nodes: Machines of the job.
        even: Whether all machines have the same number of processes.
        tasks: Tasks allocated to the SLURM job, whether or not srun starts them.
        restarts: How often SLURM has requeued this job, and how often torchrun has started its processes again.
        job: Identifier that survives a restart: `job-<id>` or `job-<id>_<task>` under SLURM, the name of the torchrun;
            empty without a launcher.
    """

    launcher: Launcher = ""
    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    local_world_size: int = 1
    nodes: int = 1
    even: bool = True
    tasks: int = 1
    restarts: tuple[int, int] = (0, 0)
    job: str = ""

    @property
    def restarted(self) -> bool:
        """Whether an earlier start of the same job may have trained already."""
        return any(self.restarts)

    @property
    def in_slurm(self) -> bool:
        """Whether SLURM started this process, its torchrun, or its batch script."""
        return self.launcher != "" and self.job.startswith(SLURM_JOB_PREFIX)

    @property
    def starts_processes(self) -> bool:
        """Whether a launcher decides how many processes there are."""
        return self.launcher != ""

    def naming_itself(self, message: str) -> str:
        """An error with the rank and the host in front of it, unless this is the first process."""
        name = f"[rank {self.rank} on {platform.node()}]"
        return f"{name} {message}" if self.rank > 0 and not message.startswith(name) else message

    def settings(self, trainer: Mapping[str, Any]) -> dict[str, Any]:
        """`trainer`, completed by the launcher's `devices` and `num_nodes` where they are missing or `auto`."""
        filled = dict(trainer)
        if self.starts_processes:
            if filled.get("devices") in (None, *AUTOMATIC):
                filled["devices"] = self.local_world_size
            if filled.get("num_nodes") is None:
                filled["num_nodes"] = self.nodes
        return filled

    def processes(self, trainer: Mapping[str, Any], gpus: int | None = None) -> int:
        """Number of processes that train together; arguments as for `contradiction`."""
        settings = self.settings(trainer)
        devices, nodes = count_devices(settings.get("devices")), settings.get("num_nodes")
        nodes = nodes if isinstance(nodes, int) and not isinstance(nodes, bool) else 1
        return max(1, (gpus or 1) if devices is None else devices) * max(1, nodes)

    def contradiction(self, trainer: Mapping[str, Any], gpus: int | None = None) -> Contradiction | None:
        """Where the recipe contradicts the processes that the launcher has started; None if they agree.

        Args:
            trainer: the recipe's `trainer:` section.
            gpus: GPUs visible to this process; None if it trains on another device.
        """
        if not self.starts_processes:
            return None
        # Without srun there is one process; the tasks are allocated for an srun that has not been called.
        started = self.tasks if self.launcher == "sbatch" else self.world_size
        who = f"{'torchrun' if self.launcher == 'torchrun' else 'SLURM'} started {_processes(started)}"
        if self.launcher == "sbatch":
            who = f"this SLURM job has {started} task{'' if started == 1 else 's'}"
        if not self.even:
            return Contradiction(
                "devices",
                f"{who} on {self.nodes} nodes, not equally many on each",
                "set --ntasks-per-node" if self.launcher == "srun" else "give every torchrun the same --nproc_per_node",
            )
        devices, nodes = count_devices(trainer.get("devices")), trainer.get("num_nodes")
        nodes = nodes if isinstance(nodes, int) and not isinstance(nodes, bool) else None
        if devices is not None or nodes is not None:
            if self.launcher == "sbatch":
                wrong = (devices or 1) * (nodes or 1) != started
            else:
                wrong = devices not in (None, self.local_world_size) or nodes not in (None, self.nodes)
            if wrong:
                wanted = " × ".join(
                    f"{name} {count}"
                    for name, count in (("devices", devices), ("num_nodes", nodes))
                    if count is not None
                )
                each = f" ({self.local_world_size} on each of {self.nodes} nodes)" if self.nodes > 1 else ""
                route = "devices" if devices not in (None, self.local_world_size) else "num_nodes"
                return Contradiction(
                    route if trainer.get(route) is not None else "devices",
                    f"{wanted}, and {who}{each}",
                    self._match(),
                )
        if self.launcher == "sbatch" and devices is None and gpus is not None and gpus > 1:
            return Contradiction(
                "devices",
                f"{who} and sees {gpus} GPUs, of which one process uses one",
                f"start with: srun --ntasks-per-node={gpus} getiaction train …, or set devices: 1",
            )
        if gpus is not None and gpus < self.local_world_size and not self.sees_one_each(gpus):
            return Contradiction(
                "devices",
                f"{who}, {self.local_world_size} of them on this machine, which has {gpus} "
                + ("GPU" if gpus == 1 else "GPUs"),
                "start one process for each GPU",
            )
        return None

    def sees_one_each(self, gpus: int) -> bool:
        """Whether SLURM shows each task only its own GPU (`--gpus-per-task`), which is number 0 in every task."""
        return self.launcher == "srun" and gpus == 1 and self.local_world_size > 1

    def _match(self) -> str:
        if self.launcher == "torchrun":
            return "leave devices and num_nodes out: torchrun's --nproc_per_node and --nnodes decide"
        return "leave devices and num_nodes out, and start with: srun --nodes=N --ntasks-per-node=N getiaction train …"


@dataclass(frozen=True)
class Contradiction:
    """A disagreement between a recipe and its launcher.

    Attributes:
        key: `devices` or `num_nodes`.
        message: Both numbers, for the user.
        help: How to make them agree.
    """

    key: str
    message: str
    help: str


AUTOMATIC = ("auto", -1, "-1")


def read(env: Mapping[str, str] = os.environ) -> Launch:
    """Read the launcher's environment variables."""
    if "TORCHELASTIC_RUN_ID" in env and "WORLD_SIZE" in env:
        world, local = _number(env, "WORLD_SIZE", 1), _number(env, "LOCAL_WORLD_SIZE", 1)
        nodes = _number(env, "GROUP_WORLD_SIZE", -(-world // max(local, 1)))
        return Launch(
            "torchrun",
            rank=_number(env, "RANK"),
            local_rank=_number(env, "LOCAL_RANK"),
            world_size=world,
            local_world_size=local,
            nodes=nodes,
            even=nodes * local == world,
            tasks=world,
            restarts=(_number(env, "SLURM_RESTART_COUNT"), _number(env, "TORCHELASTIC_RESTART_COUNT")),
            job=_job(env),
        )
    if "SLURM_JOB_ID" in env and not _started_by_lightning(env):
        return _slurm(env)
    # Lightning sets LOCAL_RANK for the processes that it starts on one machine; the user sets NODE_RANK.
    local, node = _number(env, "LOCAL_RANK"), _number(env, "NODE_RANK")
    return Launch(rank=_number(env, "RANK", node + local), local_rank=local)


def rank(env: Mapping[str, str] = os.environ) -> int:
    """The number of this process among those that train together, from 0."""
    return read(env).rank


def count_devices(devices: object) -> int | None:
    """Number of devices that a recipe requests; None if it requests none or an invalid value."""
    if isinstance(devices, bool) or devices in (None, *AUTOMATIC):
        return None
    if isinstance(devices, int):
        return devices
    if isinstance(devices, list):
        return len(devices)
    if isinstance(devices, str):
        parts = [part for part in devices.split(",") if part.strip()]
        if len(parts) > 1 or devices.strip().endswith(","):
            return len(parts)
        return int(devices) if devices.strip().isdecimal() else None
    return None


def _processes(count: int) -> str:
    return f"{count} process{'' if count == 1 else 'es'}"


def _slurm(env: Mapping[str, str]) -> Launch:
    tasks = _number(env, "SLURM_NTASKS", _number(env, "SLURM_NTASKS_PER_NODE", 1) * _number(env, "SLURM_NNODES", 1))
    restarts = (_number(env, "SLURM_RESTART_COUNT"), 0)
    in_step = "SLURM_STEP_NUM_TASKS" in env and "SLURM_PROCID" in env
    world = _number(env, "SLURM_STEP_NUM_TASKS", 1)
    if in_step and (world > 1 or not _is_interactive(env)):
        per_node = _per_node(env.get("SLURM_STEP_TASKS_PER_NODE", str(world)))
        node = _number(env, "SLURM_NODEID")
        return Launch(
            "srun",
            rank=_number(env, "SLURM_PROCID"),
            local_rank=_number(env, "SLURM_LOCALID"),
            world_size=world,
            local_world_size=per_node[node] if node < len(per_node) else per_node[0],
            nodes=_number(env, "SLURM_STEP_NUM_NODES", len(per_node)),
            even=len(set(per_node)) == 1,
            tasks=world,
            restarts=restarts,
            job=_job(env),
        )
    if not in_step and not _is_interactive(env) and env.get("SLURM_JOB_NAME") and "SLURM_NODEID" in env:
        return Launch("sbatch", tasks=tasks, restarts=restarts, job=_job(env))
    return Launch()  # a shell that SLURM gave the user: Lightning may start processes in it


def _job(env: Mapping[str, str]) -> str:
    """Identifier of the SLURM job (each task of an array is a job), or of the torchrun that started this process."""
    if "SLURM_JOB_ID" in env:
        if "SLURM_ARRAY_JOB_ID" in env and "SLURM_ARRAY_TASK_ID" in env:
            return f"{SLURM_JOB_PREFIX}{_number(env, 'SLURM_ARRAY_JOB_ID')}_{_number(env, 'SLURM_ARRAY_TASK_ID')}"
        return f"{SLURM_JOB_PREFIX}{_number(env, 'SLURM_JOB_ID')}"
    run_id = env.get("TORCHELASTIC_RUN_ID", "none")
    # Without --rdzv_id or --standalone every torchrun is called `none`; the parent process survives a restart.
    return f"torchrun-{run_id}" if run_id != "none" else f"torchrun-{platform.node()}-{os.getppid()}"


def _started_by_lightning(env: Mapping[str, str]) -> bool:
    """Whether Lightning started this process from an interactive SLURM shell, whose variables it inherits."""
    return "GETIACTION_FIRST" in env and "LOCAL_RANK" in env


def _is_interactive(env: Mapping[str, str]) -> bool:
    return env.get("SLURM_JOB_NAME") in INTERACTIVE


def _per_node(text: str) -> list[int]:
    """Tasks on each node: "2(x3),1" is [2, 2, 2, 1]."""
    counts: list[int] = []
    for count, times in re.findall(r"(\d+)(?:\(x(\d+)\))?", text):
        counts += [int(count)] * int(times or 1)
    return counts or [1]


def _number(env: Mapping[str, str], name: str, default: int = 0) -> int:
    value = env.get(name, "")
    return int(value) if value.isdecimal() else default
