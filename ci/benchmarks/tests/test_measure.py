"""The measuring counts every process of a command."""

import os
import sys

import pytest

from ci.benchmarks.measure import measured
from ci.benchmarks.ways import ROOT

WORK = "import time\nuntil = time.process_time() + {seconds}\nwhile time.process_time() < until: pass\n"
# A command that starts a process in a session of its own, and does not wait for it.
LEAVES_AN_ORPHAN = (
    "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True)\n"
)
# As pyspark.daemon treats its workers.
IGNORES_A_CHILD = "import signal, subprocess, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nsubprocess.run([sys.executable, '-c', {code!r}])\n"
READS = "open('{file}', 'rb', buffering=0).read()"
HOLDS_MEMORY = "import time\nheld = bytearray(150_000_000)\ntime.sleep(1)\n"


def cost_of(code, tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return measured([sys.executable, "-c", code], environment, tmp_path / "log")


def test_the_cpu_of_a_process_that_is_left_behind_counts(tmp_path):
    left = cost_of(LEAVES_AN_ORPHAN.format(code=WORK.format(seconds=0.8)), tmp_path)
    own = cost_of(WORK.format(seconds=0.8), tmp_path)
    nothing = cost_of("pass", tmp_path)
    assert left.cpu > nothing.cpu + 0.7 and own.cpu > nothing.cpu + 0.7
    assert left.exit_code == own.exit_code == nothing.exit_code == 0


def test_the_cpu_of_a_process_for_which_nobody_waits_counts_once(tmp_path):
    nothing = cost_of("pass", tmp_path)
    ignored = cost_of(IGNORES_A_CHILD.format(code=WORK.format(seconds=1.5)), tmp_path)
    assert nothing.cpu + 1.1 < ignored.cpu < 2 * nothing.cpu + 2.2
    # its parent dies first: then it is waited for
    left = IGNORES_A_CHILD.replace("subprocess.run", "subprocess.Popen").format(code=WORK.format(seconds=1.5))
    assert (
        nothing.cpu + 1.4 < cost_of(f"{left}import time; time.sleep(1)", tmp_path).cpu < 2 * nothing.cpu + 2.2
    )


@pytest.mark.parametrize(
    "code",
    [HOLDS_MEMORY, f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {HOLDS_MEMORY!r}])"],
)
def test_memory_is_that_of_all_processes(tmp_path, code):
    assert 150e6 < cost_of(code, tmp_path).peak_bytes < 300e6


@pytest.mark.parametrize(
    "code", [READS, f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {READS!r}])"]
)
def test_what_is_read_counts_also_if_it_is_in_memory_already(tmp_path, code):
    (tmp_path / "file").write_bytes(bytes(50_000_000))
    nothing, read = (cost_of(text.format(file=tmp_path / "file"), tmp_path) for text in ("pass", code))
    assert 50e6 <= read.read_bytes - nothing.read_bytes < 60e6


def test_two_processes_side_by_side_need_the_memory_of_both(tmp_path):
    code = LEAVES_AN_ORPHAN.format(code=HOLDS_MEMORY) + HOLDS_MEMORY
    assert 300e6 < cost_of(code, tmp_path).peak_bytes < 450e6


def test_a_failure_is_reported_with_its_output(tmp_path):
    assert cost_of("import sys; sys.exit('no such table')", tmp_path).exit_code == 1
    assert (tmp_path / "log").read_text() == "no such table\n"
