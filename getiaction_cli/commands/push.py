"""`getiaction push RUN USER/NAME`: upload a trained policy to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from getiaction_cli.commands.arguments import note
from getiaction_cli.errors import RunFailed, UsageError
from getiaction_cli.units import plural


def push(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run folder or a pretrained_model folder.")],
    repo: Annotated[str, typer.Argument(metavar="USER/NAME", help="The repository; made if it does not exist.")],
    private: Annotated[
        bool | None,
        typer.Option("--private/--public", help="Who may see a new repository.", show_default="as your account says"),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, upload nothing.")] = False,
) -> None:
    """Upload a policy with its model card, so that `lerobot-eval --policy.path=USER/NAME` runs it.

    Weights, configuration, processors and the card are uploaded, nothing else of the run. The card, by LeRobot's
    template, says what was trained, on what data and with which evaluation.

    Exit codes: 0 uploaded, 2 usage error, 3 could not upload.
    """
    from getiaction import publishing
    from getiaction.errors import TrainingError
    from getiaction.evaluation import source
    from getiaction.spec.frame_loading import gigabytes
    from getiaction.spec.publishing import Upload, name_problem
    from getiaction.spec.run_folder import LIST_RUNS

    if wrong := name_problem(repo):
        raise UsageError(f"{repo}: {wrong}", "for example: getiaction push RUN me/act-pusht")
    upload = Upload(repo, private)
    try:
        found = source.find(run)
        if found.kind != "folder":
            raise UsageError(f"{run} is not a folder with a policy", LIST_RUNS)
        folder = Path(found.place)
        account = publishing.check(upload)
        if not (folder / publishing.CARD).is_file():
            _write_card(folder)
        evaluation = publishing.evaluation_of(found.recipe.parent) if found.recipe else ""
        listed = publishing.files(folder)
        size = sum(file.stat().st_size for file in listed)
        seen = {True: "private", False: "public", None: "public, unless your account's default is private"}[private]
        kept = "exists: a new commit is added" if account.exists else f"new, {seen}"
        note(f"{plural(len(listed), 'file')}, {gigabytes(size)}, to {repo} ({kept}):")
        for file in listed:
            note(f"  {file.name}")
        if dry_run:
            note("nothing was uploaded: this was a dry run")
            return
        url = publishing.push(folder, upload, evaluation)
    except TrainingError as error:
        raise RunFailed(error.message, error.hint) from error
    typer.echo(url)
    note(f"next: lerobot-eval --policy.path={repo} --env.type=ENV")


def _write_card(folder: Path) -> None:
    """The card of a folder that another trainer wrote: what its configuration says."""
    from getiaction_cli.commands.core import prepare_libraries

    prepare_libraries()
    from getiaction.lerobot import configuration, model_card

    name = str(configuration.pretrained_json(str(folder), "config.json", None).get("type"))
    values = configuration.pretrained_config_values(name, str(folder), None)
    values.pop("type", None)
    model_card.write(folder, configuration.make_config(name, values, "cpu"))
