"""The faults, each as a function that does it once to a place and returns whether it struck; what must hold afterwards is in __main__."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib import request
from urllib.error import HTTPError

from ci.faults.lake import Place

POLL_SECONDS = 0.001
CHUNK_BYTES = 1 << 16
# About what dbt's build of the days writes at the most; the export and a Spark job write less than the other.
BUILD_BYTES, JOB_BYTES = 4 << 20, 160 << 10
# Beyond KEEP_RUNS_HOURS in both directions.
CLOCK_HOURS = 60 * 24


def killed(place: Place, command: str, usual_seconds: float, rng: random.Random) -> bool:
    """SIGKILL to the command's process group: after a random time, or every second time as soon as it has written so many files."""
    files = rng.randint(1, 12) if rng.random() < 0.5 and command != "build" else None
    end = time.monotonic() + rng.uniform(0, usual_seconds)
    before = _files(place.folder)
    process = place.start(command)
    while process.poll() is None:
        if files is None and time.monotonic() >= end:
            break
        if files is not None and _files(place.folder) >= before + files:
            break
        time.sleep(POLL_SECONDS)
    struck = process.poll() is None
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return struck


def _files(folder: Path) -> int:
    return sum(len(files) for area in ("staging", "quarantine") for _, _, files in os.walk(folder / area))


def twice_at_once(place: Place, command: str, usual_seconds: float, rng: random.Random) -> bool:
    """The same command twice; returns whether the second began before the first had ended."""
    first = place.start(command)
    time.sleep(rng.uniform(0, usual_seconds / 2))
    struck = first.poll() is None
    second = place.start(command)
    for process in (first, second):
        printed, _ = process.communicate()
        if process.returncode:
            raise AssertionError(f"one of two {command} at once ended with {process.returncode}: {printed}")
    return struck


def builds_at_once(place: Place, command: str, usual_seconds: float, rng: random.Random) -> bool:
    """Two of dbt, of which DuckDB lets one write: the other ends with a message that says so. Returns whether it did."""
    first = place.start(command)
    time.sleep(rng.uniform(0, usual_seconds / 2))
    second = place.start(command)
    printed = [process.communicate()[0] for process in (first, second)]
    failed = [said for process, said in zip((first, second), printed, strict=True) if process.returncode]
    if any("Could not set lock" not in said for said in failed):
        raise AssertionError(f"of two {command} at once one failed for another reason: {failed}")
    return bool(failed)


def disk_full_in_build(place: Place, command: str, usual_seconds: float, rng: random.Random) -> bool:
    """dbt's message is DuckDB's; the disk is whole again afterwards. False also where nobody may mount a file system."""
    with nearly_full(place.warehouse.file.parent, BUILD_BYTES, rng) as ballast:
        if not ballast:
            return False
        process = place.start(command)
        printed, _ = process.communicate()
        if process.returncode and "No space left on device" not in printed:
            raise AssertionError(f"it failed without a clear error: {printed}")
        ballast.unlink()
    return process.returncode != 0


def at_another_time(place: Place, command: str, usual_seconds: float, rng: random.Random) -> bool:
    """Twice, with a clock that is up to two months off and jumps in between; both end well."""
    for _ in range(2):
        place.run(command, under=("ci.faults.clock", f"{rng.uniform(-1, 1) * CLOCK_HOURS:.3f}"))
    return True


def without_database(place: Place, most_bytes: int, rng: random.Random) -> bool:
    """The export reads through a connection that is cut after a random number of bytes."""
    with cut_connection(place.environment["USER_PURCHASE_DSN"], rng.randint(0, most_bytes)) as (dsn, _):
        return failed_clearly(place.start("export", USER_PURCHASE_DSN=dsn))


def failed_clearly(process: subprocess.Popen[str]) -> bool:
    """Whether the command failed, which must be with one clear error."""
    printed, _ = process.communicate()
    if process.returncode and ("error: " not in printed or "Traceback" in printed):
        raise AssertionError(f"it failed without a clear error: {printed}")
    return process.returncode != 0


