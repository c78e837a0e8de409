"""`make test`: every part runs, and one that fails is seen."""

import os
import re
import subprocess
import sys

import pytest

from ci.staged_sample import ROOT

MAKEFILE = "good other:\n\t@echo this is $@\nbad:\n\t@echo this is $@; false\n"


@pytest.mark.parametrize(
    ("parts", "results", "code"),
    [
        (["good", "bad", "other"], ["passed", "FAILED", "passed"], 1),
        (["good", "other"], ["passed", "passed"], 0),
    ],
)
def test_every_part_runs_and_is_reported(tmp_path, parts, results, code):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    ran = subprocess.run(
        [sys.executable, "-m", "ci.parts", *parts],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == code
    assert re.findall(r"^this is (\w+)$", ran.stdout, re.MULTILINE) == parts
    table = ran.stdout.split("duration\n")[1]
    assert re.findall(r"^(\w+) +(\w+) +\d+ min +\d+ s$", table, re.MULTILINE) == list(
        zip(parts, results, strict=True)
    )
