"""Drop the arguments of a class that a later file or the command line replaces."""

from __future__ import annotations

from dataclasses import replace

from getiaction_cli.diagnostics import Finding
from getiaction_cli.recipe.nodes import Found, Node

ANOTHER_CLASS = "GA157"


def drop_outdated_arguments(
    section: Node, class_path: Node, route: str, policy_name: Node | None = None
) -> list[Found]:
    """Remove the arguments of the earlier class from a section whose class changes.

    They were chosen for the earlier class: the learning rate of one policy is wrong for another. Arguments from the
    command line are kept.

    Args:
        section: the section with the earlier class; changed in place.
        class_path: the new class.
        route: the route of the class path.
        policy_name: the policy of the new section, if its class is the general wrapper.

    Returns:
        A finding that lists the removed arguments; empty if none was removed.
    """
    earlier, arguments = section.pairs.get("class_path"), section.pairs.get("init_args")
    if earlier is None or arguments is None:
        return []
    before, after = str(earlier.value.value).rpartition(".")[2], str(class_path.value).rpartition(".")[2]
    if earlier.value.plain() == class_path.plain():
        named = arguments.value.pairs.get("policy_name")
        if named is None or policy_name is None or named.value.plain() == policy_name.plain():
            return []
        before, after = str(named.value.value), str(policy_name.value)
    gone = [name for name, pair in arguments.value.pairs.items() if not pair.value.source.is_command_line]
    kept = {name: pair for name, pair in arguments.value.pairs.items() if name not in gone}
    section.pairs["init_args"] = replace(arguments, value=replace(arguments.value, pairs=kept))
    if not gone:
        return []
    names = ", ".join(f"`{name}`" for name in gone)
    message = f"`{after}` replaces `{before}`, and the arguments for `{before}` are dropped: {names}"
    return [(ANOTHER_CLASS, Finding(message, at=route))]
