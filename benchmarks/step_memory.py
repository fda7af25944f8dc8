"""The predicted memory of a training step beside what torch's allocator counts, on the CPU.

    python benchmarks/step_memory.py                 # prints a table, five minutes, no network
    python benchmarks/step_memory.py --out FILE

The prediction is that of `validate-config --measure`. The truth is the peak of a real step (forward, backward,
optimizer) of the real policy: the bytes that it holds, and the allocations and frees that torch's profiler records.
The policies are a few numbers wide and have random weights; the pictures are 96x96.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "core")]

BATCHES = (4, 8, 16)
# What else may be set: averaged weights, gradient checkpointing, adapters on a pretrained policy.
EMA, CHECKPOINTED, ADAPTERS, WIDE = "ema", "gradient checkpointing", "adapters", "wide"
POLICIES = ("act", "diffusion", "vqbet", "smolvla")
EXTRAS = (
    f"act, {EMA}",
    f"diffusion, {WIDE}",
    f"diffusion, {WIDE}, {CHECKPOINTED}",
    f"smolvla, {ADAPTERS}",
    f"smolvla, {ADAPTERS}, {EMA}",
)


def recipe(name: str, work: Path) -> dict[str, Any]:
    """The recipe of one small policy on the demonstrations."""
    name, *extras = name.split(", ")
    given = _plain_recipe(name, work)
    arguments = given["model"]["init_args"]
    arguments["config_kwargs"] = dict(arguments["config_kwargs"])  # the tests have it too
    if WIDE in extras:  # else the pictures need more than the network of the actions, which is what is checkpointed
        arguments["config_kwargs"] |= {"down_dims": [128, 256], "n_groups": 8, "horizon": 256}
    if CHECKPOINTED in extras:
        arguments["config_kwargs"]["gradient_checkpointing"] = True
    if ADAPTERS in extras:
        base = work / f"{name} base"
        if not base.exists():
            _save(given, base)
        arguments |= {"pretrained_path": str(base), "peft": {"r": 4, "lora_alpha": 4}}
    if EMA in extras:
        arguments["ema"] = True
    return given


def _save(given: dict[str, Any], folder: Path) -> None:
    """Save the policy of a recipe with random weights, to begin with."""
    from getiaction.lerobot import datasets
    from getiaction.train import build

    data: Any = build.data(given)
    _, meta = data.find()
    policy = build.policy(given)
    policy.build(meta, datasets.training_stats(meta, data.use_imagenet_stats))
    policy.save_pretrained(folder)


def _plain_recipe(name: str, work: Path) -> dict[str, Any]:
    import tiny_hub
    import tiny_policies

    if name == "smolvla":
        small = {"num_vlm_layers": 2, "expert_width_multiplier": 0.5, "chunk_size": 4, "n_action_steps": 4}
        vlm = tiny_hub.smolvlm(work / "smolvlm")
        config = {**small, "vlm_model_name": str(vlm), "resize_imgs_with_padding": [64, 64]}
    else:
        config = tiny_policies.CONFIGS[name]
    place = "getiaction.policies.lerobot.LeRobotPolicy"
    data = {
        "class_path": "getiaction.data.lerobot.LeRobotDataModule",
        "init_args": {"repo_id": "getiaction/pusht-demo"},
    }
    return {
        "model": {"class_path": place, "init_args": {"policy_name": name, "config_kwargs": config}},
        "data": data,
        "trainer": {"accelerator": "cpu"},
    }


def real_peaks(given: dict[str, Any], batches: tuple[int, ...] = BATCHES) -> Iterator[int]:
    """Bytes of tensors at the peak of a real step, for each batch size."""
    from torch.profiler import ProfilerActivity, profile

    from getiaction.lerobot import datasets
    from getiaction.policies.averaging import AveragedWeights
    from getiaction.spec import facts
    from getiaction.train import build, memory

    data: Any = build.data(given)
    _, meta = data.find()
    policy = build.policy(given)
    timing = datasets.resolve_delta_timestamps(policy.configure_for(meta), meta) or {}
    policy.build(meta, datasets.training_stats(meta, data.use_imagenet_stats))
    model = policy.lerobot_policy.train()
    if first := facts.value(str(policy.policy_name), "first_phase"):
        memory.skip_first_phase(model, first)
    optimizer = model.config.get_optimizer_preset().build(model.get_optim_params())
    average = AveragedWeights(policy.averaging, model.named_parameters()) if policy.averaging else None

    def step(batch: dict[str, Any]) -> None:
        optimizer.zero_grad()
        loss, _ = model.forward(policy._prepare(batch))
        loss.backward()
        del loss
        optimizer.step()
        if average is not None:
            average.update()

    step(memory.raw_batch(meta, timing, "task", 2))  # the optimizer's numbers
    for size in batches:
        optimizer.zero_grad()
        gc.collect()
        batch = memory.raw_batch(meta, timing, "task", size)
        held = memory.storage_bytes([list(model.parameters()), list(model.buffers()), list(optimizer.state.values())])
        held += memory.storage_bytes([batch, average.tensors if average else {}])
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
            step(batch)
        events = [event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]"]
        now = peak = 0
        for event in sorted(events, key=lambda event: event.start_ns()):
            now += event.nbytes()
            peak = max(peak, now)
        yield held + peak


def compare(name: str, work: Path) -> Iterator[tuple[int, int, int]]:
    """(batch size, predicted bytes, real bytes) of one policy."""
    from getiaction.spec.memory import Setting
    from getiaction.train.memory import need_of

    given = recipe(name, work)
    need = need_of(given)
    for batch, real in zip(BATCHES, real_peaks(given), strict=True):
        yield batch, need.peak(batch, Setting(gpu=False)), real


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--policies", nargs="*", choices=(*POLICIES, *EXTRAS), default=(*POLICIES, *EXTRAS))
    options.add_argument("--out", type=Path, help="a file for the table")
    given = options.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"
    lines = ["| policy | batch | predicted, MB | peak, MB | predicted / peak |", "|---|---|---|---|---|"]
    print("\n".join(lines), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["GETIACTION_CACHE"] = folder
        for name in given.policies:
            for batch, predicted, real in compare(name, Path(folder)):
                cells = (name, str(batch), f"{predicted / 1e6:.1f}", f"{real / 1e6:.1f}", f"{predicted / real:.3f}")
                lines.append(f"| {' | '.join(cells)} |")
                print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
