"""What the tests of the rules share: a healthy machine, and the recipes of a rule's page."""

import re
from collections.abc import Callable

from getiaction_cli.diagnostics import Diagnostic
from getiaction_cli.environments import known_environments
from getiaction_cli.machine import Machine
from getiaction_cli.rules import Rule

# A machine on which nothing is missing for a small policy: what the pages of GA3xx are judged on.
HEALTHY = Machine(
    memory=64 * 10**9,
    shared_memory=32 * 10**9,
    packages={"diffusers": "0.38.0", "transformers": "5.5.0", "num2words": "0.5.14", "accelerate": "1.14.0"}
    | {"scipy": "1.15", "qwen-vl-utils": "0.0.14", "peft": "0.18.0", "torchdiffeq": "0.2.5"}
    | dict.fromkeys((name for each in known_environments().values() for name in each.packages), "1.0"),
    hub_token=True,
    wandb_key=True,
    free_space=lambda _: 10**13,
)

Judge = Callable[..., dict[str, Diagnostic]]


def block(rule: Rule, heading: str) -> str:
    """The recipe under one heading of a rule's page."""
    match = re.search(rf"^## {heading}\n.*?```yaml\n(.*?)^```", rule.page, re.DOTALL | re.MULTILINE)
    assert match, f"{rule.code} has no {heading}"
    return match[1]
