"""`getiaction describe-machine`: this machine as JSON, for `validate-config --for-machine` elsewhere."""

from __future__ import annotations

import typer


def describe_machine() -> None:
    """Print what this machine has, as JSON: GPUs, memory, packages, cached weights, free disk space.

    On a compute node: getiaction describe-machine > gpu-node.json. Then, on any machine:
    getiaction validate-config recipe.yaml --for-machine gpu-node.json.
    """
    from getiaction_cli import machine_file

    typer.echo(machine_file.describe(), nl=False)
