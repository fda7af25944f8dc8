"""Measures what a training step needs, with tensors that have shapes and no contents.

The recipe's policy is built under torch's `FakeTensorMode`, so that neither its weights nor its activations take memory
and nothing is computed; forward and backward pass run as they would, and the storages that are alive after each
operation are counted. Two batch sizes give, moment by moment, a constant and a number of bytes per sample: every
operation's memory is linear in the batch. Batches of two and three samples are used because some operations do
without a copy for a batch of one.
"""

from __future__ import annotations

import contextlib
import gc
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map_only
from torch.utils.flop_counter import flop_registry

from getiaction.errors import TrainingError
from getiaction.lerobot import datasets
from getiaction.lerobot.errors import first_line
from getiaction.policies.lerobot import LeRobotPolicy
from getiaction.spec import facts, memory
from getiaction.spec.memory import Need
from getiaction.train import build

SIZES = (2, 3)
_MIXED = ("bf16-mixed", "16-mixed", "16", "bf16")
_WHOLE = {"bf16-true": torch.bfloat16, "16-true": torch.float16, "64-true": torch.float64}


def need_of(recipe: Mapping[str, Any]) -> Need:
    """What a step of this recipe's training needs, measured or from the cache.

    Reads the dataset's metadata, no frames, and of a pretrained policy its configuration and processors, no weights.

    Args:
        recipe: the recipe as plain values.

    Raises:
        TrainingError: the policy can't be built, or does something that needs the contents of tensors.
    """
    data: Any = build.data(dict(recipe))
    _, meta = data.find()
    name = memory.cache_key(recipe, meta.features, meta.fps)
    if found := memory.load(name):
        return found
    policy = build.policy(dict(recipe))
    stats = datasets.training_stats(meta, data.use_imagenet_stats)
    config = policy.configure_for(meta)
    timing = datasets.resolve_delta_timestamps(config, meta) or {}
    tasks = [str(task) for task in meta.tasks.index] if meta.tasks is not None and len(meta.tasks) else ["task"]
    precision = str((recipe.get("trainer") or {}).get("precision") or "32-true")
    try:
        need = measure(policy, meta, stats, timing, max(tasks, key=len), precision)
    except TrainingError:
        raise
    except Exception as error:  # anything a policy's own code does with tensors that have no contents
        raise TrainingError(f"{policy.policy_name} can't be measured: {first_line(error)}") from error
    memory.store(name, need)
    return need


def measure(
    policy: LeRobotPolicy,
    meta: Any,
    stats: Any,
    timing: Mapping[str, Sequence[float]],
    task: str,
    precision: str,
) -> Need:
    """Build an unbuilt policy without contents, and count.

    Args:
        policy: its parameters; it has no use afterwards.
        meta: the dataset's metadata.
        stats: the statistics that it normalizes by.
        timing: seconds per key, as the data module derives them.
        task: the text that a sample comes with.
        precision: the trainer's.
    """
    # Entering that mode registers a GPU that is not there. The first backward pass starts a thread for each GPU, and a
    # process with such threads can't be forked to train: let the first one come before.
    torch.zeros((), requires_grad=True).backward()
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    with _replacing_parameters():
        policy.build_without_weights(meta, stats, _all(fake, _Contents()))
    model: Any = policy.lerobot_policy
    with _replacing_parameters(), fake:
        if dtype := _WHOLE.get(precision):
            model.to(dtype)
        if first := facts.value(str(policy.policy_name), "first_phase"):
            skip_first_phase(model, first)
        model.train()
    lines, raw, operations, flops = [], 0, 0, 0.0
    for size in SIZES:
        batch = raw_batch(meta, timing, task, size)
        raw = storage_bytes(batch) // size
        prepared = policy._prepare(batch)
        with fake:
            hollow = tree_map_only(torch.Tensor, fake.from_tensor, dict(prepared))
        line, operations, flops = _step(policy, model, hollow, fake, precision)
        lines.append(line)
        flops /= size
    with fake, _Contents():
        optimizer = model.config.get_optimizer_preset().build(model.get_optim_params())
        optimizer.step()
        held = storage_bytes(list(optimizer.state.values()))
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = storage_bytes(trained)
    return Need(
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained=sum(parameter.numel() for parameter in trained),
        weights=storage_bytes([*model.parameters(), *model.buffers()]),
        gradients=gradients,
        largest_tensor=max((parameter.numel() * parameter.element_size() for parameter in trained), default=0),
        optimizer=held,
        average=gradients if policy.averaging else 0,
        moments=envelope(*lines, each=raw),
        flops=flops,
        operations=operations,
    )


