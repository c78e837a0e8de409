"""The one error that is meant for people, and the way it reaches them."""

from __future__ import annotations

import sys
from collections.abc import Callable


class PreparationError(Exception):
    """Something a person has to put right. The message says what, where, and what to do next."""


def no_connection(error: Exception) -> PreparationError:
    """Why the shop's database cannot be reached, from the driver's error."""
    # Only the server's own words: the driver's may repeat parts of the DSN, and with them the password.
    answer = str(error).partition("FATAL:")[2].strip()
    if not answer and "connection info string" in str(error):
        answer = "the DSN is none; write postgresql://user:password@host:port/database"
    answer = answer or "no server answers at the address in USER_PURCHASE_DSN"
    return PreparationError(f"cannot connect to the shop's PostgreSQL: {answer}; check USER_PURCHASE_DSN")


def run(main: Callable[[], None]) -> None:
    """Run a command; a PreparationError becomes `error: …` and exit code 2, without a traceback."""
    try:
        main()
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
