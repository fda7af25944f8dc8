"""The models and weights that a policy downloads when it is built: from the Hugging Face Hub and from torchvision."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from getiaction_cli.analysis.checkpoint import ROUTE, is_hub_id
from getiaction_cli.machine import Machine, resnet_weights
from getiaction_cli.policies import PolicyClass, PolicyConfig, Unjudgeable

if TYPE_CHECKING:  # reading recipes needs PyYAML, listing policies does not
    from getiaction_cli.recipe import Recipe

BACKBONE = "pretrained_backbone_weights"


@dataclass(frozen=True)
class HubModel:
    """A model on the Hub that a recipe's policy is built from.

    Args:
        repo_id: its repository.
        what: description of the model.
        at: the route of the recipe's value that names it.
        gated: whether its licence must be accepted on the Hub first.
        revision: branch, tag or commit; None for the newest.
        weights: whether its weights are read, and not only configurations, tokenizers and processors.
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
    """Yield the models that are downloaded from the Hub."""
    pretrained = recipe.get(ROUTE)
    if isinstance(pretrained, str) and is_hub_id(pretrained):
        revision = recipe.get("model.init_args.pretrained_revision")
        yield HubModel(
            pretrained, "the pretrained policy", ROUTE, revision=revision if isinstance(revision, str) else None
        )
    for download in policy.policy.downloads:
        if download.parameter == BACKBONE:
            continue
        named = policy.get(download.parameter) if download.parameter else download.repo_id
        if download.starts and (pretrained or str(policy.get("pretrained_path")) != named):
            continue
        if isinstance(named, str) and _is_repository(named):
            at = recipe.param_route(download.parameter) if download.parameter else "model.class_path"
            read = bool(policy.get(download.weights)) if isinstance(download.weights, str) else download.weights
            what = f"the {download.what}"
            yield HubModel(named, what, at, download.gated, weights=read, folders=download.folders)


def fetch_command(recipe: Recipe) -> str:
    """A hint with the command that downloads missing files, for a machine that is offline by its environment."""
    return f"once, with a network: `HF_HUB_OFFLINE=0 getiaction fetch {shlex.quote(recipe.file)}`"


def _is_repository(named: str) -> bool:
    """Whether a name is that of a repository on the Hub; some old models have a name without a user."""
    return named.count("/") <= 1 and not named.startswith((".", "~", "/")) and not Path(named).is_dir()


def backbone(recipe: Recipe, policy: PolicyConfig) -> str | None:
    """The name of the torchvision weights that a new policy with cameras starts from; None for none."""
    name = policy.get(BACKBONE)
    if not isinstance(name, str) or recipe.get(ROUTE) or not policy.image_features:
        return None
    return _full_name(policy, name)


def _full_name(policy: PolicyConfig, name: str) -> str:
    """Complete "IMAGENET1K_V1" by the name of the backbone, as torchvision does."""
    own = str(policy.get("vision_backbone")).replace("resnet", "ResNet")
    return name if "." in name else f"{own}_Weights.{name}"


def are_cached(policy: PolicyClass, machine: Machine) -> bool | None:
    """Whether all default downloads of a policy are in this machine's caches; None if unknown."""
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
