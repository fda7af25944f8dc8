"""Install commands for the package manager that made this environment. Standard library only."""

from importlib.util import find_spec


def install_command(requirement: str) -> str:
    """The command that installs a package, or an extra as "getiaction[smolvla]", into this environment.

    An environment made by uv has no pip; the `pip` on the PATH would install into another environment.
    """
    tool = "pip" if find_spec("pip") else "uv pip"
    quoted = f"'{requirement}'" if set(requirement) & set("[]<>=") else requirement
    return f"{tool} install {quoted}"
