"""What training does on a GPU: speed against lerobot-train, the same losses as the CPU, resuming, and memory.

    python benchmarks/gpu.py                          # one CUDA GPU, about seven minutes, no network
    python benchmarks/gpu.py --only speed memory      # some parts of it
    python benchmarks/gpu.py --device cpu             # a small version of the same, to test this script

Every part is a process with a time limit. A part that fails or takes too long is reported as such, and the others run
all the same. The tables are printed as they are measured.

The policies have LeRobot's default sizes and random weights; `smolvla` has the sizes of the published SmolVLA (450
million parameters). Both sides train in bfloat16 (`precision: bf16-mixed`; `ACCELERATE_MIXED_PRECISION=bf16`), read
the same video files with PyAV, and otherwise keep their defaults.
"""

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "core")]

SECONDS = 465  # for everything
LIMITS = {  # seconds
    "machine": 90,
    "data": 120,
    "parity": 100,
    "resume": 100,
    "speed": 300,
    "memory": 110,
    "compile": 150,
}
TOGETHER = (("machine", "data", "parity", "resume"), ("speed",), ("memory",), ("compile",))
POLICIES = ("act", "diffusion", "vqbet", "smolvla")
RUN_SECONDS = 6  # of steps that are timed
LIMIT_OF_RUN = 60  # seconds for a training by one tool


# The policies and datasets ------------------------------------------------------------------------------------------


class Case:
    """One policy as it is trained here.

    Args:
        name: the policy.
        config: its parameters.
        batch: samples per step.
        dataset: the folder in the work folder.
        steps: how many are timed, unless it takes longer than RUN_SECONDS.
    """

    def __init__(self, name: str, config: dict[str, Any], batch: int, dataset: str, steps: int) -> None:
        self.name, self.config, self.batch, self.dataset, self.steps = name, config, batch, dataset, steps


def cases(device: str, work: Path) -> dict[str, Case]:
    """The policies by name: of LeRobot's default sizes on a GPU, a few numbers wide on a CPU."""
    import tiny_hub
    import tiny_policies

    vlm = work / "smolvlm"
    small_vla = {
        "vlm_model_name": str(vlm),
        "num_vlm_layers": 2,
        "expert_width_multiplier": 0.5,
        "chunk_size": 4,
        "n_action_steps": 4,
        "resize_imgs_with_padding": [64, 64],
    }
    if not vlm.exists():
        tiny_hub.smolvlm(vlm, None if device == "cpu" else tiny_hub.SMOLVLM_500M)
    if device == "cpu":
        configs = {
            "act": tiny_policies.ACT,
            "diffusion": tiny_policies.DIFFUSION,
            "vqbet": tiny_policies.VQBET,
            "smolvla": small_vla,
        }
        return {name: Case(name, config, 4, "small", 5) for name, config in configs.items()}
    blank = {"pretrained_backbone_weights": None}
    # Batch sizes that divide an epoch: for a smaller last batch cuDNN chooses kernels anew, which takes seconds once.
    return {
        "act": Case("act", blank, 8, "wide", 70),
        "diffusion": Case("diffusion", blank, 60, "small", 50),
        # In its first phase VQ-BeT looks at no picture.
        "vqbet": Case("vqbet", {**blank, "n_vqvae_training_steps": 5}, 60, "small", 50),
        "smolvla": Case("smolvla", {"vlm_model_name": str(vlm)}, 40, "wide", 25),
    }


def make_data(device: str, work: Path, name: str) -> None:
    """Write one dataset into the work folder: `tiny`, `small` (96x96 pictures) or `wide` (480x640)."""
    import make_dataset

    sizes: dict[str, Any] = {
        "tiny": {"cameras": {"observation.image": (48, 48)}, "lengths": [20] * 4},
        "small": {"cameras": {"observation.image": (96, 96)}, "lengths": [100] * (20 if device != "cpu" else 2)},
        "wide": {"cameras": {"observation.image": (480, 640)}, "lengths": [100] * 10, "fps": 50},
    }
    if name == "wide":
        sizes[name] |= {"state": 14, "action": 14}
    make_dataset.make(work / name, repo_id=f"made/{name}", codec="h264", true_quantiles=False, **sizes[name])
    (work / f"{name}.ready").touch()