def envelope(first: Sequence[int], second: Sequence[int], *, each: int = 0) -> tuple[tuple[float, float], ...]:
    """The moments of two steps that are the peak for some batch size of at least one.

    Args:
        first: bytes after each operation with a batch of `SIZES[0]`.
        second: the same with a batch of `SIZES[1]`.
        each: bytes per sample to add to all of them.
    """
    if len(first) != len(second):  # other operations for another batch: only the peaks can be compared
        first, second = [max(first)], [max(second)]
    apart = SIZES[1] - SIZES[0]
    slopes = [max(0.0, (b - a) / apart) for a, b in zip(first, second, strict=True)]
    most: dict[float, float] = {}
    for at, slope in zip(first, slopes, strict=True):
        constant = at - slope * SIZES[0]
        most[slope] = max(most.get(slope, constant), constant)
    found: list[tuple[float, float]] = []
    for slope, constant in sorted(most.items()):
        while found and (
            _crossing(found[-1], (constant, slope)) <= 1
            or (len(found) > 1 and _crossing(found[-2], (constant, slope)) <= _crossing(found[-2], found[-1]))
        ):
            found.pop()
        found.append((constant, slope))
    return tuple((constant, slope + each) for constant, slope in found)


def _crossing(flat: tuple[float, float], steep: tuple[float, float]) -> float:
    """The batch size from which the steeper line is the higher one."""
    return (flat[0] - steep[0]) / (steep[1] - flat[1])


def _step(
    policy: LeRobotPolicy, model: Any, batch: dict[str, Any], fake: FakeTensorMode, precision: str
) -> tuple[list[int], int, float]:
    """Bytes alive after each operation of forward and backward beside the weights, their number, and the FLOPs."""
    model.zero_grad(set_to_none=True)
    gc.collect()
    live = _LiveBytes()
    for tensor in (*model.parameters(), *model.buffers()):
        live.add(tensor)
    weights = live.now
    for tensor in tree_iter(batch):
        live.add(tensor)
    mixed = precision in _MIXED or (precision in ("32", "32-true") and policy.uses_bfloat16)
    with fake, _Contents(), live:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            loss, _ = model.forward(batch)
        loss.backward()
    return [now - weights for now in live.line], len(live.line), live.flops


class _LiveBytes(TorchDispatchMode):
    """Counts the bytes of the storages that are alive, after each operation, and the FLOPs.

    Torch's own counter of FLOPs follows modules, and so keeps tensors alive that gradient checkpointing frees.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now, self.flops = 0, 0.0
        self.line: list[int] = []
        self._sizes: dict[int, int] = {}

    def add(self, tensor: Any) -> None:
        """Count a tensor's storage, once, until it is freed."""
        if not isinstance(tensor, torch.Tensor):
            return
        storage = tensor.untyped_storage()
        if storage._cdata not in self._sizes:
            self._sizes[storage._cdata] = storage.nbytes()
            self.now += storage.nbytes()
            weakref.finalize(storage, self._freed, storage._cdata)

    def _freed(self, which: int) -> None:
        self.now -= self._sizes.pop(which, 0)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in tree_iter(out):
            self.add(tensor)
        self.line.append(self.now)
        if count := flop_registry.get(func._overloadpacket):
            self.flops += float(count(*args, **(kwargs or {}), out_val=out))
        return out


