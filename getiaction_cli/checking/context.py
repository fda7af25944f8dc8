"""The inputs of rules by name, computed once and only when needed: recipe, dataset, policy, this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from getiaction_cli.diagnostics import Diagnostic, Finding, Unavailable
from getiaction_cli.rules import Rule

if TYPE_CHECKING:
    from getiaction_cli.checking.assumptions import AssumedCopy


class Context:
    """A recipe, a dataset or an evaluation to check. Subclasses have a property for each input that a rule may need."""

    name: str = ""
    files: tuple[str, ...] = ()

    def can_provide(self, needs: tuple[str, ...]) -> bool:
        """Whether this kind of context has all inputs with these names."""
        return all(hasattr(type(self), need) for need in needs)

    def get(self, need: str) -> Any:
        """Return the input with this name; raise Unavailable with the reason.

        The reason is cached: thirty rules that need a missing dataset look for it once.
        """
        refused = self.__dict__.setdefault("_refused", {})
        if need not in refused:
            try:
                return getattr(self, need)
            except Unavailable as reason:
                refused[need] = reason
        raise refused[need]

    def assumed_copies(self, wrong: Mapping[str, Finding]) -> tuple[AssumedCopy, ...]:
        """Copies with stand-ins for rejected values, for rules that need the policy's configuration.

        Args:
            wrong: the errors about single values, by route.
        """
        return ()

    def copies_without(self, causes: Sequence[Finding]) -> tuple[AssumedCopy, ...]:
        """Copies with stand-ins for the values of some findings; empty if one of them can't have a stand-in."""
        return ()

    def is_intended(self, rule: Rule, finding: Finding) -> bool:
        """Whether a finding is intended by the recipe."""
        return False

    def is_readable(self, finding: Finding) -> bool:
        """Whether the part that a finding is about could be read; otherwise missing keys prove nothing."""
        return True

    def is_from_lerobot(self, reason: Exception) -> bool:
        """Whether the reason is the installed LeRobot, and not the recipe, the dataset or a plugin."""
        return False

    def is_ignored(self, diagnostic: Diagnostic) -> bool:
        """Whether a comment of the user ignores this diagnostic."""
        return False

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Convert a finding to a diagnostic, its routes to lines."""
        raise NotImplementedError
