"""What a recipe asks of the machine, in plain numbers."""

from getiaction_cli.machine import Machine
from getiaction_cli.recipe import Recipe


def accelerator(asked: object, machine: Machine) -> str:
    """Return the accelerator that Lightning selects: "cuda", "mps", "cpu", …"""
    name = asked.lower().partition(":")[0] if isinstance(asked, str) else "auto"
    best = machine.accelerators()[0]
    if name == "auto":
        return best
    if name == "gpu":
        return best if best != "cpu" else "cuda"
    return name


def chosen(recipe: Recipe, machine: Machine) -> str:
    """Return the accelerator of this recipe."""
    return accelerator(recipe.trainer("accelerator", "auto"), machine)


def gigabytes(count: float) -> str:
    """Format bytes: "1.2 GB", "34 MB"."""
    return f"{count / 1e9:.3g} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
