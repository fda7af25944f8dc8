"""Convert LeRobot's output to log lines, and its exceptions to errors that name the policy."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator

from draccus.utils import DecodingError, ParsingError

from getiaction.errors import PolicyError, TrainingError
from getiaction.lerobot.foreign_code import no_foreign_code, refusal
from getiaction.spec.installing import install_command

log = logging.getLogger(__name__)


@contextlib.contextmanager
def quiet_prints() -> Iterator[None]:
    """Context in which output to stdout becomes debug log lines."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in filter(None, printed.getvalue().splitlines()):
            log.debug(line)


@contextlib.contextmanager
def policy_errors(policy: str) -> Iterator[None]:
    """Context in which exceptions become a `PolicyError` that names the policy, and no foreign code runs."""
    try:
        with no_foreign_code(policy):
            yield
    except TrainingError:
        raise
    except ImportError as error:
        extra = re.search(r"lerobot\[([\w-]+)\]", str(error))
        hint = install_command(f"getiaction[{extra[1]}]") if extra else ""
        raise PolicyError(f"{policy} needs a package that is not installed: {first_line(error)}", hint) from error
    except OSError as error:
        raise PolicyError(
            f"{policy} needs a file that is neither on this machine nor available: {first_line(error)}",
            "connect to the network once, log in when the repository is gated (hf auth login), or name a local folder",
        ) from error
    except Exception as error:
        if (refused := refusal(error)) is not None:
            raise refused from error
        # draccus wraps the message of the configuration's own checks; its own decoding errors have good messages.
        wraps = isinstance(error, ParsingError) and not isinstance(error, DecodingError)
        cause = error.__cause__ if wraps and error.__cause__ else error
        raise PolicyError(f"{policy}: {first_line(cause)}") from error


def first_line(error: BaseException) -> str:
    """The message of an error in one line of at most 400 characters."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 400 else text[:399] + "…"
