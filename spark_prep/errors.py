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
# What a store writes of a request that it will refuse again (Arrow has one class for all that it says), and a database that has gone.
REFUSED_AGAIN = re.compile(
    "ACCESS_DENIED|PERMISSION_DENIED|UNAUTHENTICATED|NO_SUCH_BUCKET|INVALID_ACCESS_KEY_ID|SIGNATURE_DOES_NOT_MATCH|"
    "HTTP status 40[0134]"
)
SERVER_GONE = re.compile(
    "server closed the connection|terminating connection|could not (send|receive) data|no connection to the server"
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


def not_done(what: str, error: Exception, to_do: str = "") -> PreparationError:
    """What cannot be done with files or a database, why, and what to do. ConnectionLost when another try may find it mended."""
    said = " ".join(str(error).split())
    kind = ConnectionLost if _may_pass(error, said) else PreparationError
    return kind(f"{what}: {said}{to_do and '; '}{to_do}")


def _may_pass(error: Exception, said: str) -> bool:
    if isinstance(error, PermissionError | NotADirectoryError | IsADirectoryError | FileExistsError):
        return False
    if "[libpq]" in said:
        # of any class, from a stream
        return bool(SERVER_GONE.search(said))
    # Arrow's other errors are about what is broken, which stays so
    return isinstance(error, OSError) and not REFUSED_AGAIN.search(said)


def from_worker(error: Exception) -> PreparationError | None:
    """The error that a worker of Spark has raised, of which the driver gets the text; None for any other."""
    told = re.search(r"\b(PreparationError|ConnectionLost): (.+)", str(error))
    if told is None:
        return None
    kind = ConnectionLost if told[1] == "ConnectionLost" else PreparationError
    return kind(told[2])


def run(main: Callable[[], None]) -> None:
    """Run a command; a PreparationError becomes `error: …` and its exit code, without a traceback."""
    try:
        main()
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
