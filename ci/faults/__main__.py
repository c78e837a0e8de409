"""Faults done to the real commands: `make test-faults`, or `python -m ci.faults --rounds 5 --only kill-export store`.

With --publish the table goes to docs/faults.md. Ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys

from ci.faults.document import publish, row
from ci.faults.result import Result
from ci.faults.suite import NAMES, run
from ci.staged_sample import Sample


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ci.faults", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        metavar="N",
        help="rounds of each fault; five times as many of those that take a second or two (default: 5)",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=secrets.randbelow(10**6),
        metavar="S",
        help="repeats the faults of a run, which prints it; when they strike differs with the machine",
    )
    parser.add_argument(
        "--only", nargs="+", choices=NAMES, default=NAMES, metavar="FAULT", help=f"of {', '.join(NAMES)}"
    )
    parser.add_argument("--publish", action="store_true", help="write docs/faults.md")
    arguments = parser.parse_args()
    # what the commands have written is read here
    os.environ["QUARANTINE_SECRET"] = Sample.QUARANTINE_SECRET
    print(f"seed {arguments.seed}", flush=True)
    results: list[Result] = []
    for result in run(arguments.only, arguments.rounds, arguments.seed):
        results.append(result)
        print("  ".join(row(result)), *result.findings, sep="\n    ", flush=True)
    if arguments.publish:
        publish(results, arguments.seed)
    return int(any(result.findings for result in results))


if __name__ == "__main__":
    sys.exit(main())