def dataset(work: Path, name: str) -> Path:
    """The folder of a dataset, made now unless a part has made it."""
    with (work / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (work / f"{name}.ready").exists():
            make_data(DEVICE, work, name)
    return work / name


def datamodule(work: Path, name: str, batch: int) -> Any:
    from getiaction.data.lerobot import LeRobotDataModule

    store = {"path": str(work / "store" / name)}
    return LeRobotDataModule(
        f"made/{name}", root=dataset(work, name), train_batch_size=batch, video_backend="pyav", frame_store=store
    )


def trainer(folder: Path, steps: int, *callbacks: Any, **arguments: Any) -> Any:
    import lightning as L

    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    return L.Trainer(
        accelerator=DEVICE,
        devices=1,
        max_steps=steps,
        default_root_dir=folder,
        callbacks=list(callbacks),
        enable_model_summary=False,
        **{**quiet, **arguments},
    )


def table(*heads: str) -> None:
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}", flush=True)


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


# Speed --------------------------------------------------------------------------------------------------------------

ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1", "COLUMNS": "200", "TOKENIZERS_PARALLELISM": "false"}
LOG_EVERY = 20
WARM_STEPS = 10  # not timed: kernels are chosen, memory is taken
PHASE_STEPS = 15  # timed by phase, after the others


def recipe_of(work: Path, case: Case, **trainer_arguments: Any) -> dict[str, Any]:
    """What `getiaction train` is given."""
    return {
        "seed": 1,
        "model": {
            "class_path": "getiaction.policies.lerobot.LeRobotPolicy",
            "init_args": {"policy_name": case.name, "config_kwargs": case.config},
        },
        "data": {
            "class_path": "getiaction.data.lerobot.LeRobotDataModule",
            "init_args": {
                "repo_id": f"made/{case.dataset}",
                "root": str(dataset(work, case.dataset)),
                "train_batch_size": case.batch,
                "video_backend": "pyav",
                "frame_store": {"path": str(work / f"store-{case.name}")},
            },
        },
        "trainer": {
            "max_steps": WARM_STEPS + case.steps + PHASE_STEPS,
            "accelerator": DEVICE,
            "devices": 1,
            "log_every_n_steps": LOG_EVERY,
            **({"precision": "bf16-mixed"} if DEVICE == "cuda" else {}),
            **trainer_arguments,
        },
    }


def lerobot_words(work: Path, case: Case, out: Path) -> list[str]:
    """The command line of the same training by `lerobot-train`."""
    words = [f"--policy.type={case.name}", f"--policy.device={DEVICE}", "--policy.push_to_hub=false"]
    words += [
        f"--policy.{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in case.config.items()
    ]
    words += [f"--dataset.repo_id=made/{case.dataset}", f"--dataset.root={dataset(work, case.dataset)}"]
    words += ["--dataset.video_backend=pyav", f"--batch_size={case.batch}", "--steps=100000", f"--log_freq={LOG_EVERY}"]
    return [*words, "--save_checkpoint=false", "--wandb.enable=false", "--seed=1", f"--output_dir={out}"]


class Enough(Exception):  # noqa: N818
    """All steps were timed."""


class Pace:
    """When the steps of a training ended.

    Attributes:
        first: seconds until the first step.
        steps: timed steps.
        seconds: what they took.
    """

    def __init__(self, steps: int) -> None:
        self.wanted = steps
        self.begun = time.perf_counter()
        self.first = self.seconds = 0.0
        self.done = self.steps = 0

    def step(self) -> str:
        """Count one; `warm` when timing begins, `end` when enough steps were timed."""
        self.done += 1
        if self.done == 1:
            _synchronize()
            self.first = time.perf_counter() - self.begun
        if self.done == WARM_STEPS:
            _synchronize()
            self.at = time.perf_counter()
            return "warm"
        if self.done < WARM_STEPS or self.steps:
            return ""
        timed = self.done - WARM_STEPS
        if timed >= self.wanted or time.perf_counter() - self.at > RUN_SECONDS:
            _synchronize()
            self.steps, self.seconds = timed, time.perf_counter() - self.at
            return "end"
        return ""

    def result(self, batch: int, waited: float, memory: float | None = None) -> dict[str, Any]:
        """What is reported."""
        return {
            "rate": self.steps * batch / self.seconds,
            "step": self.seconds / self.steps,
            "first": self.first,
            "waited": waited / self.seconds,
            "memory": _peak() if memory is None else memory,
        }


