"""A camera's shape can't be understood.

## What it finds
Image and video features whose `shape` has not three numbers, whose `names` are missing or don't say where the
channels are, or that LeRobot takes the wrong way round: height for channels.

## Why it matters
LeRobot decides by the third name only: `channel` or `channels` there means height, width, channels; anything else
means channels, height, width. With `names: null` it stops with `'NoneType' object is not subscriptable`; with other
names the network is built for a picture with 480 channels.

## Example
```json
{"observation.images.top": {"dtype": "video", "shape": [480, 640, 3], "names": null}}
```

## Instead
```json
{"observation.images.top": {"dtype": "video", "shape": [480, 640, 3], "names": ["height", "width", "channels"]}}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from getiaction_cli.diagnostics import Finding, Related, Severity
from getiaction_cli.rules import rule

if TYPE_CHECKING:
    from getiaction_cli.datasets.dataset import Dataset


@rule(
    "GA463",
    dataset="image-names-null",
    breaks=("image shape",),
    stops=True,
    help="declare the shape as [height, width, channels] in meta/info.json",
)
def image_shape(dataset: Dataset) -> Iterator[Finding]:
    """Determine the axis of the channels as LeRobot does."""
    for feature in dataset.features.values():
        if not feature.is_camera or (not feature.shape and feature.raw.get("shape") != []):
            continue
        at = f"features.{feature.key}"
        names = feature.raw.get("names")
        if len(feature.shape) != 3:
            yield Finding(
                f"{feature.key} has the shape {list(feature.shape)}, a picture has three: height, width, channels",
                file="meta/info.json",
                key=f"{at}.shape",
                features=(feature.key,),
            )
        elif not isinstance(names, list) or len(names) != 3:
            yield Finding(
                f"{feature.key} has no names that say which of its three numbers are the channels",
                file="meta/info.json",
                key=f"{at}.names",
                help=f'write "names": {_names(feature.shape)}',
                features=(feature.key,),
            )
        elif feature.channels not in (1, 3, 4):
            yield Finding(
                f"LeRobot takes {feature.key} for a picture with {feature.channels} channels: "
                f"shape {list(feature.shape)}, names {names}",
                file="meta/info.json",
                key=f"{at}.names",
                related=(Related("the shape", file="meta/info.json", key=f"{at}.shape"),),
                # Some policies, such as act, ignore the declared size; other rules check it with the policy.
                severity=Severity.WARNING,
                help=f'write "names": {_names(feature.shape)}',
                features=(feature.key,),
            )


def _names(shape: tuple[int, ...]) -> str:
    if shape[0] in (1, 3, 4) and shape[2] not in (1, 3, 4):
        return '["channels", "height", "width"]'
    return '["height", "width", "channels"]'
