"""The inputs of rules for one recipe: the recipe itself, its policy, its dataset, this machine.

Each input is computed once, when it is first needed. This module does not report errors: it raises `Unavailable` with a
reason, and the rule responsible for that reason reports it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from getiaction_cli.analysis.mixture_entries import DATASETS, mixture_problems
from getiaction_cli.checking.context import Context
from getiaction_cli.diagnostics import Change, Diagnostic, Finding, Fix, Frame, Related, Report, Severity, Unavailable
from getiaction_cli.errors import CliError, DatasetNotFound
from getiaction_cli.recipe import Place, Recipe, edits_for, file_of, flags_for, may_edit
from getiaction_cli.rules import Rule

if TYPE_CHECKING:
    from getiaction_cli.analysis.checkpoint import Checkpoint
    from getiaction_cli.analysis.recipe_on_dataset import Fit
    from getiaction_cli.checking.assumptions import AssumedCopy
    from getiaction_cli.datasets.dataset import Dataset
    from getiaction_cli.environments import Environment, Simulation
    from getiaction_cli.machine import Machine
    from getiaction_cli.policies import PolicyClass, PolicyConfig, Rejected


# Characters of recipe text that are read again to try fixes: about a hundred fixes of a page, a few of a huge recipe.
_TRIED = 200_000


class SharedInputs:
    """Inputs shared by several recipes: each dataset's metadata is read once, the machine is probed once."""

    def __init__(self, *, offline: bool | None = None, machine: Machine | None = None) -> None:
        self.offline = offline
        self._machine = machine
        self._datasets: dict[tuple[str | None, str | None, str | None], Dataset | CliError] = {}

    def dataset(self, repo_id: str | None, root: str | None, revision: str | None) -> Dataset | CliError:
        """Read the dataset of an id or of a root; return the error if it is unavailable."""
        from getiaction_cli import datasets

        key = (repo_id, root, revision)
        if key not in self._datasets:
            try:
                self._datasets[key] = datasets.read(datasets.locate(repo_id, root, revision, offline=self.offline))
            except CliError as error:
                self._datasets[key] = error
            except (OSError, ValueError) as error:  # a root that is not a valid path
                reason = getattr(error, "strerror", None) or str(error)
                self._datasets[key] = DatasetNotFound(
                    f"no dataset {(repo_id or '')[:80]!r} in root {str(root)[:80]}: {reason}"
                )
        return self._datasets[key]

    def add(self, dataset: Dataset) -> None:
        """Add a dataset that was read before, by its id and by its folder."""
        for root in (None, str(dataset.root)):
            self._datasets[dataset.repo_id, root, None] = dataset
        self._datasets[None, str(dataset.root), None] = dataset

    @cached_property
    def machine(self) -> Machine:
        """This machine."""
        from getiaction_cli import machine

        return self._machine or machine.probe()


class Unmixable(Unavailable):
    """The datasets of a mixture can't be read as one.

    Args:
        problems: route, message and help of each reason.
    """

    def __init__(self, problems: Sequence[tuple[str, str, str]]) -> None:
        super().__init__("the datasets can't be read as one")
        self.problems = tuple(problems)


