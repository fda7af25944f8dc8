"""What a policy fetches when it is built: from the Hugging Face Hub, and from torchvision's server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from getiaction_cli.analysis.checkpoint import ROUTE, is_hub_id
from getiaction_cli.machine import Machine, resnet_weights
from getiaction_cli.policies import PolicyClass, PolicyConfig, Unjudgeable

if TYPE_CHECKING:  # reading recipes takes PyYAML, which listing policies does without
    from getiaction_cli.recipe import Recipe

BACKBONE = "pretrained_backbone_weights"


@dataclass(frozen=True)
class HubModel:
    """A model on the Hub that a recipe's policy is built from.

    Args:
        repo_id: its repository.
        what: what it is, in words.
        at: the route of the recipe's value that names it.
        gated: its licence must be accepted on the Hub first.
        revision: branch, tag or commit; None for the newest.
        weights: its weights are read, not only configurations, tokenizers and processors.
        folders: the folders that are read; empty for all.
    """

    repo_id: str
    what: str
    at: str
    gated: bool = False
    revision: str | None = None
    weights: bool = True
    folders: Sequence[str] = ()


def from_hub(recipe: Recipe, policy: PolicyConfig) -> Iterator[HubModel]:
    """Each model that is fetched from the Hub."""
    said = recipe.get(ROUTE)
    if isinstance(said, str) and is_hub_id(said):
        revision = recipe.get("model.init_args.pretrained_revision")
        yield HubModel(said, "the pretrained policy", ROUTE, revision=revision if isinstance(revision, str) else None)
    for download in policy.policy.downloads:
        if download.parameter == BACKBONE:
            continue
        named = policy.get(download.parameter) if download.parameter else download.repo_id
        if download.starts and (said or str(policy.get("pretrained_path")) != named):
            continue
        if isinstance(named, str) and _is_repository(named):
            at = recipe.param_route(download.parameter) if download.parameter else "model.class_path"
            read = bool(policy.get(download.weights)) if isinstance(download.weights, str) else download.weights
            what = f"the {download.what}"
            yield HubModel(named, what, at, download.gated, weights=read, folders=download.folders)


def fetch_command(recipe: Recipe) -> str:
    """How to download what is missing, for a machine whose environment forbids the network."""
    return f"once, with a network: `HF_HUB_OFFLINE=0 getiaction fetch {shlex.quote(recipe.file)}`"


def _is_repository(named: str) -> bool:
    """Whether a library would look for the name on the Hub, where some old models have a name without a user."""
    return named.count("/") <= 1 and not named.startswith((".", "~", "/")) and not Path(named).is_dir()


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
