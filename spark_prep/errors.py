"""The one error that is meant for people, and the way it reaches them."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable

# What the two drivers (psycopg's, ADBC's) write when a server has answered; with a DSN that they cannot read, they repeat parts of it.
SERVER_ANSWERED = re.compile(
    r"(?:connection (?:failed|is bad)|IO: \[libpq\] Failed to connect): connection to server .*?FATAL:(.*)",
    re.DOTALL,
)


class PreparationError(Exception):
    """Something a person has to put right. The message says what, where, and what to do next.

    A scheduler learns from the command's exit code whether another try can help.
    """

    exit_code = 2


class NeedsAcceptance(PreparationError):
    """The day is odd, and may still be right: a person decides whether it goes on."""

    exit_code = 3


class ConnectionLost(PreparationError):
    """Something did not answer; it may later. The code is EX_TEMPFAIL of sysexits.h."""

    exit_code = 75


def no_connection(error: Exception) -> ConnectionLost:
    """Why the shop's database cannot be reached, from the driver's error."""
    # Only the server's own words: the driver's may hold the password.
    found = SERVER_ANSWERED.match(str(error))
    answer = found[1].strip() if found else ""
    if not answer and "connection info string" in str(error):
        answer = "the DSN is none; write postgresql://user:password@host:port/database"
    answer = answer or "no server answers at the address in USER_PURCHASE_DSN"
    return ConnectionLost(f"cannot connect to the shop's PostgreSQL: {answer}; check USER_PURCHASE_DSN")


def not_answered(what: str, error: Exception) -> PreparationError:
    """What cannot be done with files, and why. A store that does not answer (OSError) may do so later; what is broken stays so."""
    kind = ConnectionLost if isinstance(error, OSError) else PreparationError
    return kind(f"{what}: {' '.join(str(error).split())}")


def run(main: Callable[[], None]) -> None:
    """Run a command; a PreparationError becomes `error: …` and its exit code, without a traceback."""
    try:
        main()
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