class RecipeContext(Context):
    """One recipe and what it names."""

    def __init__(self, recipe: Recipe, shared: SharedInputs | None = None) -> None:
        self._recipe = recipe
        self.name = recipe.file
        self.files = tuple(recipe.sources)
        self._shared = shared or SharedInputs()
        # Every fix is tried before it is offered; for a huge recipe only a few are.
        self._fixes_left = _TRIED // (len(recipe.text) + 1)

    # -- inputs of rules ----------------------------------------------------------------------------------------------

    @property
    def recipe(self) -> Recipe:
        """The recipe as located values."""
        return self._recipe

    @cached_property
    def policy_class(self) -> PolicyClass:
        """The policy that the recipe names."""
        from getiaction_cli import policies
        from getiaction_cli.analysis.class_paths import intended_policy

        self._readable("model")
        name = intended_policy(self.recipe)
        if name is None:
            raise Unavailable("the recipe names no policy that is installed")
        return policies.load(name)

    @cached_property
    def configured(self) -> PolicyConfig | Rejected:
        """LeRobot's configuration for the recipe's parameters (and the dataset's features), or its rejection."""
        from getiaction_cli import policies
        from getiaction_cli.analysis.type_errors import oversized_numbers
        from getiaction_cli.analysis.unknown_keys import intended_params

        policy = self.policy_class
        if oversized_numbers(self.recipe):
            raise Unavailable("a number in the recipe is beyond reason")
        try:
            known = set(policy.parameter_names)
        except policies.Unjudgeable as reason:
            raise Unavailable(f"{policy.name}: {reason}") from reason
        given = {**intended_params(self.recipe), **self.recipe.params()}
        params = {**self.pretrained_params(), **{name: given[name] for name in given if name in known}}
        for name, value in params.items():
            try:
                policy.read_value(name, value)
            except policies.Rejected as wrong:
                raise Unavailable(f"the parameter {name} of the policy can't be read") from wrong
            except policies.Unjudgeable as reason:
                raise Unavailable(f"{policy.name}: {reason}") from reason
        dataset = self.dataset_or_reason
        try:
            if isinstance(dataset, CliError | Unavailable):
                return policy.configure(params)
            table = {key: feature.raw for key, feature in dataset.features.items()}
            try:
                inputs, outputs = policies.to_policy_features(table)
            except policies.Rejected:  # reported by the rules about the dataset
                return policy.configure(params)
            every = inputs
            inputs = self._chosen(inputs, "input_features")
            outputs = self._chosen(outputs, "output_features")
            if self.recipe.has("model.init_args.input_features"):  # training removes the other features
                table = {key: raw for key, raw in table.items() if key in inputs or key not in every}
            return policy.configure(params, inputs, outputs, table)
        except policies.Rejected as rejected:
            return rejected
        except policies.Unjudgeable as reason:
            raise Unavailable(f"{policy.name}: {reason}") from reason

    @property
    def policy(self) -> PolicyConfig:
        """The policy's configuration, which has passed LeRobot's checks."""
        from getiaction_cli import policies

        if isinstance(self.configured, policies.Rejected):
            raise Unavailable("the policy refuses its parameters")
        return self.configured

    @cached_property
    def dataset_or_reason(self) -> Dataset | CliError | Unavailable:
        """The dataset, or why it is unavailable."""
        try:
            self._readable("data")
        except Unavailable as reason:
            return reason
        if self.recipe.get(DATASETS) is not None:
            return self._mixture()
        repo_id, root, revision = self.recipe.repo_id, self.recipe.root, self.recipe.data("revision")
        if not (repo_id or "").strip():
            if not (root or "").strip():
                return Unavailable("the recipe names no dataset")
            repo_id = None
        return self._shared.dataset(repo_id, root, revision if isinstance(revision, str) else None)

    def _mixture(self) -> Dataset | Unavailable:
        """The mixture of the recipe's datasets, or why they can't be mixed."""
        from getiaction.spec.mixture import Entry
        from getiaction_cli.datasets import mixture
        from getiaction_cli.datasets.mixture import Mixture

        wrong = list(mixture_problems(self.recipe))
        if wrong:
            return Unmixable(wrong)
        found: list[tuple[Dataset, Entry]] = []
        for number, entry in enumerate(self.recipe.get(DATASETS)):
            known = Entry(**entry)
            dataset = self._shared.dataset(known.repo_id or None, known.root, known.revision)
            if isinstance(dataset, CliError):
                first = dataset.message.splitlines()[0].replace("; searched:", "")
                wrong.append((f"{DATASETS}.{number}.{'repo_id' if known.repo_id else 'root'}", first, dataset.hint))
            else:
                found.append((dataset, known))
        if not wrong:
            parts, entries = zip(*found, strict=True)
            found_wrong = mixture.problems(parts, entries)
            wrong = [(f"{DATASETS}.{i}.{key}", message, help) for i, key, message, help in found_wrong]
            if not wrong:
                mixed: Mixture = mixture.mix(parts, entries)
                return mixed
        return Unmixable(wrong)

    @property
    def dataset(self) -> Dataset:
        """The dataset's metadata."""
        dataset = self.dataset_or_reason
        if isinstance(dataset, Unavailable):
            raise dataset
        if isinstance(dataset, CliError):
            raise Unavailable("the dataset could not be found")
        return dataset

    @cached_property
    def reads_language(self) -> bool:
        """Whether the policy may read the task as text; true for plugins and unknown policies."""
        try:
            policy = self.policy_class
        except Unavailable:
            return True
        return not policy.known or policy.facts.reads_language

    @cached_property
    def fit(self) -> Fit:
        """The recipe applied to its dataset, for the rules GA3xx."""
        from getiaction_cli.analysis import recipe_on_dataset

        return recipe_on_dataset.fit(self.recipe, self.dataset, self.policy)

    @cached_property
    def checkpoint_or_none(self) -> Checkpoint | None:
        """The pretrained policy that the recipe starts from."""
        from getiaction.spec.hub_cache import hub_cache
        from getiaction_cli.analysis import checkpoint

        path, revision = self.recipe.get(checkpoint.ROUTE), self.recipe.get(checkpoint.REVISION)
        if not isinstance(path, str) or not path.strip():
            return None
        return checkpoint.find(path, hub_cache(), revision if isinstance(revision, str) else None)

    @property
    def checkpoint(self) -> Checkpoint:
        """`checkpoint_or_none` for rules that need a downloaded or invalid one; raises Unavailable without it."""
        if self.checkpoint_or_none is None:
            raise Unavailable("the recipe starts from no pretrained policy", is_reported=False)
        if self.checkpoint_or_none.folder is None and not self.checkpoint_or_none.problem:
            stated = self.checkpoint_or_none.path
            raise Unavailable(f"{stated} is not downloaded; training checks it before it loads the weights")
        return self.checkpoint_or_none

    @cached_property
    def environment(self) -> Environment:
        """The type of simulated environment that the `evaluation` section names."""
        from getiaction_cli import environments
        from getiaction_cli.policies import Unjudgeable

        self._readable("evaluation")
        name = self.recipe.get("evaluation.env.type")
        if not isinstance(name, str):
            raise Unavailable("the recipe evaluates in no environment", is_reported=False)
        try:
            known = environments.environments()
        except Unjudgeable as reason:
            raise Unavailable(f"LeRobot's environments: {reason}") from reason
        if name not in known:
            raise Unavailable("the recipe names no environment that LeRobot has", is_reported=False)
        return known[name]

    @cached_property
    def simulated(self) -> Simulation | Rejected:
        """LeRobot's configuration for the environment's fields, or its rejection."""
        from getiaction_cli import policies
        from getiaction_cli.environments import Simulation

        known = self.environment.fields
        values = {name: value for name, value in self.recipe.get("evaluation.env").items() if name in known}
        if self.environment.refused:
            raise Unavailable("getiaction does not create this environment", is_reported=False)
        for name, value in values.items():
            try:
                self.environment.read_value(name, value)
            except policies.Rejected as wrong:
                raise Unavailable(f"the field {name} of the environment can't be read", is_reported=False) from wrong
        try:
            return Simulation(self.environment, values, self.environment.configure(values))
        except policies.Rejected as rejected:
            return rejected
        except policies.Unjudgeable as reason:
            raise Unavailable(f"the environment {self.environment.name}: {reason}") from reason

    @property
    def simulation(self) -> Simulation:
        """The environment, which has passed LeRobot's checks."""
        from getiaction_cli import policies

        if isinstance(self.simulated, policies.Rejected):
            raise Unavailable("the environment refuses its fields", is_reported=False)
        return self.simulated

    @property
    def machine(self) -> Machine:
        """The machine that the command runs on."""
        return self._shared.machine

    # -- when values are rejected --------------------------------------------------------------------------------------

    def copy(self, recipe: Recipe) -> RecipeContext:
        """A context for a copy of the recipe with other values."""
        return RecipeContext(recipe, self._shared)

    def assumed_copies(self, wrong: Mapping[str, Finding]) -> tuple[AssumedCopy, ...]:
        """Copies with stand-ins for rejected values, for rules that need the policy's configuration."""
        from getiaction_cli.checking import assumptions
        from getiaction_cli.policies import Unjudgeable

        try:
            self.policy_class.parameter_names  # noqa: B018 - executes its source
            return assumptions.assumed_copies(self, wrong)
        except (Unavailable, Unjudgeable):
            return ()

    def copies_without(self, causes: Sequence[Finding]) -> tuple[AssumedCopy, ...]:
        """Copies with stand-ins for the values of some findings; empty if one of them can't have a stand-in."""
        from getiaction_cli.checking import assumptions

        return assumptions.copies_without(self, causes)

    # -- how findings become diagnostics -----------------------------------------------------------------------------

    def is_readable(self, finding: Finding) -> bool:
        """Whether the section that a finding is about could be read; otherwise missing keys prove nothing."""
        return finding.span is not None or not finding.at or not self.recipe.is_broken(finding.at)

    def is_intended(self, rule: Rule, finding: Finding) -> bool:
        """Whether a finding is only about excluded episodes, or about relative statistics that the policy needs."""
        if finding.rows is not None:
            import numpy as np  # not needed without a dataset

            with contextlib.suppress(Unavailable):
                return not np.isin(finding.rows, self.fit.chosen).any()
        if rule.code != "GA438" or finding.key != "action":
            return False
        try:
            return bool(self.policy.get("use_relative_actions"))
        except Unavailable:
            return False

    def is_from_lerobot(self, reason: Exception) -> bool:
        """True when LeRobot's own source could not be read; a plugin's concerns the plugin alone."""
        from getiaction_cli.policies import Unjudgeable

        if getattr(reason, "lerobot", False):
            return True
        if not isinstance(reason, Unjudgeable) and not isinstance(reason.__cause__, Unjudgeable):
            return False
        try:
            return self.policy_class.entry.plugin is None
        except Unavailable:
            return True

    def is_ignored(self, diagnostic: Diagnostic) -> bool:
        """Whether a comment ``# getiaction: ignore[…]`` in the recipe names the diagnostic's code."""
        in_recipe = diagnostic.span is not None and diagnostic.file in self.recipe.sources
        line = diagnostic.span.line if in_recipe and diagnostic.span else None
        return self.recipe.ignores(diagnostic.code, line, diagnostic.file if in_recipe else "")

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Convert a finding to a diagnostic, its routes to lines."""
        common: dict[str, Any] = {
            "code": rule.code,
            "name": rule.name,
            "severity": self._severity(rule, finding),
            "message": finding.message,
            "label": finding.label,
            "related": tuple(self._frame(related, finding.within) for related in finding.related),
            "help": finding.help,
        }
        common["fix"], elsewhere = self._fix(finding)
        if elsewhere:
            common["help"] = "; ".join(filter(None, (finding.help, elsewhere)))
        if finding.file:
            file, lines, span = self._in_dataset(finding.file, finding.key)
            return Diagnostic(file=file, path=finding.key, span=span, lines=lines, **common)
        if finding.span is not None:
            source = self.recipe.sources[finding.within or self.recipe.file]
            lines = source.lines(finding.span)
            return Diagnostic(file=source.file, path=finding.at, span=finding.span, lines=lines, **common)
        place = self.recipe.place(finding.at, finding.on) or _whole(self.recipe)
        return Diagnostic(file=place.file, path=finding.at, span=place.span, lines=place.lines, **common)

    def _severity(self, rule: Rule, finding: Finding) -> Severity:
        """The severity; errors in statistics that the policy does not use become warnings."""
        from getiaction_cli.rules.fit import _statistics

        severity = finding.severity or rule.severity
        if severity is not Severity.ERROR or finding.statistics is None:
            return severity
        try:
            return severity if _statistics.used(self.fit, finding) else Severity.WARNING
        except Unavailable:
            return severity

    def _frame(self, related: Related, within: str) -> Frame:
        if related.file:
            file, lines, span = self._in_dataset(related.file, related.key)
            return Frame(file, related.label, related.key, span, lines)
        if related.span is not None:
            source = self.recipe.sources[within or self.recipe.file]
            return Frame(source.file, related.label, "", related.span, source.lines(related.span))
        place = self.recipe.place(related.at, related.on) or _whole(self.recipe)
        return Frame(place.file, related.label, related.at, place.span, place.lines)

    def _in_dataset(self, file: str, key: str) -> tuple[str, tuple[str, ...], Any]:
        lines, span = self.dataset.frame(file, key)
        return str(self.dataset.root / file), tuple(lines), span

    def _fix(self, finding: Finding) -> tuple[Fix | None, str]:
        """Convert a fix to edits; to a help text for the command line and for files that must not be edited."""
        fix = finding.fix
        if isinstance(fix, Change):
            if advice := flags_for(self.recipe, fix, finding.at if not finding.file else ""):
                return None, advice
            self._fixes_left -= 1
            edits = edits_for(self.recipe, fix) if self._fixes_left >= 0 else ()
            fix = Fix(fix.title, edits, fix.safe, file_of(self.recipe, fix) or "") if edits else None
        if fix is None or not fix.file or may_edit(self.recipe, fix.file):
            return fix, ""
        return None, f"{fix.title} in {fix.file} (--fix edits no file outside the folder of {self.recipe.file})"

    # -- gathering ---------------------------------------------------------------------------------------------------

    def _readable(self, section: str) -> None:
        if self.recipe.is_broken(section):
            what = "the recipe" if "*" in self.recipe.broken else f"the section `{section}`"
            raise Unavailable(f"{what} can't be read")

    def _chosen(self, features: dict[str, Any], name: str) -> dict[str, Any]:
        """The features that the recipe lists, or those of its checkpoint; else all of them."""
        keys = self.recipe.get(f"model.init_args.{name}")
        if isinstance(keys, list | dict) and keys:
            return {key: features[key] for key in map(str, keys) if key in features}
        checkpoint = self.checkpoint_or_none
        if name == "input_features" and checkpoint and checkpoint.policy == self.policy_class.name:
            renames = self.recipe.get("model.init_args.rename_map")
            renamed = {(renames.get(key, key) if isinstance(renames, dict) else key): key for key in features}
            known = {key: features[renamed[key]] for key in checkpoint.features(name) if key in renamed}
            return known or features
        return features

    def pretrained_params(self) -> dict[str, Any]:
        """The parameters of the recipe's downloaded checkpoint, which LeRobot uses as defaults."""
        from getiaction_cli import policies

        checkpoint = self.checkpoint_or_none
        if checkpoint is None or checkpoint.policy != self.policy_class.name:
            return {}
        known = set(self.policy_class.parameter_names) - set(policies.NOT_PARAMETERS)
        return {name: value for name, value in checkpoint.config.items() if name in known}


def verdict(
    recipe: Recipe, shared: SharedInputs | None = None, *, select: tuple[str, ...] = (), ignore: tuple[str, ...] = ()
) -> Report:
    """Check a recipe: `validate-config` shows the report, and `train` does not start if it has errors.

    Args:
        recipe: the recipe with overrides.
        shared: inputs shared with other recipes of the same command.
        select: code prefixes to report; empty for all.
        ignore: code prefixes not to report.
    """
    from getiaction_cli.checking.runner import check

    return check(RecipeContext(recipe, shared), select=select, ignore=ignore)


def _whole(recipe: Recipe) -> Place:
    """The first line with content, which is shown for findings about the whole recipe."""
    source = recipe.source
    for number in range(1, source.line_count + 1):
        line = source.line(number)
        if line.strip() and not line.lstrip().startswith("#"):
            start = source.start_of(number) + len(line) - len(line.lstrip())
            span = source.span(start, source.start_of(number) + len(line.rstrip()))
            return Place(source.file, span, (line,), "")
    return Place(source.file, source.span(0, 0), source.lines(source.span(0, 0)), "")
