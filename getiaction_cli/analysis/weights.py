"""What a policy fetches when it is built: from the Hugging Face Hub, and from torchvision's server."""

from collections.abc import Iterator
from pathlib import Path

from getiaction_cli.analysis.checkpoint import ROUTE, is_hub_id
from getiaction_cli.machine import Machine, resnet_weights
from getiaction_cli.policies import PolicyClass, PolicyConfig, Unjudgeable
from getiaction_cli.recipe import Recipe

BACKBONE = "pretrained_backbone_weights"


def from_hub(recipe: Recipe, policy: PolicyConfig) -> Iterator[tuple[str, str, str, bool]]:
    """(repository, what it is, route that names it, gated) of each model that is fetched from the Hub."""
    said = recipe.get(ROUTE)
    if isinstance(said, str) and is_hub_id(said):
        yield said, "the pretrained policy", ROUTE, False
    for download in policy.policy.downloads:
        if download.parameter == BACKBONE:
            continue
        named = policy.get(download.parameter) if download.parameter else download.repo_id
        if download.starts and (said or str(policy.get("pretrained_path")) != named):
            continue
        if isinstance(named, str) and named.count("/") == 1 and not Path(named).is_dir():
            at = recipe.param_route(download.parameter) if download.parameter else "model.class_path"
            yield named, f"the {download.what}", at, download.gated


def backbone(recipe: Recipe, policy: PolicyConfig) -> str | None:
    """The name of the torchvision weights that a fresh policy with cameras starts from; None for none."""
    name = policy.get(BACKBONE)
    if not isinstance(name, str) or recipe.get(ROUTE) or not policy.image_features:
        return None
    return _full_name(policy, name)


def _full_name(policy: PolicyConfig, name: str) -> str:
    """torchvision takes "IMAGENET1K_V1" for the one of the backbone that is built."""
    own = str(policy.get("vision_backbone")).replace("resnet", "ResNet")
    return name if "." in name else f"{own}_Weights.{name}"


def are_cached(policy: PolicyClass, machine: Machine) -> bool | None:
    """Return whether everything a policy fetches by default is in this machine's caches; None if nothing is known."""
    try:
        config = policy.configure({})
    except Unjudgeable:
        return None
    found = [policy.base in machine.hub] if policy.base else []
    for download in policy.downloads:
        named = config.get(download.parameter) if download.parameter else download.repo_id
        if not isinstance(named, str) or not named:
            continue
        if download.parameter == BACKBONE:
            found.append(resnet_weights().get(_full_name(config, named), "") in machine.torch_hub)
        else:
            found.append(named in machine.hub or Path(named).is_dir())
    return all(found) if found else None
