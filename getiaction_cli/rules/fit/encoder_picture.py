"""A picture whose size the policy's vision encoder does not take.

## What it finds

The multi-task DiT, when a picture after `image_resize_shape` and `image_crop_shape` is not what CLIP was trained on
(224x224, or 336x336 for the encoders that say so in their name); a crop that doesn't fit is left out by LeRobot.
EVO1, when `image_resolution` is not that of its InternVL backbone (448x448), and pi0-FAST, when it is not 224x224.

## Why it matters

The pretrained encoder has one place per patch of its own size, so training stops: at the first batch with
`Input image size (96*96) doesn't match model (224*224)` or `The size of tensor a must match the size of tensor b`; with
EVO1 after its backbone was loaded.

## Example

```yaml
model:
  class_path: getiaction.policies.lerobot.MultiTaskDiT
  init_args:
    horizon: 16
    n_action_steps: 8
    image_crop_shape: null
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```

## Instead

```yaml
model:
  class_path: getiaction.policies.lerobot.MultiTaskDiT
  init_args:
    horizon: 16
    n_action_steps: 8
    image_resize_shape: [224, 224]
data:
  class_path: getiaction.data.lerobot.LeRobotDataModule
  init_args:
    repo_id: lerobot/pusht
trainer:
  max_steps: 1000
```
"""

from collections.abc import Iterator

from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.analysis.checkpoint import find
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.diagnostics import Change, Finding, Related, Unavailable
from getiaction_cli.rules import rule


@rule("GA323", dataset="pusht", cause=("cameras", "camera sizes", "camera"), breaks=("crop",))
def encoder_picture(fit: Fit) -> Iterator[Finding]:
    """Compute the image size at the input of the encoder."""
    takes = fit.facts.vision_encoder
    if takes is None:
        return
    encoder, side = takes.get("name", ""), takes["side"]
    if not encoder:
        encoder = fit.policy.get(takes["parameter"])
        in_name = takes.get("side_in_name", side)
        side = _side(encoder, takes["family"], in_name if str(in_name) in encoder else side)
    if "crop" in takes:
        yield from _cropped(fit, encoder, side, takes["resize"], takes["crop"])
    else:
        yield from _resized(fit, encoder, side, takes["resize"])


def _cropped(fit: Fit, encoder: str, side: int, resizing: str, cropping: str) -> Iterator[Finding]:
    resize, crop = fit.policy.get(resizing), fit.policy.get(cropping)
    cameras = fit.policy.image_features
    if not cameras:
        return
    before = {key: tuple(resize or camera.shape[1:]) for key, camera in cameras.items()}
    fits = crop and all(crop[0] <= height and crop[1] <= width for height, width in before.values())
    for key, size in before.items():
        seen = tuple(crop) if fits else size
        if seen == (side, side):
            continue
        route = fit.recipe.param_route(resizing)
        at = route if resize else fit.recipe.param_route(cropping)
        left_out = "" if fits or not crop else f", as {cropping} {crop[0]}x{crop[1]} doesn't fit into it"
        changes: list[tuple[str, object]] = [(route, [side, side])]
        if crop and tuple(crop) != (side, side):
            changes.append((fit.recipe.param_route(cropping), None))
        yield Finding(
            f"`{encoder}` takes pictures of {side}x{side}, and gets {seen[0]}x{seen[1]} of `{key}`{left_out}",
            at=at,
            related=(Related("the picture", file="meta/info.json", key=f"features.{key}.shape"),),
            fix=Change(f"set {resizing} to [{side}, {side}]: the whole picture, in its size", tuple(changes)),
        )
        return


def _resized(fit: Fit, encoder: str, side: int, resizing: str) -> Iterator[Finding]:
    asked = tuple(fit.policy.get(resizing))
    if asked != (side, side):
        at = fit.recipe.param_route(resizing)
        yield Finding(
            f"`{encoder}` takes pictures of {side}x{side}, and {resizing} is {asked[0]}x{asked[1]}",
            at=at,
            fix=Change(f"set {resizing} to [{side}, {side}]", ((at, [side, side]),)),
        )


def _side(encoder: str, family: str, usual: int) -> int:
    """Return the side length in pixels of the images that an encoder was trained on.

    Raises:
        Unavailable: it is not on this machine, and its name is not in the list of known sizes.
    """
    known = find(encoder, hub_cache()).config
    if not known and not encoder.startswith(family):
        raise Unavailable(f"`{encoder}` is not on this machine, so the size of its pictures is not known")
    vision = known.get("vision_config")
    side = vision.get("image_size", usual) if isinstance(vision, dict) else usual
    side = side[0] if isinstance(side, list) and side else side
    return side if isinstance(side, int) else usual