def train_ours(work: Path, case: Case, out: Path) -> dict[str, Any]:
    """Train with getiaction, as `getiaction train` does after the verdict."""
    from getiaction.policies.lerobot import LeRobotPolicy
    from getiaction.train.run import train

    recipe = recipe_of(work, case)
    pace, phases = Pace(case.steps), Phases()
    waits: list[float] = []
    memory: list[float] = []
    original = LeRobotPolicy.optimizer_step

    def optimizer_step(self: Any, *args: Any, **kwargs: Any) -> None:
        phases.follow(self)
        with phases.of("forward to optimizer in all"):
            original(self, *args, **kwargs)
        phases.count()
        at = pace.step()
        if at:
            waits.append(self.trainer.train_dataloader.waited)
        if at == "end":
            memory.append(_peak())
            phases.begin(self)
        if phases.steps >= PHASE_STEPS:
            self.trainer.should_stop = True

    _reset_peak()
    LeRobotPolicy.optimizer_step = optimizer_step  # type: ignore[method-assign]
    try:
        train(recipe, recipe_name=case.name, recipe_text=json.dumps(recipe), output_dir=out, quiet=True)
    finally:
        LeRobotPolicy.optimizer_step = original  # type: ignore[method-assign]
    return {**pace.result(case.batch, waits[1] - waits[0], memory[0]), "phases": phases.table()}


class Phases:
    """Where the time of a step goes, with the GPU waited for around each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.steps = 0
        self.on = False
        self._wrapped = False

    def follow(self, policy: Any) -> None:
        """Count the phases of this policy's steps."""
        if self._wrapped:
            return
        self._wrapped = True
        for owner, name, label in (
            (policy, "transfer_batch_to_device", "copy to the GPU"),
            (policy, "_prepare", "normalize"),
            (policy.lerobot_policy, "forward", "forward"),
            (policy, "backward", "backward"),
            (policy, "configure_gradient_clipping", "clip"),
            (policy, "log", "log"),
            (policy, "log_dict", "log"),
        ):
            setattr(owner, name, self._timed(getattr(owner, name), label))

    def count(self) -> None:
        """A step has ended."""
        if self.on:
            self.steps += 1
            self.end = time.perf_counter()

    def _timed(self, function: Any, label: str) -> Any:
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.of(label):
                return function(*args, **kwargs)

        return timed

    @contextlib.contextmanager
    def of(self, label: str) -> Iterator[None]:
        """Add what happens inside to a phase."""
        if not self.on:
            yield
            return
        _synchronize()
        begun = time.perf_counter()
        try:
            yield
        finally:
            _synchronize()
            self.seconds[label] = self.seconds.get(label, 0.0) + time.perf_counter() - begun

    def begin(self, policy: Any) -> None:
        """From here on."""
        self.on = True
        self.at = time.perf_counter()
        self.loader = policy.trainer.train_dataloader
        self.waited = self.loader.waited

    def table(self) -> dict[str, float]:
        """Milliseconds a step of each phase, and of the whole."""
        if not self.steps:
            return {}
        found = {**self.seconds, "wait for data": self.loader.waited - self.waited, "whole step": self.end - self.at}
        return {label: 1000 * seconds / self.steps for label, seconds in found.items()}


