"""A real SLURM with two nodes on this machine: started from nothing in about a second, as root, without systemd.

`with cluster(folder) as environment:` starts it, and ends every process of it. As a script it does the same for a
command: `python tests/slurm_cluster.py COMMAND…`.

Needs the Debian packages slurm-wlm and munge: apt-get install --no-install-recommends slurm-wlm munge
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

NODES = "127.0.0.1", "127.0.0.2"  # names that resolve: the first one is where the processes meet
# One machine plays both nodes, and claims to have GPUs, so that jobs may ask for them. A credential that expires soon,
# and a scheduler that looks often, let a requeued job start after seconds, not minutes.
CONFIGURATION = """
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CryptoType=crypto/munge
StateSaveLocation={folder}/ctld
SlurmdSpoolDir={folder}/d.%n
SlurmctldPidFile={folder}/run/ctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmctldLogFile={folder}/log/ctld.log
SlurmdLogFile={folder}/log/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=100000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
MpiDefault=none
GresTypes=gpu
ReturnToService=2
KillWait=30
NodeName=127.0.0.1 NodeHostname={host} NodeAddr=127.0.0.1 Port={first} CPUs={cpus} Gres=gpu:2 State=UNKNOWN
NodeName=127.0.0.2 NodeHostname={host} NodeAddr=127.0.0.1 Port={second} CPUs={cpus} Gres=gpu:2 State=UNKNOWN
PartitionName=debug Nodes=127.0.0.[1-2] Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES:8 PriorityTier=2
PartitionName=gpu Nodes=127.0.0.[1-2] MaxTime=INFINITE State=UP OverSubscribe=YES:8 PriorityTier=2
PartitionName=spare Nodes=127.0.0.[1-2] MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=60
"""


def missing() -> str:
    """Why a SLURM can't be started here; empty where it can."""
    wanted = ("slurmctld", "slurmd", "munged", "sbatch", "srun", "scontrol", "setpriv")
    absent = [name for name in wanted if shutil.which(name, path=_PATH) is None]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install --no-install-recommends slurm-wlm munge"
    return "" if os.geteuid() == 0 else "only root can start SLURM's daemons"


@contextmanager
def cluster(folder: Path) -> Iterator[dict[str, str]]:
    """Start a SLURM, yield the environment in which its commands work, and end all its processes.

    Args:
        folder: where it keeps its files; a path without spaces.
    """
    for name in ("ctld", *(f"d.{node}" for node in NODES), "log", "run"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    controller, first, second = _free_ports(3)
    configuration = folder / "slurm.conf"
    host = socket.gethostname().partition(".")[0]
    configuration.write_text(
        CONFIGURATION.format(host=host, folder=folder, cpus=os.cpu_count(), port=controller, first=first, second=second)
    )
    (folder / "gres.conf").write_text(f"NodeName=127.0.0.[1-2] Name=gpu File={folder}/gpu[0-1]\n")
    for number in range(2):
        (folder / f"gpu{number}").touch()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))
    environment = {**os.environ, "SLURM_CONF": str(configuration), "PATH": _PATH}
    with ExitStack() as daemons:
        munge = folder / "munge.socket"
        files = [f"--{name}-file={folder / f'munge.{name}'}" for name in ("key", "pid", "log", "seed")]
        daemons.enter_context(_running(environment, "munged", "--foreground", "--force", f"--socket={munge}", *files))
        _wait_until(lambda: _answers(munge), "munged does not answer")
        daemons.enter_context(_running(environment, "slurmctld", "-D", "-i"))
        for node in NODES:
            daemons.enter_context(_running(environment, "slurmd", "-D", "-N", node))
        _wait_until(lambda: _ask(environment, "sinfo", "-h", "-t", "idle", "-o", "%D") == "2", "the nodes are not idle")
        try:
            yield environment
        finally:
            _ask(environment, "scancel", "--user=root")
            _wait_until(lambda: not _ask(environment, "squeue", "-h"), "")


_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


@contextmanager
def _running(environment: dict[str, str], *words: str) -> Iterator[None]:
    """A daemon, which ends with this block, and with this process, whatever ends it."""
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig=TERM", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(munge: Path) -> bool:
    words = ["munge", "-n", "-S", munge]
    return munge.is_socket() and subprocess.run(words, capture_output=True, timeout=20).returncode == 0


def _ask(environment: dict[str, str], *words: str) -> str:
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60).stdout.strip()


def _wait_until(there: Callable[[], bool], failure: str) -> None:
    for _ in range(150):
        if there():
            return
        time.sleep(0.2)
    if failure:
        raise RuntimeError(failure)


def _free_ports(count: int) -> list[int]:
    with_ports = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in with_ports]
    for server in with_ports:
        server.close()
    return ports


if __name__ == "__main__":
    if reason := missing():
        sys.exit(reason)
    signal.signal(signal.SIGTERM, lambda signum, frame: sys.exit(128 + signum))
    with tempfile.TemporaryDirectory() as place, cluster(Path(place)) as up:
        sys.exit(subprocess.run(sys.argv[1:], env=up).returncode)
