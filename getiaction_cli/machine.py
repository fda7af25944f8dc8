"""The hardware and software of this machine, without importing torch, lightning or lerobot.

A `Machine` is a plain value, which tests can create. `probe` returns that of the current machine; expensive parts
(installed packages, caches, free space) are only read when a rule uses them.

GPUs are read through NVIDIA's library (nvidia-ml-py): `nvidia-smi` takes 0.1 to 2 s for the same information.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Container, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from getiaction import trust
from getiaction.spec.hub_cache import hf_home, hub_cache, is_offline, storage
from getiaction.spec.loggers import wandb_can_log_in
from getiaction_cli.installed import package_folder, versions

# FFmpeg version → version of its libavutil; torchcodec has a library for each.
FFMPEG = {4: 56, 5: 57, 6: 58, 7: 59, 8: 60}


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU.

    Args:
        name: name from the driver.
        memory: total bytes; None if unknown.
        free: bytes that are currently free.
        capability: CUDA compute capability, as (8, 9).
    """

    name: str
    memory: int | None = None
    free: int | None = None
    capability: tuple[int, int] | None = None


def _no_disk(_: Path) -> int | None:
    return None


@dataclass(frozen=True)
class Machine:
    """The properties of a machine that checks depend on.

    Args:
        system: "Linux", "Darwin" or "Windows".
        arch: "x86_64", "arm64", …
        gpus: NVIDIA GPUs that the driver reports.
        torch_cuda: CUDA version of the installed torch; None for a CPU, ROCm or XPU build.
        torch_hip: ROCm version of the installed torch; None for other builds.
        torch_xpu: XPU version of the installed torch; None for other builds.
        memory: bytes of RAM; None if unknown.
        shared_memory: free bytes of /dev/shm; None if there is none.
        packages: name → version of installed distributions.
        ffmpeg: loadable major versions of libavutil.
        hub: Hugging Face model repositories with at least one file in the cache.
        torch_hub: file names in torch hub's checkpoint folder.
        env: environment variables.
        hub_token: True if there is a Hugging Face token (its value is not stored).
        wandb_key: True if there is an API key for Weights & Biases.
        free_space: returns the free bytes on the disk of a path, which need not exist.
    """

    system: str = "Linux"
    arch: str = "x86_64"
    gpus: tuple[Gpu, ...] = ()
    torch_cuda: str | None = None
    torch_hip: str | None = None
    torch_xpu: str | None = None
    memory: int | None = None
    shared_memory: int | None = None
    packages: Mapping[str, str] = field(default_factory=dict)
    ffmpeg: Container[int] = ()
    hub: Container[str] = ()
    torch_hub: Container[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    hub_token: bool = False
    wandb_key: bool = False
    free_space: Callable[[Path], int | None] = _no_disk

    @property
    def has_cuda(self) -> bool:
        """True if there is an NVIDIA GPU that the installed torch supports."""
        return bool(self.gpus) and self.torch_cuda is not None

    @property
    def has_mps(self) -> bool:
        """True on Apple silicon, where every torch wheel supports the GPU."""
        return self.system == "Darwin" and self.arch == "arm64"

    @property
    def offline(self) -> bool:
        """True if environment variables disable the network for Hugging Face libraries."""
        return is_offline(self.env)

    def accelerators(self) -> tuple[str, ...]:
        """Return the accelerators that Lightning finds, the preferred one first."""
        found = (("cuda", self.has_cuda or self.torch_hip is not None), ("mps", self.has_mps), ("cpu", True))
        return tuple(name for name, there in found if there)


@cache
def probe() -> Machine:
    """Return the current machine."""
    build = _torch_build()
    return Machine(
        system=platform.system(),
        arch=platform.machine(),
        gpus=_nvidia_gpus(),
        torch_cuda=build.get("cuda"),
        torch_hip=build.get("hip"),
        torch_xpu=build.get("xpu"),
        memory=_memory(),
        shared_memory=_free(Path("/dev/shm")) if Path("/dev/shm").is_dir() else None,
        packages=versions(),
        ffmpeg=_Ffmpeg(),
        hub=_HubCache(hub_cache()),
        torch_hub=_Files(torch_hub() / "checkpoints"),
        env=os.environ,
        hub_token=_hub_token(),
        wandb_key=wandb_can_log_in(),
        free_space=_free,
    )


class _Ffmpeg(Container[int]):
    """The loadable major versions of libavutil (56 is FFmpeg 4, 60 is FFmpeg 8)."""

    def __contains__(self, major: object) -> bool:
        name = {"Darwin": f"libavutil.{major}.dylib", "Windows": f"avutil-{major}.dll"}.get(
            platform.system(), f"libavutil.so.{major}"
        )
        folders = ["", "/opt/homebrew/lib/", "/usr/local/lib/"] if platform.system() == "Darwin" else [""]
        return any(_loads(folder + name) for folder in folders)


class _HubCache(Container[str]):
    """The model repositories with a snapshot in Hugging Face's cache."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, repo_id: object) -> bool:
        snapshots = storage(self.folder, "models", str(repo_id)) / "snapshots"
        with suppress(OSError):
            return any(snapshots.glob("*/*"))
        return False


class _Files(Container[str]):
    """The names of the files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __contains__(self, name: object) -> bool:
        return (self.folder / str(name)).is_file()


@cache
def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _torch_build() -> dict[str, str]:
    """Return the build of torch, such as ``{"cuda": "13.0"}``, from the text of torch/version.py."""
    torch = package_folder("torch")
    if torch is None:
        return {}
    with suppress(OSError):
        text = (torch / "version.py").read_text(encoding="utf-8")
        return dict(re.findall(r"^(cuda|hip|xpu)\b[^=]*= '([^']+)'", text, re.MULTILINE))
    return {}


def _nvidia_gpus() -> tuple[Gpu, ...]:
    system = platform.system()
    if system == "Darwin" or (system == "Linux" and not any(map(os.path.exists, ("/dev/nvidiactl", "/dev/dxg")))):
        return ()
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # no driver, or a driver that fails
        return ()
    try:
        count = pynvml.nvmlDeviceGetCount()
        wanted = _visible(count)
        return tuple(_nvidia_gpu(i) for i in range(count) if i in wanted)
    except pynvml.NVMLError:
        return ()
    finally:
        pynvml.nvmlShutdown()


def _visible(count: int) -> Container[int]:
    """Return the GPUs that CUDA_VISIBLE_DEVICES allows."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return range(count)
    words = [word.strip() for word in given.split(",") if word.strip()]
    if any(not word.isdigit() for word in words):  # "-1" hides all GPUs; an entry may also be a UUID
        return range(sum(not word.startswith("-") for word in words))
    return [int(word) for word in words]


def _nvidia_gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory, capability = None, None
    with suppress(pynvml.NVMLError):  # GPUs that share the memory of the processor
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    with suppress(pynvml.NVMLError):
        capability = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
    return Gpu(
        name=pynvml.nvmlDeviceGetName(handle),
        memory=int(memory.total) if memory else None,
        free=int(memory.free) if memory else None,
        capability=capability,
    )


def _memory() -> int | None:
    if sys.platform == "win32":
        return None
    with suppress(ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


_LONGEST_PATH = 4_096  # characters


def _free(path: Path) -> int | None:
    # Paths can't be longer, and iterating over the parents of a long text takes quadratic time.
    path = Path(str(path.absolute())[:_LONGEST_PATH])
    for place in (path, *path.parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None


def _hub_token() -> bool:
    if os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN"):
        return True
    place = Path(os.environ.get("HF_TOKEN_PATH", str(hf_home() / "token"))).expanduser()
    with suppress(OSError):
        return place.stat().st_size > 0
    return False


def torch_hub() -> Path:
    """Return the folder of torch hub."""
    cache_home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache_home}/torch")).expanduser() / "hub"


@cache
def resnet_weights() -> Mapping[str, str]:
    """Return name ("ResNet18_Weights.IMAGENET1K_V1") → file name of torchvision's ResNet weights."""
    return {name: url.rsplit("/", 1)[-1] for name, url in resnet_addresses().items()}


@cache
def resnet_addresses() -> Mapping[str, str]:
    """Return name → URL of torchvision's ResNet weights, from torchvision's source."""
    torchvision = package_folder("torchvision")
    if torchvision is None:
        return {}
    with suppress(OSError):
        text = (torchvision / "models" / "resnet.py").read_text(encoding="utf-8")
        found: dict[str, str] = {}
        for enum, body in re.findall(r"^class (\w+_Weights)\(WeightsEnum\):\n((?:    .*\n|\n)+)", text, re.MULTILINE):
            for name, url in re.findall(r"^    (\w+) = Weights\(\s*url=\"([^\"]+)\"", body, re.MULTILINE):
                found[f"{enum}.{name}"] = url
            for name, same in re.findall(r"^    (\w+) = (\w+)$", body, re.MULTILINE):
                found[f"{enum}.{name}"] = found.get(f"{enum}.{same}", "")
        return found
    return {}


def safetensors_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return name → shape of the tensors in a safetensors file, from its header.

    Raises:
        ValueError: it is not a safetensors file, or it is truncated.
        OSError: it can't be read.
    """
    with trust.open_regular(path) as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 2 <= size <= trust.MAX_HEADER:
            raise ValueError(f"{path.name} doesn't begin with a safetensors header")
        try:
            header = json.loads(stream.read(size))
        except RecursionError:
            header = None
        held = os.fstat(stream.fileno()).st_size - 8 - size
    if not isinstance(header, dict):
        raise ValueError(f"{path.name} doesn't begin with a safetensors header")
    tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
    try:
        complete = all(tensor["data_offsets"][1] <= held for tensor in tensors.values())
        shapes = {name: tuple(tensor["shape"]) for name, tensor in tensors.items()}
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{path.name} doesn't begin with a safetensors header") from error
    if not complete:
        raise ValueError(f"{path.name} is cut off")
    return shapes
