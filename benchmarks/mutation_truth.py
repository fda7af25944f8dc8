"""How right is the verdict? Recipes changed in one thing each, judged by the rules and trained for real.

    python benchmarks/mutation_truth.py               train what is not yet known, judge all, write docs/accuracy.md
    python benchmarks/mutation_truth.py --judge-only  with the trainings of last time (benchmarks/mutation_truth.json)
    python benchmarks/mutation_truth.py --only act    mutants whose name holds these words, no page written

The truth is a training of a few steps on the CPU through `getiaction.train.run`, with no verdict before it: it either
ends, or stops with whatever error, or ends with a loss that is not finite. VQ-BeT goes through both of its phases. The
ResNets have a quarter of their width, which changes no shape that anything else sees. The trainings run in worker
processes that import torch once; one that hangs or dies is replaced, and its mutant counts as crashed.

What trains although the verdict is an error is either a false alarm or a silent loss: SILENT says for a rule what the
user would have lost without a word. A crash that the verdict calls fine is a miss. Neither may be.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests"), str(HERE.parent / "tests" / "rules")]

TRUTH = HERE / "mutation_truth.json"
PAGE = HERE.parent / "docs" / "accuracy.md"
SECONDS = 90
STEPS = 3
PAIRS, OTHERS, SEED = 250, 50, 7

# What trains silently and can't be meant: rule → what is lost.
SILENT = {
    "GA110": "a key that is not read: it has no effect",
    "GA111": "a key with a wrong name or place: it has no effect",
    "GA112": "a key in the wrong section: it has no effect",
    "GA115": "an empty value is taken for nothing, not for the default",
    "GA120": "a value of the wrong type is passed over, or taken for something else",
    "GA121": "a word that nothing knows is passed over",
    "GA122": "a number that makes no sense is passed over, teaches nothing, or turns the gradient round",
    "GA147": "checkpoints are saved without their weights",
    "GA211": "fewer actions than `n_action_steps` exist: the robot runs out of them and asks again early",
    "GA215": "a number that makes no sense is taken for none: no layers, no actions, no search",
    "GA221": "VQ-BeT never leaves its first phase: the policy itself is never trained",
    "GA233": "a backbone of random weights that is never trained",
    "GA241": "a part of the network learns backwards",
    "GA301": "actions of moments at which the policy does not act",
    "GA302": "observations of moments that the robot doesn't have yet",
    "GA321": "actions of the robot stand for something else in the action space that is named",
    "GA334": "numbers that info.json calls text: LeRobot's own reader, and so its evaluation, stops at them",
    "GA336": "the checkpoint with the best value of a metric that is not logged is never kept",
    "GA370": "a camera that the policy is given and never sees",
    "GA402": "LeRobot's own tools and its evaluation look for what is missing",
    "GA411": "the files contradict each other about which episodes there are",
    "GA412": "the files contradict each other about how many frames there are",
    "GA413": "episodes begin and end at the wrong frames",
    "GA414": "episodes name frames that are not there, or frames are never trained on",
    "GA421": "episodes name a table that is not there: LeRobot's tools that split or edit datasets stop at it",
    "GA427": "LeRobot's own reader, and so its tools and its evaluation, stop at such a table",
    "GA432": "a feature goes in as it is, in the hundreds, beside others around zero",
    "GA433": "normalization by NaN or infinity: the network sees NaN or nothing",
    "GA434": "statistics of other dimensions are applied by broadcasting",
    "GA435": "normalization by a range that is turned or negative",
    "GA438": "normalization by the range of another dataset",
    "GA441": "time runs three times as fast as it did: every velocity the policy learns is wrong",
    "GA442": "pictures whose moments differ from those of the states beside them",
    "GA443": "pictures whose moments differ from those of the states beside them",
    "GA444": "the checkpoint says that it was trained on pictures of another size",
    "GA485": "a spread of zero that min and max rule out: the feature is divided by nearly nothing",
}


def main() -> None:
    """Train, judge, compare, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge-only", action="store_true", help="no training: use what is known")
    parser.add_argument("--only", default="", help="only mutants whose name holds these words")
    parser.add_argument("--again", action="store_true", help="train what is known again")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=None, help="where datasets are kept between runs")
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        serve()
        return
    work = asked.work or Path(tempfile.mkdtemp(prefix="mutants-"))
    settle(work)
    import mutants

    hub = work / "huggingface" / "hub"
    everything = mutants.mutants() + mutants.others(OTHERS, hub) + mutants.pairs(PAIRS, seed=SEED)
    chosen = [mutant for mutant in everything if asked.only in mutant.name]
    known: dict[str, dict[str, Any]] = json.loads(TRUTH.read_text()) if TRUTH.exists() else {}
    texts = {mutant.name: mutants.prepare(mutant, work / "lerobot", work / "damaged", hub) for mutant in chosen}
    todo = {
        mutant.name: texts[mutant.name]
        for mutant in chosen
        if asked.again or known.get(mutant.name, {}).get("recipe") != digest(mutant.text)
    }
    if not asked.judge_only:
        recipes = {mutant.name: digest(mutant.text) for mutant in chosen}
        for name, outcome in trained(todo, asked.workers):
            known[name] = {"recipe": recipes[name], **outcome}
            keep(known)
    judged = {
        mutant.name: judge(texts[mutant.name])
        for mutant in chosen
        if known.get(mutant.name, {}).get("recipe") == digest(mutant.text)
    }
    tables: dict[str, dict[str, list[str]]] = {}
    for kind in ("single", "double", "large"):
        tables[kind] = compare(known, {name: found for name, found in judged.items() if _kind(name) == kind})
        print(f"{kind}:\n\n{render(tables[kind])}\n")
    if not asked.only:
        keep({mutant.name: known[mutant.name] for mutant in everything if mutant.name in known})
        PAGE.write_text(page(tables, known, judged, fixes(list(texts.values()))))
    sys.exit(bool(tables["single"]["missed"] or tables["single"]["false"]))


