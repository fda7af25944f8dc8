"""What rules can ask for by name, gathered once and only when asked: recipe, dataset, policy, this machine."""

from __future__ import annotations

from typing import Any

from getiaction_cli.diagnostics import Diagnostic, Finding, Unavailable
from getiaction_cli.rules import Rule


class Context:
    """One recipe (with what it names) or one dataset. Subclasses add a cached property per thing a rule may ask for."""

    name: str = ""

    def wants(self, needs: tuple[str, ...]) -> bool:
        """True when a rule with these needs concerns this kind of context at all."""
        return all(hasattr(type(self), need) for need in needs)

    def get(self, need: str) -> Any:
        """The thing a rule asks for by that parameter name; raises Unavailable with the reason.

        The reason is kept too: thirty rules that ask for a dataset that is not there cost one look.
        """
        refused = self.__dict__.setdefault("_refused", {})
        if need not in refused:
            try:
                return getattr(self, need)
            except Unavailable as reason:
                refused[need] = reason
        raise refused[need]

    def is_echo(self, rule: Rule, finding: Finding) -> bool:
        """True for a finding that only repeats what was already said elsewhere; it is left out."""
        return False

    def ignored(self, diagnostic: Diagnostic) -> bool:
        """True when the user has asked not to see this diagnostic."""
        return False

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Turn the routes of a finding into lines."""
        raise NotImplementedError
