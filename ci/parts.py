"""Runs the parts of `make test` one after the other, all of them, and reports at the end how each went.

    python -m ci.parts lint test-python test-airflow test-terraform

A part is a target of the Makefile. Ends with 1 if any failed.
"""

import subprocess
import sys
import time


def main(parts: list[str]) -> int:
    lines, is_failed = [], False
    for part in parts:
        print(f"\n== make {part}", flush=True)
        began = time.monotonic()
        code = subprocess.run(["make", "--no-print-directory", part], check=False).returncode  # noqa: S607 - the make that started this
        minutes, seconds = divmod(round(time.monotonic() - began), 60)
        lines.append(f"{part:<16}  {'FAILED' if code else 'passed'}  {minutes:>3} min {seconds:>2} s")
        is_failed |= bool(code)
    print("", "part              result  duration", *lines, sep="\n", flush=True)
    return int(is_failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
