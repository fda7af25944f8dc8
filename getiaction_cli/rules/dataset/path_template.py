"""A path template of info.json leads out of the dataset, or nowhere.

## What it finds
`data_path` or `video_path` that is absolute, climbs out with `..`, or has placeholders that LeRobot does not fill in.
v3.0 has `{chunk_index}`, `{file_index}` and `{video_key}`; v2 had `{episode_chunk}` and `{episode_index}`.

## Why it matters
LeRobot fills `video_path` for every episode: an unknown placeholder is a `KeyError`, an absolute path works only on the
machine where it was written, a path without `{video_key}` gives every camera the pictures of one, silently. `data_path`
is filled when the dataset is downloaded or edited; to train on a local dataset LeRobot lists `data/` instead. A
template in the style of v2 under a v3.0 label is what half-finished conversions leave.

## Example
```json
{"codebase_version": "v3.0", "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet"}
```

## Instead
```json
{"codebase_version": "v3.0", "data_path": "data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet"}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction.spec.dataset_layout import DATA_PATH, VIDEO_PATH
from getiaction_cli.datasets.files import fill
from getiaction_cli.diagnostics import Finding, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


_V3: dict[str, dict[str, object]] = {
    "data_path": {"chunk_index": 0, "file_index": 0},
    "video_path": {"chunk_index": 0, "file_index": 0, "video_key": "k"},
}
_V2: dict[str, dict[str, object]] = {
    "data_path": {"episode_chunk": 0, "episode_index": 0},
    "video_path": {"episode_chunk": 0, "episode_index": 0, "video_key": "k"},
}


@rule("GA425", dataset="data-path-old", in_itself=True)
def path_template(dataset: Dataset) -> Iterator[Finding]:
    """Fill the templates with LeRobot's placeholders."""
    for name, known in (_V2 if dataset.is_old else _V3).items():
        template = dataset.info.get(name)
        if not isinstance(template, str) or (name == "video_path" and not dataset.video_keys):
            continue
        filled = fill(template, **known)
        if template.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", template):
            why = "is an absolute path: it leads out of the dataset"
        elif ".." in template.split("/"):
            why = "leads out of the dataset"
        elif filled is None:
            why = f"has placeholders that differ from {', '.join(known)}"
        elif "{" not in template and not (dataset.root / template).is_file():
            why = "has no placeholders, and no file is called that"
        elif name == "video_path" and len(dataset.video_keys) > 1 and "{video_key" not in template:
            why = f"has no {{video_key}}, though there are {len(dataset.video_keys)} cameras"
        else:
            continue
        default = {"data_path": DATA_PATH, "video_path": VIDEO_PATH}[name]
        yield Finding(
            f"{name} {why}",
            file="meta/info.json",
            key=name,
            # LeRobot finds the tables of a local dataset by listing data/, not by this template.
            severity=Severity.WARNING
            if name == "data_path" and not dataset.is_old and "leads out" not in why
            else None,
            help="" if dataset.is_old else f'LeRobot writes "{default}"',
        )
    if dataset.video_keys and dataset.info.get("video_path", "") is None:
        yield Finding(
            f"video_path is null, though {dataset.video_keys[0]} is stored as video",
            file="meta/info.json",
            key="video_path",
        )
