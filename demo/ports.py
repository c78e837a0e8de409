"""Ports of the loopback address."""

import random
import socket

# Below those from which outgoing connections take theirs (Linux: from 32768, macOS and Windows: from 49152): one of those may be taken by
# anybody's client before a server asks for it.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    while not is_free(port := random.choice(PORTS)):  # noqa: S311 - no secret
        pass
    return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
