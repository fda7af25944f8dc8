"""What this machine has, probed without importing torch, lightning or lerobot.

A `Machine` is a plain value: rules read it, tests build one by hand. `probe` fills one for the machine it runs on; what
costs more than a few file look-ups (installed packages, caches, free space) is asked for only when a rule asks.

NVIDIA's driver is asked through its library (nvidia-ml-py): `nvidia-smi` needs 0.1 to 2 s for the same answer.
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

# FFmpeg's versions and those of their libavutil; torchcodec brings one library for each.
FFMPEG = {4: 56, 5: 57, 6: 58, 7: 59, 8: 60}


@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU.

    Args:
        name: as the driver calls it.
        memory: bytes in all; None when the driver doesn't say.
        free: bytes not in use now.
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
    """What a run can count on.

    Args:
        system: "Linux", "Darwin" or "Windows".
        arch: "x86_64", "arm64", …
        gpus: NVIDIA GPUs that the driver shows.
        torch_cuda: the CUDA version that the installed torch is built for; None for a CPU, ROCm or XPU build.
        torch_hip: the ROCm version of the installed torch; None for another build.
        torch_xpu: the XPU version of the installed torch; None for another build.
        memory: bytes of RAM; None when unknown.
        shared_memory: free bytes of /dev/shm; None where there is none.
        packages: version of each installed distribution by name.
        ffmpeg: major versions of libavutil that can be loaded.
        hub: Hugging Face repositories of models with at least one file in the cache.
        torch_hub: file names in torch hub's checkpoint folder.
        env: environment variables.
        hub_token: True when a Hugging Face token is there (its value is never kept).
        wandb_key: True when Weights & Biases has a key.
        free_space: bytes free on the disk of a path that need not exist yet.
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
        """True when there is an NVIDIA GPU and a torch that can use it."""
        return bool(self.gpus) and self.torch_cuda is not None

    @property
    def has_mps(self) -> bool:
        """True on Apple silicon, where every torch wheel can use the GPU."""
        return self.system == "Darwin" and self.arch == "arm64"

    @property
    def offline(self) -> bool:
        """True when the environment forbids Hugging Face libraries the network."""
        return is_offline(self.env)

    def accelerators(self) -> tuple[str, ...]:
        """The accelerators that Lightning would find here, best first."""
        found = (("cuda", self.has_cuda or self.torch_hip is not None), ("mps", self.has_mps), ("cpu", True))
        return tuple(name for name, there in found if there)


@cache
def probe() -> Machine:
    """The machine this process runs on."""
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
    """Major versions of libavutil that the loader finds (56 is FFmpeg 4, 60 is FFmpeg 8)."""

    def __contains__(self, major: object) -> bool:
        name = {"Darwin": f"libavutil.{major}.dylib", "Windows": f"avutil-{major}.dll"}.get(
            platform.system(), f"libavutil.so.{major}"
        )
        folders = ["", "/opt/homebrew/lib/", "/usr/local/lib/"] if platform.system() == "Darwin" else [""]
        return any(_loads(folder + name) for folder in folders)


class _HubCache(Container[str]):
    """Model repositories with a snapshot in Hugging Face's cache."""

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
    """``{"cuda": "13.0"}`` and the like, read from the text of torch/version.py."""
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
    except pynvml.NVMLError:  # no driver, or one that does not answer
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
    """The GPUs that CUDA_VISIBLE_DEVICES leaves."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is None:
        return range(count)
    words = [word.strip() for word in given.split(",") if word.strip()]
    if any(not word.isdigit() for word in words):  # "-1" hides all; UUIDs name one each
        return range(sum(not word.startswith("-") for word in words))
    return [int(word) for word in words]


def _nvidia_gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory, capability = None, None
    with suppress(pynvml.NVMLError):  # machines where the GPU uses the processor's memory
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
    # No folder has a longer path, and the parents of a longer text take quadratic time.
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
    """The folder of torch hub."""
    cache_home = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("TORCH_HOME", f"{cache_home}/torch")).expanduser() / "hub"


@cache
def resnet_weights() -> Mapping[str, str]:
    """The file that each of torchvision's ResNet weights is kept in, by name ("ResNet18_Weights.IMAGENET1K_V1")."""
    return {name: url.rsplit("/", 1)[-1] for name, url in resnet_addresses().items()}


@cache
def resnet_addresses() -> Mapping[str, str]:
    """The address of each of torchvision's ResNet weights, from torchvision's source."""
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
    """The name and shape of each tensor in a safetensors file, read from its header.

    Raises:
        ValueError: it is not a safetensors file, or its end is missing.
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
