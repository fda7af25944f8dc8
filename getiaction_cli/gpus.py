"""A table of GPUs for `--gpu`: memory, FLOP/s and bandwidth from datasheets."""

from __future__ import annotations

import re
from dataclasses import dataclass

from getiaction_cli.errors import UsageError


@dataclass(frozen=True)
class Card:
    """One GPU.

    Attributes:
        name: NVIDIA's name for it, or the requested amount of memory.
        memory: Bytes.
        flops: Floating point operations per second in bfloat16 (float16 on T4 and V100) with float32 accumulation,
            dense, on tensor cores, by the datasheet; None where only the memory is known.
        bandwidth: Bytes per second of its memory, by the datasheet; None where only the memory is known.
        source: The datasheet.
    """

    name: str
    memory: int
    flops: float | None = None
    bandwidth: float | None = None
    source: str = ""


_AMPERE, _ADA, _BLACKWELL = (
    f"NVIDIA {architecture} GPU architecture whitepaper" for architecture in ("Ampere GA102", "Ada", "RTX Blackwell")
)
# Name, memory in GiB, TFLOP/s, GB/s, source. Rates of datasheets that assume sparsity are halved.
CARDS = tuple(
    Card(name, gib << 30, teraflops * 1e12, gigabytes * 1e9, source)
    for name, gib, teraflops, gigabytes, source in (
        ("RTX 3080", 10, 59.5, 760, _AMPERE),
        ("RTX 3090", 24, 71.0, 936, _AMPERE),
        ("RTX 4080", 16, 97.5, 717, _ADA),
        ("RTX 4090", 24, 165.2, 1008, _ADA),
        ("RTX 5080", 16, 112.6, 960, _BLACKWELL),
        ("RTX 5090", 32, 209.5, 1792, _BLACKWELL),
        ("RTX A6000", 48, 154.8, 768, "NVIDIA RTX A6000 datasheet"),
        ("RTX 6000 Ada", 48, 364.2, 960, "NVIDIA RTX 6000 Ada datasheet"),
        ("T4", 16, 65.0, 300, "NVIDIA T4 datasheet"),
        ("V100 16GB", 16, 125.0, 900, "NVIDIA V100 datasheet"),
        ("V100 32GB", 32, 125.0, 900, "NVIDIA V100 datasheet"),
        ("A10", 24, 125.0, 600, "NVIDIA A10 datasheet"),
        ("L4", 24, 121.0, 300, "NVIDIA L4 datasheet"),
        ("L40S", 48, 362.0, 864, "NVIDIA L40S datasheet"),
        ("A100 40GB", 40, 312.0, 1555, "NVIDIA A100 datasheet"),
        ("A100 80GB", 80, 312.0, 2039, "NVIDIA A100 datasheet"),
        ("H100", 80, 989.0, 3350, "NVIDIA H100 datasheet (SXM)"),
        ("H200", 141, 989.0, 4800, "NVIDIA H200 datasheet"),
    )
)
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*g(?:i?b)?", re.IGNORECASE)
_MAX_MEMORY = 10_000  # gigabytes


def named(text: str) -> Card:
    """Return the card with this name ("RTX 4090", "nvidia h100") or amount of memory ("24GB").

    Raises:
        UsageError: no such card is in the table.
    """
    if match := _MEMORY.fullmatch(text.strip()):
        gigabytes = float(match[1])
        if 0 < gigabytes <= _MAX_MEMORY:
            return Card(f"{gigabytes:g} GB", int(gigabytes * 2**30))
    if found := find(text):
        return found
    names = ", ".join(card.name for card in CARDS)
    raise UsageError(f"--gpu {text!r} is not a known GPU", f"one of {names}; or its memory: --gpu 24GB")


def find(text: str) -> Card | None:
    """Return the card whose name is in a driver's text; the smaller one if there are variants with different memory."""
    given = set(re.findall(r"[a-z]+\d+\w*|\d+\w*|[a-z]+", text.lower().replace("geforce", "")))
    if given & {"ti", "super", "laptop", "pcie", "mobile"}:
        return None  # a card that differs from the table's
    best, most = None, 0
    for card in CARDS:
        parts = set(card.name.lower().split()) - {"rtx"}
        certain = {part for part in parts if not part.endswith("gb")}
        if certain <= given and len(parts & given) > most:
            best, most = card, len(parts & given)
    return best