def train_theirs(work: Path, case: Case, out: Path) -> dict[str, Any]:
    """Train with lerobot-train's own function; it is left when all steps are timed."""
    from accelerate.state import AcceleratorState
    from lerobot.scripts import lerobot_train

    words = lerobot_words(work, case, out)
    pace = Pace(case.steps)
    waits: list[float] = []
    original = lerobot_train.update_policy

    def update_policy(tracker: Any, *args: Any, **kwargs: Any) -> Any:
        result = original(tracker, *args, **kwargs)
        waits.append(tracker.dataloading_s.val)
        if pace.step() == "end":
            raise Enough
        return result

    _reset_peak()
    AcceleratorState._reset_state(reset_partial_state=True)
    lerobot_train.update_policy = update_policy
    sys.argv = ["lerobot-train", *words]
    try:
        lerobot_train.main()
    except Enough:
        pass
    finally:
        lerobot_train.update_policy = original
    return pace.result(case.batch, sum(waits[-pace.steps :]))


def run_out_of_memory(work: Path, case: Case, out: Path) -> dict[str, Any]:
    """A batch that no card holds: what the user is told."""
    from getiaction.train.run import train

    case.batch = 1000
    recipe = recipe_of(work, case, precision="32-true")
    try:
        train(recipe, recipe_name="oom", recipe_text=json.dumps(recipe), output_dir=out, quiet=True)
    except Exception as error:
        return {"said": f"{type(error).__name__}: {error}; hint: {getattr(error, 'hint', '')}"}
    return {"said": "it fitted"}


