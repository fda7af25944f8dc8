"""Summarize what a valid recipe trains, so that its author can spot mistakes that no rule detects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from getiaction.spec.publishing import upload_of
from getiaction_cli.diagnostics import Unavailable
from getiaction_cli.recipe.layout import EVALUATION
from getiaction_cli.recipe.signatures import read_signature
from getiaction_cli.recipe.writing import write
from getiaction_cli.units import duration, magnitude, plural

if TYPE_CHECKING:
    from getiaction_cli.analysis.recipe_on_dataset import Fit
    from getiaction_cli.checking.recipe_context import RecipeContext
    from getiaction_cli.gpus import Card


def preview(context: RecipeContext, card: Card | None = None) -> tuple[str, list[tuple[str, str]]] | None:
    """Return a title and (label, text) pairs; None if the recipe has errors that prevent a summary.

    Args:
        context: the recipe.
        card: the GPU to estimate memory and time for; None for the device that the recipe trains on here.
    """
    try:
        fit = context.get("fit")
        title = f"{context.name} trains {fit.policy.policy.class_name} on {fit.dataset.repo_id}"
        return title, list(_lines(context, fit, card))
    except Unavailable:  # also facts that the installed LeRobot no longer shows
        return None


def needs(context: RecipeContext, card: Card | None = None) -> list[tuple[str, str]]:
    """Return the lines of `preview` about memory, time and disk; empty if the recipe has errors that prevent them."""
    from getiaction_cli.analysis.training_need import training_need
    from getiaction_cli.rules.machine._asked import chosen

    try:
        need = training_need(context.get("fit"), context.machine, chosen(context.recipe, context.machine), card)
    except Unavailable:
        return []
    return list(need.lines(context.name))


def _lines(context: RecipeContext, fit: Fit, card: Card | None) -> Iterator[tuple[str, str]]:
    from getiaction_cli.analysis.model_size import parameters
    from getiaction_cli.analysis.recipe_on_dataset import ACTION
    from getiaction_cli.policies import Unjudgeable

    policy = fit.policy
    start = context.checkpoint_or_none
    if start is not None:
        yield "starts from", f"{start.path}: its weights and its parameters"
    given = context.recipe.params()
    set_here = ", ".join(f"{name} {_short(value)}" for name, value in policy.params.items() if name in given)
    if set_here or start is None:
        yield "parameters", set_here or "LeRobot's defaults"
    try:
        count = parameters(policy)
        optimizer = policy.optimizer
    except (Unavailable, Unjudgeable):
        count, optimizer = None, {}
    if count:
        yield "weights", f"{magnitude(count)} parameters"
    unread = {fit.renames.get(key, key) for key in fit.unread()}
    read = {key: feature for key, feature in policy.input_features.items() if key not in unread}
    yield "reads", "; ".join(_feature(key, feature) for key, feature in read.items()) or "nothing"
    if unread:
        yield "not read", ", ".join(sorted(unread))
    yield "predicts", "; ".join(_feature(key, feature) for key, feature in policy.output_features.items()) or "nothing"
    hertz = fit.fps / fit.frames_apart
    if policy.action_delta_indices:
        acts = policy.get("n_action_steps")
        carried = f"; {acts} of them are executed ({acts / hertz:g} s)" if isinstance(acts, int) else ""
        yield "actions", fit.seconds(fit.window(ACTION)) + carried
    if policy.observation_delta_indices:
        windows = {key: fit.seconds(fit.window(key)) for key in fit.readable if fit.reads(key)}
        times = sorted(set(windows.values()))
        yield "observations", times[0] if len(times) == 1 else "; ".join(f"{k}: {v}" for k, v in windows.items())
    if fit.frames_apart > 1 or _paced(fit.dataset):
        yield "acts at", f"{hertz:g} Hz: run it with `lerobot-rollout --fps={hertz:g}`"
    yield "data", _data(fit)
    if fit.frames_plan is not None:
        way = str(fit.frames_plan).removeprefix("frames are ")
        yield "frames", f"{way}; about {float(f'{fit.samples_per_second:.1g}'):,.0f} samples/s can be loaded"
    yield "training", _training(context, fit)
    if isinstance(context.recipe.get("evaluation.env"), dict):
        yield "rollouts", _rollouts(context)
    if optimizer:
        rate = context.recipe.get("model.init_args.learning_rate") or optimizer.get("lr")
        kind = str(optimizer["type"]).removesuffix("Config")
        schedule = str(policy.scheduler.get("type", "")).removesuffix("Config")
        yield "optimizer", f"{kind}, learning rate {rate:g}" + (f", {schedule}" if schedule else "")
    yield from needs(context, card)
    if upload := upload_of(given):
        seen = {True: ", private", False: ", public", None: ""}[upload.private]
        yield "uploads", f"the policy to {upload.repo_id}{seen}, after the last step"
    yield from _downloads(context, fit)


def _data(fit: Fit) -> str:
    from getiaction_cli.datasets.mixture import Mixture

    dataset = fit.dataset
    frames, episodes, seconds = int(fit.frames.sum()), len(fit.frames), float(fit.lengths.sum()) / fit.fps
    text = f"{plural(episodes, 'episode')}, {plural(frames, 'frame')}, {duration(seconds)} at {_rates(dataset)}"
    if excluded := len(fit.dataset.episodes) - len(fit.chosen):
        text += f"; {plural(excluded, 'episode')} of the dataset not in use"
    if fit.held_out:
        text += f"; {plural(len(fit.held_out), 'episode')} held out for validation"
    if fit.padded >= 0.01:
        text += f"; {fit.padded:.0%} of the action targets extend past an episode's end"
    if isinstance(dataset, Mixture):
        weights = ":".join(f"{entry.weight:g}" for entry in dataset.entries if entry.weight is not None)
        shares = f"in shares of {weights}" if weights else "each frame once an epoch"
        return f"{text}; from {len(dataset.parts)} datasets, {shares}"
    return f"{text}; from {_home(dataset)}"


def _paced(dataset: Any) -> bool:
    return any(entry.frames_apart > 1 for entry in getattr(dataset, "entries", ()))


def _rates(dataset: Any) -> str:
    """Format frame rates as "30 fps", or as "30 and 50 fps" for a mixture."""
    rates = sorted({part.fps for part in dataset.parts})
    return f"{' and '.join(f'{rate:g}' for rate in rates)} fps"


def _home(dataset: Any) -> str:
    origin = dataset.place.origin
    return {"demo": "the demonstrations that come with getiaction", "hub": "the Hub"}.get(origin, str(dataset.root))


def _training(context: RecipeContext, fit: Fit) -> str:
    recipe, epoch = context.recipe, fit.step.steps(int(fit.samples.sum()))
    text = f"{plural(epoch, 'step')} of {fit.step} an epoch"
    steps, epochs = recipe.trainer("max_steps", -1), recipe.trainer("max_epochs")
    if recipe.data("train_batch_size") == "auto":
        asked = plural(steps, "step") if isinstance(steps, int) and steps > 0 else f"{epochs} epochs"
        return f"{asked}; the batch size is chosen when training starts, as memory allows"
    if isinstance(steps, int) and steps > 0:
        return f"{plural(steps, 'step')}, {steps / max(epoch, 1):.3g} epochs ({text})"
    if isinstance(epochs, int) and epochs > 0:
        return f"{plural(epochs, 'epoch')}, {plural(epochs * epoch, 'step')} ({text})"
    return text


def _rollouts(context: RecipeContext) -> str:
    """Describe the rollouts as "50 episodes in pusht, seeds 1000 to 1049, after the last step"."""
    signature = read_signature(EVALUATION)
    options = {name: p.default for name, p in (signature.parameters if signature else {}).items()}
    options |= context.recipe.get("evaluation")
    episodes, seed, every = options["episodes"], options["seed"], options["every_n_steps"]
    when = f"every {every:,} steps and " if isinstance(every, int) else ""
    seeds = f", seeds {seed} to {seed + episodes - 1}" if isinstance(seed, int) and isinstance(episodes, int) else ""
    return f"{episodes} episodes in {options['env'].get('type')}{seeds}, {when}after the last step"


def _downloads(context: RecipeContext, fit: Fit) -> Iterator[tuple[str, str]]:
    from getiaction_cli.analysis.weights import backbone, from_hub
    from getiaction_cli.machine import resnet_weights

    machine, wanted = context.machine, list[str]()
    if lacking := len(fit.lacking):
        alone = "" if fit.dataset.has_data else " (only its metadata is on this machine)"
        wanted.append(f"{plural(lacking, 'file')} of the dataset{alone}")
    for model in from_hub(context.recipe, fit.policy):
        if model.repo_id not in machine.hub:
            wanted.append(f"{model.repo_id} ({model.what}{', gated' if model.gated else ''})")
    weights = backbone(context.recipe, fit.policy)
    if weights and (file := resnet_weights().get(weights)) and file not in machine.torch_hub:
        wanted.append(f"{weights} (the backbone's weights)")
    if wanted:
        yield "downloads", "; ".join(wanted)


def _feature(key: str, feature: Any) -> str:
    shape = feature.shape
    size = f"{shape[0]}×{shape[1]}×{shape[2]}" if len(shape) == 3 else "×".join(map(str, shape))
    return f"{key} ({size})"


def _short(value: Any) -> str:
    text = write(value)
    return text if len(text) <= 40 else text[:39] + "…"
