"""The downloads of a recipe's training: files of its dataset, models on the Hub, torchvision's weights."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from getiaction.spec import torchvision_weights
from getiaction.spec.dataset_location import lerobot_hub_cache
from getiaction.spec.hub_cache import hub_cache
from getiaction_cli.analysis.checkpoint import ROUTE
from getiaction_cli.analysis.recipe_on_dataset import Fit
from getiaction_cli.analysis.weights import HubModel, backbone, from_hub
from getiaction_cli.datasets import hub
from getiaction_cli.errors import HubError
from getiaction_cli.machine import resnet_addresses, torch_hub
from getiaction_cli.recipe import Recipe

if TYPE_CHECKING:
    from getiaction_cli.datasets.progress import OnProgress

# Suffixes of weight files; transformers and LeRobot do not read files of `_OTHER_FORMATS`.
_SAFE = ".safetensors"
_WEIGHTS = (_SAFE, ".bin", ".pt", ".pth", ".ckpt")
_OTHER_FORMATS = re.compile(r"\.(onnx|onnx_data|gguf|h5|msgpack|tflite|mlmodel|npz|ot|pdparams|mp4|zip|tar|gz)$|^onnx/")
_OF_PRETRAINED = re.compile(r"^[^/]+\.(json|safetensors)$")


@dataclass(frozen=True)
class Download:
    """Files to download from one place.

    Args:
        what: the place and its purpose, as text.
        files: their paths or address.
        bytes: their size; None if the server does not report it.
        folder: the cache to download to.
        fetch: downloads them.
    """

    what: str
    files: tuple[str, ...]
    bytes: int | None
    folder: Path
    fetch: Callable[[OnProgress], object]


def downloads(recipe: Recipe, fit: Fit) -> Iterator[Download]:
    """Compare the files that the recipe needs with the caches; uses the network.

    Raises:
        HubError: the Hub, or torchvision's server, can't be reached.
    """
    for dataset, lacking in fit.lacking_of_each:
        if lacking:
            place = dataset.place
            found = hub.missing(place.repo_id, place.revision, partial(_of_dataset, lacking), "dataset")
            yield _of_hub(found, f"{place.repo_id} (the dataset)", lerobot_hub_cache())
    for model in from_hub(recipe, fit.policy):
        found = hub.missing(model.repo_id, model.revision, partial(files_of, model))
        if found.files:
            yield _of_hub(found, f"{model.repo_id} ({model.what})", hub_cache())
    name = backbone(recipe, fit.policy)
    url = resnet_addresses().get(name or "")
    if url and not (folder := torch_hub() / "checkpoints").joinpath(url.rsplit("/", 1)[-1]).is_file():
        yield _of_torchvision(url, f"{name} (the backbone's weights)", folder)


def files_of(model: HubModel, paths: Sequence[str]) -> list[str]:
    """The files of a repository that are read to build the policy.

    Of weights in several formats, safetensors are read. If the model lists folders, only their files are read.
    """
    if model.at == ROUTE and "config.json" in paths:
        pretrained = [path for path in paths if _OF_PRETRAINED.search(path)]
        if any(path.endswith(_SAFE) for path in pretrained):
            return pretrained
    found = [path for path in paths if not _OTHER_FORMATS.search(path)]
    if model.folders:
        found = [path for path in found if path.split("/")[0] in model.folders]
    if not model.weights:
        return [path for path in found if not path.endswith(_WEIGHTS)]
    safe = {str(PurePosixPath(path).parent) for path in found if path.endswith(_SAFE)}
    return [
        path
        for path in found
        if not path.endswith(_WEIGHTS) or path.endswith(_SAFE) or str(PurePosixPath(path).parent) not in safe
    ]


def _of_dataset(lacking: Collection[str], paths: Sequence[str]) -> list[str]:
    return [path for path in paths if path in lacking or path.startswith("meta/")]


def _of_hub(found: hub.Missing, what: str, folder: Path) -> Download:
    files = tuple(f"{found.commit}/{file.path}" for file in found.files)
    return Download(what, files, found.bytes, folder, found.fetch)


def _of_torchvision(url: str, what: str, folder: Path) -> Download:
    server = torchvision_weights.address(url)

    def fetch(watch: OnProgress) -> None:
        try:
            torchvision_weights.fetch(url, folder, lambda done, total: watch(f"fetching {what}", done, total, "bytes"))
        except OSError as error:
            raise HubError(f"{server} can't be downloaded: {error}", _MIRRORED) from error

    try:
        size = torchvision_weights.size(url)
    except OSError as error:
        raise HubError(f"{server} can't be reached: {error}", _MIRRORED) from error
    return Download(what, (url,), size, folder, fetch)


_MIRRORED = f"check the network, or set {torchvision_weights.MIRROR} to a server with the same files"