def side(work: Path, options: argparse.Namespace) -> None:
    """A process that trains what it is told on standard input, so that its imports count once."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    begun = time.perf_counter()
    if options.side == "theirs":
        if DEVICE == "cuda":
            os.environ["ACCELERATE_MIXED_PRECISION"] = "bf16"
        import lerobot.scripts.lerobot_train  # noqa: F401
    else:
        import getiaction.data.lerobot
        import getiaction.policies.lerobot
        import getiaction.train.run  # noqa: F401
    print(json.dumps({"imported": time.perf_counter() - begun}), file=answers, flush=True)
    for line in sys.stdin:
        name, _, what = line.strip().partition(" ")
        case, out = cases(DEVICE, work)[name], work / f"{name}-{options.side}{what}"
        do = {"": train_theirs if options.side == "theirs" else train_ours, "oom": run_out_of_memory}[what]
        try:
            found = do(work, case, out)
        except Exception as error:
            found = {"error": _short(error)}
        _free()
        print(json.dumps(found), file=answers, flush=True)


class Side:
    """One of the two tools, in a process of its own."""

    def __init__(self, name: str, words: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--side", name, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )

    def ask(self, line: str, limit: float) -> dict[str, Any]:
        """Its answer; an empty line asks for nothing, and hears that it has started."""
        timer = threading.Timer(limit, self.process.kill)
        timer.start()
        try:
            assert self.process.stdin is not None and self.process.stdout is not None
            if line:
                self.process.stdin.write(f"{line}\n")
                self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            timer.cancel()
        return json.loads(answer) if answer else {"error": f"failed, or took longer than {limit:.0f} s"}


def speed(work: Path, options: argparse.Namespace) -> None:
    """Both tools in turn, in two processes that have imported everything; then a batch that is too large."""
    words = ["--device", DEVICE, "--work", str(work)]
    ours, theirs = Side("ours", words), Side("theirs", words)
    started = [each.ask("", 120).get("imported", 0.0) for each in (ours, theirs)]
    print(f"\nimports: getiaction {started[0]:.1f} s, lerobot-train {started[1]:.1f} s (at the same time)")
    table(
        "policy, batch",
        "samples/s, getiaction",
        "lerobot-train",
        "ratio",
        "first step after",
        "lerobot-train",
        "waiting for data",
        "lerobot-train",
        "peak GPU memory, GiB",
        "lerobot-train",
    )
    phases: dict[str, dict[str, float]] = {}
    limit = LIMIT_OF_RUN if DEVICE == "cuda" else 1000
    for name in options.policies:
        case = cases(DEVICE, work)[name]
        a, b = (each.ask(name, limit) for each in (ours, theirs))
        phases[name] = a.get("phases", {})
        ratio = f"{a['rate'] / b['rate']:.2f}" if "rate" in a and "rate" in b else ""
        cells = [
            [f"{each['rate']:,.1f}", f"{each['first']:.1f} s", f"{each['waited']:.0%}", f"{each['memory']:.2f}"]
            if "rate" in each
            else [each["error"], "", "", ""]
            for each in (a, b)
        ]
        ours_first, theirs_first = cells
        row(
            f"{name}, {case.batch}",
            ours_first[0],
            theirs_first[0],
            ratio,
            *(cell for pair in zip(ours_first[1:], theirs_first[1:], strict=True) for cell in pair),
        )
    table("getiaction, milliseconds a step by phase (the GPU is waited for around each)", "")
    for name, found in phases.items():
        row(name, ", ".join(f"{label} {milliseconds:.1f}" for label, milliseconds in found.items()))
    if DEVICE == "cuda" and "act" in options.policies:
        table("an out-of-memory error on purpose", "")
        row(
            "ACT, batch 1000 of 480x640, 32-true",
            ours.ask("act oom", LIMIT_OF_RUN).get("said", "failed").replace("|", "¦"),
        )
    for each in (ours, theirs):
        each.process.kill()


def _peak() -> float:
    import torch

    return torch.cuda.max_memory_allocated() / 2**30 if DEVICE == "cuda" else 0.0


def _reset_peak() -> None:
    import torch

    _free()
    if DEVICE == "cuda":
        torch.cuda.reset_peak_memory_stats()


def compiled(work: Path, options: argparse.Namespace) -> None:
    """torch.compile of the network, on and off, in one process; data comes from the frame store."""
    import torch

    from getiaction.policies.lerobot import LeRobotPolicy

    table("policy, batch", "samples/s", "torch.compile", "ratio", "compiled in")
    for name in options.policies:
        case = cases(DEVICE, work)[name]
        paces: list[float] = []
        spent = 0.0
        try:
            for compile_it in (False, True):
                timer = _StepTimer(case.batch, warm=8, compile_it=compile_it)
                policy = LeRobotPolicy(case.name, config_kwargs=case.config)
                precision = "bf16-mixed" if DEVICE == "cuda" else "32-true"
                trainer(work, 8 + min(case.steps, 40), timer, precision=precision).fit(
                    policy, datamodule=datamodule(work, case.dataset, case.batch)
                )
                paces.append(timer.pace)
                spent = timer.warm_seconds
                del policy
                _free()
            row(
                f"{name}, {case.batch}",
                f"{paces[0]:,.1f}",
                f"{paces[1]:,.1f}",
                f"{paces[1] / paces[0]:.2f}",
                f"{spent:.1f} s",
            )
        except Exception as error:
            row(f"{name}, {case.batch}", *[f"{pace:,.1f}" for pace in paces], _short(error))
            torch._dynamo.reset()


def _StepTimer(batch: int, warm: int, compile_it: bool) -> Any:  # noqa: N802
    import lightning as L
    import torch

    class StepTimer(L.Callback):
        """Times the steps after the first `warm` ones; compiles the network first, where asked."""

        pace = 0.0
        warm_seconds = 0.0

        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
            if compile_it:
                network = network_of(pl_module.lerobot_policy)
                network.forward = torch.compile(network.forward)
            self.begun = time.perf_counter()

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == warm:
                _synchronize()
                self.warm_seconds = time.perf_counter() - self.begun
                self.begun = time.perf_counter()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            _synchronize()
            self.pace = (trainer.global_step - warm) * batch / (time.perf_counter() - self.begun)

    return StepTimer()


def network_of(policy: Any) -> Any:
    """What is worth compiling of LeRobot's policy: what its own `compile_model` compiles, or the whole network."""
    if policy.config.type == "diffusion":
        return policy.diffusion.unet
    return policy.vqbet if policy.config.type == "vqbet" else policy.model


# The same numbers ----------------------------------------------------------------------------------------------------


def parity(work: Path, options: argparse.Namespace) -> None:
    """Five steps on the CPU and on the GPU, in float32, with the same weights, batches and random numbers."""
    import torch

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    table("policy", "losses on the CPU", f"on {DEVICE}", "largest relative difference")
    for name in options.policies:
        try:
            found = [_losses(work, name, device) for device in ("cpu", DEVICE)]
        except Exception as error:
            row(name, _short(error))
            continue
        difference = max(abs(a - b) / max(abs(a), 1e-9) for a, b in zip(*found, strict=True))
        row(name, *(" ".join(f"{loss:.4f}" for loss in losses) for losses in found), f"{difference:.1e}")