def _kind(name: str) -> str:
    """The table of a mutant: two changes, one change of a larger policy, or one change."""
    import tiny_vlas

    return "double" if " pair " in name else "large" if name.split()[0] in tiny_vlas.MAKERS else "single"


def keep(known: dict[str, dict[str, Any]]) -> None:
    """Write down what is known, one training a line."""
    lines = (f" {json.dumps(name)}: {json.dumps(outcome)}" for name, outcome in sorted(known.items()))
    TRUTH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def digest(text: str) -> str:
    """Tells whether a recipe is the one that was trained."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def settle(work: Path) -> None:
    """A home of its own for datasets and caches, and no network, before anything imports LeRobot."""
    os.environ |= {
        "HF_LEROBOT_HOME": str(work / "lerobot"),
        "HF_HOME": str(work / "huggingface"),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "GETIACTION_CACHE": str(work / "cache"),
        "OMP_NUM_THREADS": "1",
    }
    work.mkdir(parents=True, exist_ok=True)


# -- the truth ---------------------------------------------------------------------------------------------------------


def trained(todo: dict[str, str], workers: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Train each recipe in one of several processes; yields what came of it as it comes."""
    waiting: queue.Queue[tuple[str, str]] = queue.Queue()
    done: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
    for item in todo.items():
        waiting.put(item)
    for _ in range(min(workers, len(todo))):
        threading.Thread(target=_feed, args=(waiting, done), daemon=True).start()
    for count in range(1, len(todo) + 1):
        name, outcome = done.get()
        said = outcome["error"] or f"loss {outcome['loss']}"
        print(f"{count}/{len(todo)} {name}: {said[:150]}", file=sys.stderr, flush=True)
        yield name, outcome


