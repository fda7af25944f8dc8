"""Read constants from the source of LeRobot's networks with regular expressions; nothing is imported.

The files are facts of the policy (`Facts.image_convolutions`, `Facts.action_spaces`).
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

from getiaction_cli.policies.catalog import lerobot_folder


@functools.cache
def convolutions(file: str) -> tuple[tuple[int, int], ...]:
    """The (kernel, stride) of each convolution of an image encoder, in order; empty if that can't be read.

    Args:
        file: the file of the network, below lerobot/policies/.
    """
    layers = re.search(r"self\.image_enc_layers = nn\.Sequential\(.*?dummy_shape", _text(file), re.DOTALL)
    found = re.findall(r"(\d+),\s*stride=(\d+)", layers[0]) if layers else []
    return tuple((int(kernel), int(stride)) for kernel, stride in found)


@functools.cache
def action_spaces(file: str) -> dict[str, int | None]:
    """The registered action spaces with their dimension; None if it is that of the dataset.

    Args:
        file: the file that registers them, below lerobot/policies/.
    """
    parts = re.split(r'^@register_action\("(\w+)"\)', _text(file), flags=re.MULTILINE)[1:]
    found: dict[str, int | None] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        # If the model's dimension differs from the robot's, REAL_DIM is the robot's.
        widths = dict(re.findall(r"^    (REAL_DIM|dim_action) = (\d+)", body, re.MULTILINE))
        width = widths.get("REAL_DIM") or widths.get("dim_action")
        found[name] = int(width) if width else None
    return found


def _text(file: str) -> str:
    path = (lerobot_folder() or Path("/nowhere")) / "policies" / file
    return path.read_text(encoding="utf-8") if path.is_file() else ""
