"""What rules can ask for by name, gathered once and only when asked: recipe, dataset, policy, this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from getiaction_cli.diagnostics import Diagnostic, Finding, Unavailable
from getiaction_cli.rules import Rule

if TYPE_CHECKING:
    from getiaction_cli.checking.assumptions import World


class Context:
    """One recipe (with what it names) or one dataset. Subclasses add a cached property per thing a rule may ask for."""

    name: str = ""
    files: tuple[str, ...] = ()

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

    def worlds(self, wrong: Mapping[str, Finding]) -> tuple[World, ...]:
        """Copies with stand-ins for refused values, on which rules run that need the policy's configuration.

        Args:
            wrong: the errors about single values, by route.
        """
        return ()

    def without(self, causes: Sequence[Finding]) -> tuple[World, ...]:
        """Copies with stand-ins for the values that findings are about; none where one of them can't have any."""
        return ()

    def is_meant(self, rule: Rule, finding: Finding) -> bool:
        """True where what a rule finds is as the recipe needs it."""
        return False

    def is_readable(self, finding: Finding) -> bool:
        """False for a finding about a part that could not be read: what is missing there proves nothing."""
        return True

    def of_lerobot(self, reason: Exception) -> bool:
        """True when the reason lies in the installed LeRobot: neither in what is judged nor in a plugin."""
        return False

    def ignored(self, diagnostic: Diagnostic) -> bool:
        """True when the user has asked not to see this diagnostic."""
        return False

    def locate(self, rule: Rule, finding: Finding) -> Diagnostic:
        """Turn the routes of a finding into lines."""
        raise NotImplementedError