def _losses(work: Path, name: str, device: str) -> list[float]:
    import lightning as L
    import tiny_policies
    import torch

    from getiaction.policies.lerobot import LeRobotPolicy

    global DEVICE
    small = cases("cpu", work / "tiny-hub")[name].config
    kept, DEVICE = DEVICE, device
    try:
        L.seed_everything(1, verbose=False)
        torch.set_num_threads(2)
        watch = tiny_policies.Watch()
        policy = LeRobotPolicy(name, learning_rate=1e-3, config_kwargs=small)
        with _random_numbers_of_the_cpu():
            trainer(work, 5, watch, _NoDropout()).fit(policy, datamodule=datamodule(work, "tiny", 4))
    finally:
        DEVICE = kept
    return watch.losses


def _NoDropout() -> Any:  # noqa: N802
    import lightning as L
    import torch

    class NoDropout(L.Callback):
        """Dropout draws on the GPU, in kernels that nothing can intercept."""

        def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
            for module in pl_module.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.p = 0.0
                if isinstance(module, torch.nn.MultiheadAttention):
                    module.dropout = 0.0

    return NoDropout()


@contextlib.contextmanager
def _random_numbers_of_the_cpu() -> Iterator[None]:
    """Draw every random tensor on the CPU, and move it where it was asked for."""
    import torch
    from torch.overrides import TorchFunctionMode

    made = {torch.randn, torch.rand, torch.randint, torch.normal}
    like = {torch.randn_like: torch.randn, torch.rand_like: torch.rand}
    inside = {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.random_}

    class OnCpu(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            kwargs = dict(kwargs or {})
            if func in made:
                device = kwargs.pop("device", None)
                drawn = func(*args, **kwargs)
                return drawn if device is None else drawn.to(device)
            if func in like:
                as_given = args[0]
                kwargs.setdefault("dtype", as_given.dtype)
                device = kwargs.pop("device", None) or as_given.device
                return like[func](as_given.shape, **kwargs).to(device)
            if func in inside and args[0].device.type != "cpu":
                return args[0].copy_(func(torch.empty(args[0].shape, dtype=args[0].dtype), *args[1:], **kwargs))
            return func(*args, **kwargs)

    with OnCpu():
        yield


def resume(work: Path, options: argparse.Namespace) -> None:
    """Twenty steps at once, and ten and ten, in the run folders that `getiaction train` makes."""
    import tiny_policies
    import torch
    import yaml

    from getiaction.train.run import train

    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    table("20 steps against 10 and 10", "largest difference of a weight", "of a logged loss")
    data = dataset(work, "tiny")
    for name in [name for name in ("act",) if name in options.policies]:
        for deterministic in (False, True):
            recipe = {
                "seed": 1,
                "model": {
                    "class_path": "getiaction.policies.lerobot.LeRobotPolicy",
                    "init_args": {"policy_name": name, "config_kwargs": tiny_policies.CONFIGS[name]},
                },
                "data": {
                    "class_path": "getiaction.data.lerobot.LeRobotDataModule",
                    "init_args": {"repo_id": "made/tiny", "root": str(data), "train_batch_size": 4, "num_workers": 0},
                },
                "trainer": {"accelerator": DEVICE, "devices": 1, "max_steps": 20, "log_every_n_steps": 1},
            }
            if DEVICE == "cuda":
                recipe["trainer"]["precision"] = "bf16-mixed"
            recipe["trainer"]["deterministic"] = "warn" if deterministic else False
            label = f"{name}{', deterministic' if deterministic else ''}"
            try:
                folders = [work / f"resume-{name}-{deterministic}-{part}" for part in ("whole", "parts")]
                for folder, parts in zip(folders, ((20,), (10, 20)), strict=True):
                    for steps in parts:
                        recipe["trainer"]["max_steps"] = steps
                        again = {"resume": folder} if folder.exists() else {"output_dir": folder}
                        train(recipe, recipe_name="gpu", recipe_text=yaml.safe_dump(recipe), quiet=True, **again)
                whole, parts = (
                    torch.load(folder / "checkpoints/last.ckpt", map_location="cpu", weights_only=True)["state_dict"]
                    for folder in folders
                )
                off = max(
                    float((whole[key].float() - parts[key].float()).abs().max()) for key in whole if whole[key].numel()
                )
                logged = [_logged(folder) for folder in folders]
                losses = max(abs(a - b) for a, b in zip(*logged, strict=True))
                row(label, "0, bit for bit" if off == 0 else f"{off:.1e}", f"{losses:.1e}")
            except Exception as error:
                row(label, _short(error))


def _logged(folder: Path) -> list[float]:
    import csv

    with (folder / "metrics.csv").open() as file:
        return [float(line["train/loss"]) for line in csv.DictReader(file) if line.get("train/loss")]


# Memory --------------------------------------------------------------------------------------------------------------


def memory(work: Path, options: argparse.Namespace) -> None:
    """Peak memory at three batch sizes, beside what `validate-config --measure` predicts."""
    import torch

    from getiaction.policies.lerobot import LeRobotPolicy
    from getiaction.spec.memory import Setting
    from getiaction.train.memory import need_of

    table(
        "policy",
        "parameters (trained)",
        "batch",
        "weights, optimizer, GiB",
        "activations and gradients, GiB",
        "predicted, GiB",
        "peak of tensors, GiB",
        "predicted / peak",
        "taken from the card, GiB",
    )
    for name in options.policies:
        case = cases(DEVICE, work)[name]
        try:
            need = need_of(recipe_of(work, case))
            for batch in (case.batch // 4 or 1, case.batch // 2 or 1, case.batch):
                predicted = need.peak(batch, Setting(gpu=DEVICE == "cuda")) / 2**30
                measured, taken = "", ""
                if DEVICE == "cuda":
                    policy = LeRobotPolicy(case.name, config_kwargs=case.config)
                    torch.cuda.reset_peak_memory_stats()
                    free = torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved()
                    steps = 8 if name == "vqbet" else 3
                    trainer(work, steps, precision="bf16-mixed").fit(
                        policy, datamodule=datamodule(work, case.dataset, batch)
                    )
                    peak = torch.cuda.max_memory_allocated() / 2**30
                    measured, taken = f"{peak:.2f}", f"{(free - torch.cuda.mem_get_info()[0]) / 2**30:.2f}"
                    del policy
                    _free()
                row(
                    name,
                    f"{need.parameters / 1e6:.1f} M ({need.trained / 1e6:.1f} M)",
                    str(batch),
                    f"{need.held / 2**30:.2f}",
                    f"{need.activations(batch) / 2**30:.2f}",
                    f"{predicted:.2f}",
                    measured,
                    f"{predicted / float(measured):.2f}" if measured else "needs a GPU",
                    taken,
                )
        except Exception as error:
            row(name, _short(error))


# The machine, and the parts ------------------------------------------------------------------------------------------


def machine(work: Path, options: argparse.Namespace) -> None:
    """What it ran on, and how fast that is by itself."""
    import platform
    from importlib.metadata import version

    import torch

    table("machine", "")
    row("processor", f"{os.cpu_count()} cores, {platform.machine()}, load {os.getloadavg()[0]:.1f}")
    row("python, torch", f"{platform.python_version()}, {torch.__version__}")
    packages = ("lightning", "lerobot", "transformers", "accelerate", "numpy", "av")
    row("packages", ", ".join(f"{name} {version(name)}" for name in packages))
    for folder in {str(work.parent), "/tmp"}:
        with tempfile.TemporaryFile(dir=folder) as file:
            begun = time.perf_counter()
            file.write(os.urandom(2**20) * 256)
            os.fsync(file.fileno())
            row(f"writing to {folder}", f"{256 / (time.perf_counter() - begun):,.0f} MiB/s")
    if DEVICE == "cuda":
        facts = torch.cuda.get_device_properties(0)
        row(
            "card", f"{facts.name}, {facts.total_memory / 2**30:.1f} GiB, {facts.multi_processor_count} multiprocessors"
        )
        row("CUDA, cuDNN", f"{torch.version.cuda}, {torch.backends.cudnn.version()}")
        a = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
        for _ in range(3):
            a @ a
        _synchronize()
        begun = time.perf_counter()
        for _ in range(10):
            a @ a
        _synchronize()
        row("bfloat16 product of 8192x8192", f"{10 * 2 * 8192**3 / (time.perf_counter() - begun) / 1e12:.0f} TFLOP/s")


def data(work: Path, options: argparse.Namespace) -> None:
    """The datasets that the other parts train on."""
    table("dataset", "written in")
    for name in ("wide", "small") if DEVICE == "cuda" else ("small",):
        begun = time.perf_counter()
        dataset(work, name)
        row(name, f"{time.perf_counter() - begun:.1f} s")


def _synchronize() -> None:
    import torch

    if DEVICE == "cuda":
        torch.cuda.synchronize()


def _free() -> None:
    import gc

    import torch

    gc.collect()
    if DEVICE == "cuda":
        torch.cuda.empty_cache()


def _short(error: BaseException) -> str:
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}".replace("|", "¦")


PARTS: dict[str, Callable[[Path, argparse.Namespace], None]] = {
    "machine": machine,
    "data": data,
    "parity": parity,
    "resume": resume,
    "speed": speed,
    "memory": memory,
    "compile": compiled,
}
DEVICE = "cuda"


class Part:
    """One part in a process of its own; its output is printed as it comes, or at its end when others run beside it."""

    def __init__(self, name: str, words: list[str], limit: float, at_once: bool, keep: Callable[..., None]) -> None:
        self.name, self.limit, self.at_once, self.keep = name, limit, at_once, keep
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--part", name, *words],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            errors="replace",
            env={**os.environ, **ENVIRONMENT},
            start_new_session=True,
        )
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    def _follow(self) -> None:
        begun = time.monotonic()
        timer = threading.Timer(self.limit, self._stop)
        timer.start()
        lines: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if self.at_once:
                self.keep(line)
            else:
                lines.append(line)
        code = self.process.wait()
        timer.cancel()
        self.log.seek(0)
        logged = self.log.read()
        spent = time.monotonic() - begun
        end = f"\n({self.name}: {spent:.0f} s)\n"
        if code:
            said = " / ".join(logged.strip().splitlines()[-6:])[-900:]
            why = f"stopped after {spent:.0f} s" if spent >= self.limit else f"failed after {spent:.0f} s: {said}"
            end = f"\n({self.name}: {why})\n"
        self.keep("".join(lines) + end, logged)

    def _stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # with the processes that it started


