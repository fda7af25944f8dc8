"""How many parameters a recipe's policy has, that of the base model on this disk included."""

from __future__ import annotations

import math
from pathlib import Path

from getiaction.spec import facts
from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.analysis import checkpoint
from getiaction_cli.machine import safetensors_shapes
from getiaction_cli.policies import PolicyConfig, size


def parameters(policy: PolicyConfig) -> int | None:
    """Parameters of the model that is trained; None when that is not known.

    Where the policy starts from another base model than LeRobot's, it has the size of that one, read from the headers
    of its weights.

    Raises:
        Unavailable: the network is not the one that is counted: the installed LeRobot differs.
    """
    count = size.parameters(policy)
    entry = facts.of(policy.policy.name).get("billions", {})
    base = entry.get("of") or entry.get("part_of")
    if not base or policy.get(base) == policy.policy.fields[base].default:
        return count
    return _weights_of(checkpoint.find(str(policy.get(base)), hub_cache()).folder) if "of" in entry else None


def _weights_of(folder: Path | None) -> int | None:
    """The numbers in a model's weights; None where they are not here or can't be read."""
    try:
        files = sorted(folder.glob("*.safetensors")) if folder else []
        return sum(math.prod(shape) for file in files for shape in safetensors_shapes(file).values()) or None
    except (OSError, ValueError, TypeError):
        return None
