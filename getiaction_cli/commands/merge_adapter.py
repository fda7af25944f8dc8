"""`getiaction merge-adapter RUN -o FOLDER`: a policy with its adapters merged into its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from getiaction_cli.errors import CliError, RunFailed, UsageError


def merge_adapter(
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="A run folder, a .ckpt, or a pretrained_model folder or Hub id.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="The merged policy's folder; must not exist.")
    ],
    revision: Annotated[
        str | None, typer.Option("--revision", metavar="REF", help="A tag, branch or commit of a Hub id.")
    ] = None,
) -> None:
    """Merge the adapters of a trained policy into its weights, and write an ordinary policy in LeRobot's format.

    The merged policy needs neither PEFT nor the policy that the adapters were trained on, and gives the same actions.

    Exit codes: 0 written, 2 usage error, 3 could not merge.
    """
    if output.exists():
        raise UsageError(f"{output} already exists", "choose another folder with --output")
    from getiaction_cli.commands.core import prepare_libraries

    prepare_libraries()
    from getiaction.errors import TrainingError
    from getiaction.evaluation import source
    from getiaction.evaluation.run import load

    try:
        policy = load(source.find(run), device="cpu", revision=revision)
        policy.merge_adapters()
        part = output.with_name(f".{output.name}.part")
        policy.save_pretrained(part)
        part.rename(output)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    except OSError as error:
        raise CliError(f"{output} can't be written: {error.strerror or error}") from error
    typer.echo(f"{output}: the adapters are merged into the weights (LeRobot's format)")