def _feed(waiting: queue.Queue[tuple[str, str]], done: queue.Queue[tuple[str, dict[str, Any]]]) -> None:
    worker = None
    while True:
        try:
            name, text = waiting.get_nowait()
        except queue.Empty:
            if worker:
                worker.kill()
            return
        if worker is None or worker.poll() is not None:
            worker = _worker()
        assert worker.stdin and worker.stdout
        hung = threading.Event()
        alarm = threading.Timer(SECONDS, _stop, (worker, hung))
        alarm.start()
        try:
            worker.stdin.write(json.dumps(text) + "\n")
            worker.stdin.flush()
            line = worker.stdout.readline()
        except BrokenPipeError:
            line = ""
        alarm.cancel()
        if not line:
            worker.wait()
        died = f"killed after {SECONDS} s" if hung.is_set() else "the process died"
        done.put((name, json.loads(line) if line else {"trains": False, "loss": None, "error": died}))


def _stop(worker: subprocess.Popen[str], hung: threading.Event) -> None:
    hung.set()
    worker.kill()


def _worker() -> subprocess.Popen[str]:
    """A process that trains, its imports behind it: they may take longer than a training."""
    worker = subprocess.Popen(
        [sys.executable, __file__, "--train"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert worker.stdout
    worker.stdout.readline()
    return worker


def serve() -> None:
    """Train the recipes that stdin names, one a line; answer with a line each."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import torch

    torch.set_num_threads(1)
    slim_backbones()
    from getiaction.train import run  # noqa: F401 - before the first recipe, whose time is measured

    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        answers.write(json.dumps(train(json.loads(line))) + "\n")
        answers.flush()


def slim_backbones() -> None:
    """Give torchvision's ResNets a quarter of their width: every layer, stride and norm stays, most of the time not."""
    import torchvision
    from torchvision.models import resnet

    class Slim(resnet.ResNet):
        def __init__(self, block: Any, layers: list[int], **options: Any) -> None:
            super().__init__(block, layers, **options)
            self.fc = resnet.nn.Linear(512 // 4 * block.expansion, 10)

        def _make_layer(self, block: Any, planes: int, *options: Any, **more: Any) -> Any:
            return super()._make_layer(block, planes // 4, *options, **more)

    layers = {18: [2, 2, 2, 2], 34: [3, 4, 6, 3], 50: [3, 4, 6, 3], 101: [3, 4, 23, 3], 152: [3, 8, 36, 3]}
    for depth, blocks in layers.items():
        block = resnet.BasicBlock if depth < 50 else resnet.Bottleneck
        whole = getattr(torchvision.models, f"resnet{depth}")

        def slim(weights: Any = None, _made: Any = (block, blocks), _whole: Any = whole, **options: Any) -> Any:
            return _whole(weights=weights, **options) if weights else Slim(*_made, **options)

        setattr(torchvision.models, f"resnet{depth}", slim)


def train(text: str) -> dict[str, Any]:
    """A few real steps."""
    import yaml

    try:
        from getiaction.train import run

        recipe = yaml.safe_load(text)
        with tempfile.TemporaryDirectory() as folder:
            if isinstance(recipe, dict) and _would_save_or_never_end(recipe.get("trainer")):
                recipe["trainer"] = {**(recipe.get("trainer") or {}), "fast_dev_run": STEPS}
            elif isinstance(recipe, dict):
                recipe["output_dir"] = f"{folder}/run"
            summary = run.train(recipe, recipe_name="mutant", recipe_text=text, quiet=True)
    except BaseException as error:  # whatever stops it is the truth
        if isinstance(error, KeyboardInterrupt):
            raise
        return {"trains": False, "loss": None, "error": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
    loss = float(summary.final_loss)
    if summary.steps and not math.isfinite(loss):
        return {"trains": False, "loss": None, "error": "the loss is not finite"}
    if not summary.steps:
        return {"trains": False, "loss": None, "error": "not one step was trained"}
    return {"trains": True, "loss": round(loss, 4), "error": ""}


def _would_save_or_never_end(trainer: Any) -> bool:
    """True for the trainer of the healthy recipe, whose checkpoints are not what is tried, and for one without end."""
    if trainer == {"max_steps": 6, "accelerator": "cpu"} or not trainer:
        return True
    return isinstance(trainer, dict) and "max_epochs" not in trainer and trainer.get("max_steps", -1) == -1


# -- the verdict -------------------------------------------------------------------------------------------------------

_shared: Any = None


def judge(text: str) -> dict[str, list[str]]:
    """The codes that the rules find, by severity; `stops`: those on which the rule says that training stops."""
    from getiaction_cli.checking.recipe_context import SharedInputs, verdict
    from getiaction_cli.recipe import read

    global _shared
    _shared = _shared or SharedInputs(offline=True)
    report = verdict(read("mutant.yaml", text=text), _shared)
    found: dict[str, list[str]] = {"error": [], "warning": [], "info": [], "stops": []}
    for diagnostic in report.diagnostics:
        if diagnostic.stops:
            found["stops"].append(diagnostic.code)
        found[diagnostic.severity].append(diagnostic.code)
    if any("crashed" in diagnostic.message and "the rule" in diagnostic.message for diagnostic in report.diagnostics):
        raise SystemExit(f"a rule crashed on:\n{text}")
    return found


def fixes(texts: list[str]) -> str:
    """Make every offered fix, one by one and together; the result as Markdown."""
    from fix_checks import faults, judge_once

    from getiaction_cli.recipe import read

    judged, wrong, offers, with_one = judge_once(), list[str](), Counter[bool](), 0
    for text in texts:
        recipe = read("mutant.yaml", text=text)
        offered = [d.fix.safe for d in judged(recipe).diagnostics if d.fix is not None and d.fix.edits]
        offers.update(offered)
        with_one += bool(offered)
        wrong += faults(recipe, judged)
    rows = "\n".join(f"- {fault}" for fault in wrong)
    return (
        f"{with_one} of the {len(texts):,} recipes are offered a fix: {offers[True]} safe fixes and {offers[False]} "
        "others. Each is made by itself, then\nthe safe ones together, then all of them, and the result is judged "
        f"again. **{len(wrong)}** of these edits leave their finding,\nbring a new error, lose a key or a comment "
        "that the fix does not name, or leave something for a second `--fix`.\nA fix that corrects a name or a type "
        "may reveal that the value itself is wrong; that does not count. The results are\njudged, not trained."
        + (f"\n\n{rows}" if rows else "")
    )


def compare(truth: dict[str, dict[str, Any]], judged: dict[str, dict[str, list[str]]]) -> dict[str, list[str]]:
    """Sort the mutants into the cells of the confusion matrix."""
    cells: dict[str, list[str]] = {"right-error": [], "right-fine": [], "silent": [], "missed": [], "false": []}
    for name, found in judged.items():
        errors, trains = found["error"], truth[name]["trains"]
        if trains and errors:
            cells["silent" if set(errors) <= SILENT.keys() and not found["stops"] else "false"].append(name)
        elif trains:
            cells["right-fine"].append(name)
        else:
            cells["right-error" if errors else "missed"].append(name)
    for name in cells["missed"]:
        print(f"MISSED  {name}: {truth[name]['error']}")
    for name in cells["false"]:
        print(f"FALSE   {name}: {judged[name]['error']} (loss {truth[name]['loss']})")
    return cells


def render(table: dict[str, list[str]]) -> str:
    """The matrix as Markdown."""
    n = {cell: len(names) for cell, names in table.items()}
    rows = [
        ("training stops", n["right-error"], f"**{n['missed']}**"),
        ("trains, a loss in silence", n["silent"], ""),
        ("trains as meant", f"**{n['false']}**", n["right-fine"]),
    ]
    head = "|                           | verdict: error | verdict: fine |\n|---|---:|---:|\n"
    return head + "\n".join(f"| {truth:25} | {error:>14} | {fine:>13} |" for truth, error, fine in rows)


def page(
    tables: dict[str, dict[str, list[str]]],
    truth: dict[str, Any],
    judged: dict[str, dict[str, list[str]]],
    fixed: str,
) -> str:
    """docs/accuracy.md."""
    table, double, large = tables["single"], tables["double"], tables["large"]
    total = sum(map(len, table.values()))
    per_policy = Counter(name.split()[0] for names in table.values() for name in names)
    by_code: dict[str, list[str]] = {}
    for name in table["silent"]:
        by_code.setdefault(judged[name]["error"][0], []).append(name)
    stops = Counter(truth[name]["error"].split(":")[0] for name in table["right-error"])
    silent = "\n".join(
        f"- **{code}**: {SILENT[code]}.\n" + "\n".join(f"    - `{name}`" for name in names)
        for code, names in sorted(by_code.items())
    )
    single = [name for names in table.values() for name in names]
    deltas, damaged, shapes = (sum(word in name for name in single) for word in ("delta_t", " dataset ", " on made/"))
    elsewhere, callbacks = (sum(word in name for name in single) for word in (" elsewhere ", " callback "))
    kinds = ", ".join(f"{kind} ({count})" for kind, count in stops.most_common(12))
    shares = ", ".join(f"{count} of {policy}" for policy, count in sorted(per_policy.items()))
    wrong = {kind: _wrong(tables[kind], truth, judged) for kind in tables}
    policies = ", ".join(sorted({name.split()[0] for names in large.values() for name in names}))
    return f"""# Accuracy of validate-config

`getiaction validate-config` promises to know before training what training would fail on. This page measures that
promise: {total} recipes and datasets, each a healthy one changed in a single thing, are judged, and then trained for
real for a few steps on the CPU, with no verdict in between. Written by `benchmarks/mutation_truth.py`; a sample of it
runs in CI.

{render(table)}

- *training stops*: an error of any kind, or a loss that is not finite, within {STEPS} steps (VQ-BeT through both
  phases).
- *trains, a loss in silence*: it trains silently, and something that its author can't have meant is lost. Which
  rules these are, and each mutant by name, is listed below; that it is a loss is our judgement, not a measurement.
- Warnings count as fine.

{_judged_wrongly(wrong["single"])}

The mutants: {shares}. Every parameter of the four
policies, every key of `data` and many of `trainer` with several values each, {deltas} stated time steps,
{damaged} damaged datasets, {shapes} datasets of other shapes, {callbacks} callbacks, and {elsewhere} changes of other
recipes on other datasets. The networks are tiny, and the ResNets have a quarter of their width.

What stopped the trainings: {kinds}.

## Two changes at once

The rules were fixed until the table above had no wrong cell, so it does not cover mistakes that are not in it.
{PAIRS} recipes with two of the changes of the recipe at once, drawn at random after that, do:

{render(double)}

{_judged_wrongly(wrong["double"])}

## The larger policies

{sum(map(len, large.values()))} recipes of {policies}:
healthy ones, and up to {OTHERS} of each with one parameter changed, drawn at random. The networks are tiny, their
weights random.

{render(large)}

At the first measurement 41 of 419 were missed. Bounds, words and facts of the policies followed from it; of the 507 of
the second draw, more than half of them new, 11 were missed then.

{_judged_wrongly(wrong["large"])}

## Fixes

{fixed}

## Silent failures

These train. Without the verdict, they pass silently.

{silent}
"""


def _judged_wrongly(listed: str) -> str:
    """The recipes that are judged wrongly, with a heading."""
    return f"These are judged wrongly:\n\n{listed}" if listed else "Not one is judged wrongly."


def _wrong(table: dict[str, list[str]], truth: dict[str, Any], judged: dict[str, dict[str, list[str]]]) -> str:
    """The recipes of the cells that should be empty, as Markdown."""
    return "\n".join(
        f"- `{name[:120]}`: "
        + (f"stops: {truth[name]['error'][:120]}" if cell == "missed" else f"trains, {judged[name]['error']}")
        for cell in ("missed", "false")
        for name in table[cell]
    )


if __name__ == "__main__":
    main()
