"""What a command costs: wall time, CPU and memory of all its processes, those included that it leaves behind.

    run = measured(["python", "-m", "…"], environment, log)

The command is started by a process of its own (`python -m ci.benchmarks.measure`), to which Linux hands every orphan: the JVM and
the workers of a Spark job are children of a child, and nobody else would wait for them and learn their CPU time.

Of the workers that end before their daemon (pyspark.daemon), nobody learns it at all: it ignores SIGCHLD, and Linux then drops their
times. What they had used is known from the last look at them.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil

PR_SET_CHILD_SUBREAPER = 36
LOOK_EVERY_SECONDS = 0.25
ORPHANS_MAY_TAKE_SECONDS = 60


class Cost(NamedTuple):
    """Seconds until the command has ended; seconds of CPU, user and system, until the last of its processes has (of a worker of Spark, up to
    the last look at it); the largest sum of the processes' shares of memory (PSS), in bytes, seen at any moment; bytes that the command, and the
    processes for which it waited, read of files and pipes, from the disk or not; the command's exit code."""

    wall: float
    cpu: float
    peak_bytes: int
    read_bytes: int
    exit_code: int


def measured(command: Sequence[str], environment: dict[str, str], log: Path) -> Cost:
    """Run the command, its output to `log`. Linux only."""
    result = log.with_suffix(".json")
    observer = [sys.executable, "-m", "ci.benchmarks.measure", str(result), str(log), *command]
    subprocess.run(observer, env=environment, check=True)
    return Cost(**json.loads(result.read_text()))


def _observe(command: Sequence[str], log: Path) -> Cost:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    peak, unwaited, is_over = [0], dict[int, float](), threading.Event()
    watch = threading.Thread(target=_watch, args=(peak, unwaited, is_over))
    with open(log, "wb") as output:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        watch.start()
        # Not yet waited for: its counters would be gone.
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall = time.perf_counter() - began
        read_bytes = _read_by(process.pid)
        exit_code = process.wait()
    waited = _wait_for_orphans()
    is_over.set()
    watch.join()
    lost = sum(seconds for pid, seconds in unwaited.items() if pid not in waited)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    # a process that was gone before it was seen
    peak_bytes = max(peak[0], usage.ru_maxrss * 1024)
    return Cost(wall, usage.ru_utime + usage.ru_stime + lost, peak_bytes, read_bytes, exit_code)


def _read_by(pid: int) -> int:
    counters = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(counters["rchar"])


def _wait_for_orphans() -> set[int]:
    """Those that there were."""
    deadline, waited = time.monotonic() + ORPHANS_MAY_TAKE_SECONDS, set[int]()
    while True:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return waited
        waited.add(process)
        if process == 0:
            if time.monotonic() > deadline:
                names = [child.name() for child in psutil.Process().children(recursive=True)]
                raise TimeoutError(f"the command has ended, but {', '.join(names)} goes on")
            time.sleep(0.02)


def _watch(peak: list[int], unwaited: dict[int, float], is_over: threading.Event) -> None:
    """`unwaited` gets the seconds of CPU of each process for which its parent will not wait."""
    while not is_over.wait(LOOK_EVERY_SECONDS):
        processes = psutil.Process().children(recursive=True)
        peak[0] = max(peak[0], sum(map(_share_of_memory, processes)))
        for process in processes:
            with suppress(psutil.NoSuchProcess, FileNotFoundError):  # has ended meanwhile
                if _ignores_its_children(process.ppid()):
                    unwaited[process.pid] = sum(process.cpu_times()[:4])  # its own, and its children's


def _ignores_its_children(pid: int) -> bool:
    ignored = re.search(r"^SigIgn:\s*(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return bool(ignored and int(ignored[1], 16) >> (signal.SIGCHLD - 1) & 1)


def _share_of_memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.NoSuchProcess, psutil.AccessDenied):  # has ended meanwhile
        return 0


if __name__ == "__main__":
    result, log, *command = sys.argv[1:]
    Path(result).write_text(json.dumps(_observe(command, Path(log))._asdict()))