class _Contents(TorchDispatchMode):
    """Answers what only contents can tell: numbers beside a loss (`item`), and masks, which are taken as all true."""

    _INDEXED = (
        torch.ops.aten.index.Tensor,
        torch.ops.aten.index_put.default,
        torch.ops.aten.index_put_.default,
    )

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            dtype = args[0].dtype
            return True if dtype is torch.bool else 0.5 if dtype.is_floating_point else 0
        if func is torch.ops.aten.nonzero.default:
            return args[0].new_zeros((args[0].numel(), args[0].ndim), dtype=torch.int64)
        if func in self._INDEXED:
            args = (args[0], [place for index in args[1] for place in _places(index)], *args[2:])
        return func(*args, **(kwargs or {}))


def _places(index: Any) -> list[Any]:
    """An index without masks: all the places that a mask could choose, by dimension."""
    if not isinstance(index, torch.Tensor) or index.dtype is not torch.bool:
        return [index]
    return [index.new_zeros(index.numel(), dtype=torch.int64) for _ in range(index.ndim)]


@contextlib.contextmanager
def _all(*contexts: Any) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for context in contexts:
            stack.enter_context(context)
        yield


@contextlib.contextmanager
def _replacing_parameters() -> Iterator[None]:
    """While it lasts, `Module.to` replaces parameters; torch's own can't exchange the contents of fake ones."""
    original = torch.nn.Module._apply

    def apply(self: torch.nn.Module, fn: Any, recurse: bool = True) -> torch.nn.Module:
        done: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}  # tied weights stay tied

        def changed(tensor: torch.Tensor) -> torch.Tensor:
            if id(tensor) not in done:
                with torch.no_grad():
                    new = fn(tensor)
                if (new.dtype, new.device) == (tensor.dtype, tensor.device):
                    new = tensor
                elif isinstance(tensor, torch.nn.Parameter):
                    new = torch.nn.Parameter(new, tensor.requires_grad)
                done[id(tensor)] = (tensor, new)
            return done[id(tensor)][1]

        for module in self.modules() if recurse else [self]:
            tables: tuple[dict[str, Any], ...] = (module._parameters, module._buffers)
            for table in tables:
                table.update({name: changed(tensor) for name, tensor in table.items() if tensor is not None})
        return self

    torch.nn.Module._apply = apply  # type: ignore[method-assign]
    try:
        yield
    finally:
        torch.nn.Module._apply = original  # type: ignore[method-assign]


def skip_first_phase(model: Any, parameter: str) -> None:
    """Bring VQ-BeT into its second phase, which needs more: the first trains its codebook alone."""
    setattr(model.config, parameter, 0)
    for module in model.modules():
        if "discretized" in module._buffers:
            module._buffers["discretized"] = torch.tensor(True)


def raw_batch(meta: Any, timing: Mapping[str, Sequence[float]], task: str, size: int) -> dict[str, Any]:
    """A raw batch as the data module collates it, of zeros."""
    batch: dict[str, Any] = {"task": [task] * size}
    for key, feature in meta.features.items():
        shape = [int(side) for side in feature["shape"]]
        moments = timing.get(key)
        window = [] if moments is None else [len(moments)]
        if moments is not None:
            batch[f"{key}_is_pad"] = torch.zeros(size, len(moments), dtype=torch.bool)
        if feature["dtype"] in ("image", "video"):
            names = list(feature.get("names") or ())
            if names[-1:] in (["channels"], ["channel"], ["c"]) or shape[0] not in (1, 3):
                shape = [shape[-1], *shape[:-1]]
            batch[key] = torch.zeros(size, *window, *shape, dtype=torch.uint8)
        elif feature["dtype"] != "string":
            dtype = torch.int64 if "int" in feature["dtype"] else torch.float32
            dtype = torch.bool if feature["dtype"] == "bool" else dtype
            batch[key] = torch.zeros(
                size, *window, *([] if shape == [1] and "int" in feature["dtype"] else shape), dtype=dtype
            )
    return batch


def storage_bytes(tensors: Any) -> int:
    """Bytes of the storages of tensors in any structure, each counted once."""
    storages = {}
    for tensor in tree_iter(tensors):
        if isinstance(tensor, torch.Tensor):
            storage = tensor.untyped_storage()
            storages[storage._cdata] = storage.nbytes()
    return sum(storages.values())
