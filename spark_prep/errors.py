"""The one error that is meant for people, and the way it reaches them."""

from __future__ import annotations

import sys
from collections.abc import Callable


class PreparationError(Exception):
    """Something a person has to put right. The message says what, where, and what to do next."""


def run(main: Callable[[], None]) -> None:
    """Run a command; a PreparationError becomes `error: …` and exit code 2, without a traceback."""
    try:
        main()
    except PreparationError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
