"""The `datasets` of a recipe: the sections that name a dataset, and errors of the list itself."""

from __future__ import annotations

from collections.abc import Iterator

from getiaction.spec.mixture import is_rename_map, is_stride, weight_problem
from getiaction_cli.recipe import Recipe

DATA = "data.init_args"
DATASETS = f"{DATA}.datasets"
# The keys that name one dataset; with `datasets`, they are set inside of the list.
DATASET_KEYS = ("repo_id", "root", "revision", "episodes", "exclude_episodes")


def dataset_routes(recipe: Recipe) -> list[str]:
    """The routes of the sections that name a dataset and its episodes: one, or one for each entry of a mixture."""
    entries = recipe.get(DATASETS)
    if not isinstance(entries, list):
        return [DATA]
    return [f"{DATASETS}.{number}" for number, entry in enumerate(entries) if isinstance(entry, dict)]


def mixture_problems(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    """Yield errors of the list itself, not of its datasets: route, message and help.

    The message is empty if another rule reports the error.
    """
    entries = recipe.get(DATASETS)
    if not isinstance(entries, list) or not entries:
        yield DATASETS, "`datasets` takes a list of datasets", "for example [{repo_id: a/b}, {repo_id: c/d}]"
        return
    for name in DATASET_KEYS:
        if recipe.data(name) is not None:
            yield f"{DATA}.{name}", f"`{name}` is set beside `datasets`", "set it for each dataset, inside the list"
    for number, entry in enumerate(entries):
        route = f"{DATASETS}.{number}"
        if not isinstance(entry, dict):
            yield route, "each of `datasets` is a section with a `repo_id`", f"write {{repo_id: {entry}}}"
        elif not all(isinstance(entry.get(name), str | None) for name in ("repo_id", "root", "revision")):
            yield route, "`repo_id`, `root` and `revision` are texts", "put the value in quotes"
        elif not entry.get("repo_id") and not entry.get("root"):
            yield route, "this entry names no dataset", "give it a repo_id or a root"
        elif not (entry.get("rename_map") is None or is_rename_map(entry["rename_map"])):
            yield (
                f"{route}.rename_map",
                "`rename_map` is a mapping of feature keys",
                "for example {observation.images.cam: observation.images.front}",
            )
        elif not all(_is_list(entry.get(name)) for name in ("episodes", "exclude_episodes")):
            yield route, "`episodes` and `exclude_episodes` are lists of whole numbers", "for example [0, 1, 2]"
        elif not (entry.get("stride") is None or is_stride(entry["stride"])):
            yield (
                f"{route}.stride",
                f"`stride` is a whole number above 0, not {entry['stride']!r}",
                "3 takes every third frame",
            )
        elif unknown := [key for key in entry if key not in (*DATASET_KEYS, "weight", "rename_map", "stride")]:
            yield f"{route}.{unknown[0]}", "", ""  # GA110 reports it
            return
    sections = [entry for entry in entries if isinstance(entry, dict)]
    if len(sections) == len(entries) and (wrong := weight_problem([entry.get("weight") for entry in sections])):
        number, message = wrong
        at = f"{DATASETS}.{number}"
        yield f"{at}.weight" if recipe.has(f"{at}.weight") else at, message, ""


def _is_list(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(type(item) is int for item in value))
