"""`getiaction frame-stores`: which decoded frames are kept on this machine, and deleting them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from getiaction_cli.commands.arguments import Format
from getiaction_cli.errors import CheckNotRun, UsageError
from getiaction_cli.rendering.json_text import json_text

if TYPE_CHECKING:
    from getiaction_cli.datasets.frame_stores import Store


def frame_stores(
    dataset: Annotated[
        list[str] | None, typer.Argument(metavar="[DATASET]...", help="Only these: ids or folders.", show_default=False)
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete them; name datasets, or use --gone or --all.")
    ] = False,
    gone: Annotated[bool, typer.Option("--gone", help="Only those whose dataset is no longer there.")] = False,
    all_: Annotated[bool, typer.Option("--all", help="Select all (with --delete).")] = False,
    path: Annotated[
        Path | None,
        typer.Option("--path", help="The folder that a recipe's frame_store.path names.", show_default=False),
    ] = None,
    output: Annotated[Format, typer.Option("--format", help="Output format.")] = Format.TEXT,
) -> None:
    """List the stores of decoded frames, or delete them.

    Training decodes the frames of a dataset once and keeps them, so that it never waits for them again. Deleting a
    store costs nothing but the time to decode it once more.
    """
    from getiaction.spec.frame_loading import frames_root
    from getiaction_cli.datasets.frame_stores import stores

    if delete and not (dataset or gone or all_):
        raise UsageError("delete which stores?", "getiaction frame-stores --delete lerobot/pusht, --gone or --all")
    if path is not None and not path.is_dir():
        raise CheckNotRun(f"there is no folder {path}")
    found = stores(path)
    unknown = [name for name in dataset or () if not any(_is(store, name) for store in found)]
    if unknown:
        raise CheckNotRun(f"no frames are kept of {', '.join(unknown)}", "`getiaction frame-stores` lists them")
    chosen = [
        store
        for store in found
        if (not dataset or any(_is(store, name) for name in dataset)) and (not gone or store.gone)
    ]  # fmt: skip
    if delete:
        _delete(chosen)
    elif output is Format.JSON:
        typer.echo(document(chosen), nl=False)
    else:
        _text(chosen, path or frames_root())


def _is(store: Store, name: str) -> bool:
    return name in (store.repo_id, store.folder.name) or (
        bool(store.root) and Path(name).expanduser().resolve() == Path(store.root)
    )


def _delete(chosen: list[Store]) -> None:
    from getiaction_cli.datasets.frame_stores import delete
    from getiaction_cli.rendering.text import clean
    from getiaction_cli.units import size

    freed = 0
    for store in chosen:
        if store.in_use:
            typer.echo(f"{clean(store.repo_id)}: a training is building it: kept", err=True)
            continue
        try:
            others = delete(store)
        except OSError as error:
            raise CheckNotRun(f"can't delete {store.folder}: {error.strerror}") from None
        freed += store.size
        typer.echo(f"deleted the frames of {clean(store.repo_id)} ({size(store.size)})")
        if others:
            typer.echo(f"{store.folder} stays: it holds {', '.join(others[:3])}, not written by getiaction", err=True)
    typer.echo(f"{size(freed)} freed")


def _text(chosen: list[Store], place: Path) -> None:
    from getiaction_cli.rendering.text import Paint, clean, columns, wants_color
    from getiaction_cli.units import size

    if not chosen:
        typer.echo(f"no stores of decoded frames in {place}")
        return
    rows = [
        (
            clean(store.repo_id),
            size(store.size),
            f"{store.frames:,} frames",
            "being built" if store.in_use else "dataset is gone" if store.gone else _ago(store.used),
            clean(store.root),
        )
        for store in chosen
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    paint = Paint(wants_color())
    for row in rows:
        name, bytes_, frames, used = (cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        head = f"{name}  {bytes_.strip().rjust(widths[1])}  {frames.strip().rjust(widths[2])}  {used}"
        # In a pipe, print one line per store, so that grep finds it.
        apart = "\n  " if sys.stdout.isatty() and len(f"{head}  {row[4]}") > columns() else "  "
        typer.echo(head.replace(name, paint("bold", name), 1).rstrip() + f"{apart}{row[4]}".rstrip())
    typer.echo(f"\n{size(sum(store.size for store in chosen))} in {place}")
    for store in chosen:
        if store.damaged and not store.in_use:
            typer.echo(
                f"{store.folder}: {', '.join(store.damaged[:3])} can't be read; training decodes these frames again,\n"
                f"and `getiaction frame-stores --delete {store.folder.name}` deletes the store",
                err=True,
            )


def _ago(then: float) -> str:
    days = int((time.time() - then) // 86_400)
    return "used today" if days < 1 else "used yesterday" if days == 1 else f"used {days} days ago"


def document(chosen: list[Store]) -> str:
    """The JSON of frame stores."""
    listed = [
        {
            "repo_id": store.repo_id,
            "root": store.root,
            "folder": str(store.folder),
            "cameras": list(store.cameras),
            "frames": store.frames,
            "bytes": store.size,
            "last_used": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(store.used)),
            "gone": store.gone,
            "being_built": store.in_use,
            "damaged": list(store.damaged),
        }
        for store in chosen
    ]
    return json_text({"stores": listed})