@contextlib.contextmanager
def cut_connection(dsn: str, most_bytes: int | None) -> Iterator[tuple[str, list[int]]]:
    """Another address of a PostgreSQL on a Unix socket. After so many bytes from the server both ends are closed, and nobody is let in
    any more. Yields its DSN, and a list whose sum is what came from the server."""
    folder = dsn.partition("host=")[2].partition("&")[0]
    own, counts = Path(folder).with_name("cut"), list[int]()
    own.mkdir(mode=0o755, exist_ok=True)
    (own / ".s.PGSQL.5432").unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(own / ".s.PGSQL.5432"))
        listening.listen()

        def pump(source: socket.socket, target: socket.socket, *, is_counted: bool) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(CHUNK_BYTES):
                    if is_counted:
                        counts.append(len(data))
                    if most_bytes is not None and sum(counts) > most_bytes:
                        break
                    target.sendall(data)
            for end in (source, target):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = listening.accept()
                    server = socket.socket(socket.AF_UNIX)
                    server.connect(f"{folder}/.s.PGSQL.5432")
                    threading.Thread(
                        target=pump, args=(client, server), kwargs={"is_counted": False}, daemon=True
                    ).start()
                    threading.Thread(
                        target=pump, args=(server, client), kwargs={"is_counted": True}, daemon=True
                    ).start()

        threading.Thread(target=serve, daemon=True).start()
        yield dsn.replace(folder, str(own)), counts
        with contextlib.suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def moody_store(
    endpoint: str, rng: random.Random, *, share: float, good_requests: int | None
) -> Iterator[tuple[str, list[int]]]:
    """An object store that answers 503 to a share of all requests, and to all of them after so many. Yields its address, and the list
    of the numbers of requests that got a 503: an upload in parts may end half-way."""
    lock, served, refused = threading.Lock(), [0], list[int]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body of an answer are two packets

        def answer(self) -> None:
            body = self.body()
            with lock:
                served[0] += 1
                is_refused = rng.random() < share or (good_requests is not None and served[0] > good_requests)
                if is_refused:
                    refused.append(served[0])
            if is_refused:
                self.reply(503, {}, b"")
                return
            own = ("host", "transfer-encoding", "content-length", "expect", "connection")
            headers = {name: value for name, value in self.headers.items() if name.lower() not in own}
            asked = request.Request(  # noqa: S310 - loopback
                endpoint + self.path,
                body or None,
                headers | {"Host": self.headers["Host"]},
                method=self.command,
            )
            try:
                with request.urlopen(asked) as answer:  # noqa: S310 - loopback
                    self.reply(answer.status, dict(answer.headers), answer.read())
            except HTTPError as error:
                self.reply(error.code, dict(error.headers), error.read())

        def body(self) -> bytes:
            """Arrow's client sends parts of an upload in chunks."""
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            length = (
                headers.get("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body))
            )
            for name, value in headers.items():
                if name.lower() not in (
                    "content-length",
                    "transfer-encoding",
                    "connection",
                    "server",
                    "date",
                ):
                    self.send_header(name, value)
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", refused
    finally:
        server.shutdown()


@contextlib.contextmanager
def nearly_full(folder: Path, most_free: int, rng: random.Random) -> Iterator[Path | None]:
    """A file system of its own for the folder, with its content and at most so many bytes free. Yields the file that takes up the space, or
    None where this machine lets nobody mount one. Afterwards the folder has what it held then."""
    saved = folder.with_name("saved")
    folder.rename(saved)
    folder.mkdir()
    used = sum(file.stat().st_size for file in saved.rglob("*") if file.is_file())
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={((used + most_free) >> 20) + 2}m", "tmpfs", str(folder)],  # noqa: S607 - of the system
        capture_output=True, check=False,
    ).returncode  # fmt: skip
    subprocess.run(["cp", "-r", f"{saved}/.", str(folder)], check=True)  # noqa: S607 - of the system
    shutil.rmtree(saved)
    ballast = folder / "ballast"
    try:
        if mounted:
            with contextlib.suppress(OSError), open(ballast, "wb") as file:
                free = os.statvfs(ballast).f_bavail * os.statvfs(ballast).f_frsize
                file.write(b"\0" * max(0, free - rng.randint(0, most_free)))
        yield ballast if mounted else None
        if mounted:
            subprocess.run(["cp", "-r", str(folder), str(saved)], check=True)  # noqa: S607 - of the system
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)  # noqa: S607 - of the system
            if saved.exists():
                shutil.rmtree(folder)
                saved.rename(folder)
