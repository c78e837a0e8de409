"""The wire between redshift_connector and PostgreSQL: start-up as Redshift does it, SQL rewritten on its way.

The protocol is PostgreSQL's (https://www.postgresql.org/docs/16/protocol-message-formats.html). TLS is refused, of the
start-up packet only what PostgreSQL knows goes on, and the text of Parse and Query messages goes through a function.
Everything else passes unread, but for ReadyForQuery, which tells whether a transaction is open.
"""

import contextlib
import socket
import socketserver
import struct
import threading
from collections.abc import Callable
from io import BufferedIOBase
from typing import BinaryIO

SSL_REQUEST, GSS_REQUEST, CANCEL_REQUEST, PROTOCOL_3 = 80877103, 80877104, 80877102, 196608
PARAMETERS_OF_POSTGRESQL = {b"user", b"database", b"client_encoding"}
REDSHIFT_VERSION = b"8.0.2"

# (the text of a message, whether a transaction is open) → the text for PostgreSQL
Rewrite = Callable[[str, bool], str]
# What happens before statements are executed, also those that were prepared earlier.
Prepare = Callable[[], None]


class Wire(socketserver.ThreadingTCPServer):
    """Listens on a free port of loopback, a thread for each connection and direction."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, postgres_socket: str, rewrite: Rewrite, prepare: Prepare):
        self.postgres_socket, self.rewrite, self.prepare = postgres_socket, rewrite, prepare
        super().__init__(("127.0.0.1", 0), Connection)
        self.port: int = self.socket.getsockname()[1]


class Connection(socketserver.StreamRequestHandler):
    server: Wire
    # Answers are many small packets, each of which would wait for the acknowledgement of the one before.
    disable_nagle_algorithm = True
    in_transaction = False

    def handle(self) -> None:
        # A side that goes away, in whatever order, ends the connection.
        with contextlib.suppress(OSError, EOFError), socket.socket(socket.AF_UNIX) as postgres:
            postgres.connect(self.server.postgres_socket)
            with postgres.makefile("rb") as from_postgres, postgres.makefile("wb") as to_postgres:
                if self.start_up(to_postgres):
                    threading.Thread(target=self.answers, args=[from_postgres], daemon=True).start()
                    try:
                        self.questions(to_postgres)
                    finally:
                        postgres.shutdown(socket.SHUT_RDWR)

    def start_up(self, to_postgres: BinaryIO) -> bool:
        """Pass on the first packet; says whether a conversation follows."""
        while True:
            packet = read(self.rfile, struct.unpack("!i", read(self.rfile, 4))[0] - 4)
            (code,) = struct.unpack("!i", packet[:4])
            if code not in (SSL_REQUEST, GSS_REQUEST):
                break
            self.wfile.write(b"N")
        if code != CANCEL_REQUEST:
            words = packet[4:].split(b"\0")
            parameters = zip(words[::2], words[1::2], strict=False)
            known = [b"%s\0%s\0" % pair for pair in parameters if pair[0] in PARAMETERS_OF_POSTGRESQL]
            packet = struct.pack("!i", PROTOCOL_3) + b"".join(known) + b"\0"
        to_postgres.write(struct.pack("!i", len(packet) + 4) + packet)
        to_postgres.flush()
        return code != CANCEL_REQUEST

    def questions(self, to_postgres: BinaryIO) -> None:
        while True:
            kind, body = read_message(self.rfile)
            if kind in (b"Q", b"B"):
                self.server.prepare()
            if kind == b"Q":
                body = self.rewritten(body[:-1]) + b"\0"
            elif kind == b"P":
                name, sql, types = body.split(b"\0", 2)
                body = b"\0".join([name, self.rewritten(sql), types])
            to_postgres.write(message(kind, body))
            to_postgres.flush()

    def rewritten(self, sql: bytes) -> bytes:
        return self.server.rewrite(sql.decode(), self.in_transaction).encode()

    def answers(self, from_postgres: BinaryIO) -> None:
        with contextlib.suppress(OSError, EOFError, ValueError), self.connection.makefile("wb") as to_client:
            while True:
                kind, body = read_message(from_postgres)
                if kind == b"S" and body.startswith(b"server_version\0"):
                    body = b"server_version\0%s\0" % REDSHIFT_VERSION
                elif kind == b"Z":
                    self.in_transaction = body != b"I"
                to_client.write(message(kind, body))
                if kind != b"D":  # rows are sent together with what follows them
                    to_client.flush()
        # PostgreSQL has hung up: the client has to notice as well.
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def read_message(stream: BinaryIO | BufferedIOBase) -> tuple[bytes, bytes]:
    kind, length = struct.unpack("!ci", read(stream, 5))
    return kind, read(stream, length - 4)


def read(stream: BinaryIO | BufferedIOBase, size: int) -> bytes:
    content = stream.read(size)
    if len(content) < size:
        raise EOFError
    return content


def message(kind: bytes, body: bytes) -> bytes:
    return struct.pack("!ci", kind, len(body) + 4) + body