def main() -> None:
    global DEVICE
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--only", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--policies", nargs="*", choices=POLICIES, default=list(POLICIES))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for everything")
    parser.add_argument(
        "--out", type=Path, help="a file that gets the same text; beside it a .log of what the libraries said"
    )
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    DEVICE = options.device
    if options.side:
        side(options.work, options)
        return
    if options.part:
        PARTS[options.part](options.work, options)
        return
    begun = time.monotonic()

    def keep(text: str, logged: str = "") -> None:
        print(text, end="", flush=True)
        for path, what in ((options.out, text), (options.out and options.out.with_suffix(".log"), logged)):
            if path and what:
                with path.open("a") as file:
                    file.write(what)

    with tempfile.TemporaryDirectory(prefix="getiaction-gpu-", ignore_cleanup_errors=True) as folder:
        os.environ |= {"GETIACTION_CACHE": f"{folder}/cache", "HF_HOME": f"{folder}/hf"}
        words = ["--device", options.device, "--work", folder, "--policies", *options.policies]
        for names in TOGETHER:
            wanted = [name for name in names if name in options.only]
            left = options.seconds - (time.monotonic() - begun)
            if wanted and left < 15:
                keep(f"\n({', '.join(wanted)}: no time left)\n")
                continue
            parts = [Part(name, words, min(LIMITS[name], left), len(wanted) == 1, keep) for name in wanted]
            for part in parts:
                part.thread.join()
    keep(f"\n({time.monotonic() - begun:.0f} s in all)\n")


if __name__ == "__main__":
    main()
