"""Free loopback ports for the bundled servers.

Ports are taken from below the kernel's ephemeral range (32768 and up on Linux), so that no outgoing connection can be
given the same number between the choice here and the server's own bind.
"""

import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack

LOOPBACK = "127.0.0.1"
FIRST_PORT = 20_000
LAST_PORT = 32_700
ATTEMPTS = 500


class NoFreePort(Exception):  # noqa: N818 - named for what happened
    """Every port that was tried was taken."""


def _take(port: int, held: ExitStack) -> bool:
    """Bind `port` until `held` closes; False when somebody listens there."""
    probe = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    # As the servers do: a port in TIME_WAIT from its former life is free.
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def all_free(ports: Iterable[int]) -> bool:
    """Whether nobody listens on any of them now."""
    with ExitStack() as held:
        return all(_take(port, held) for port in ports)


def free_ports(count: int) -> list[int]:
    """`count` different ports that nobody listens on now; another process may still be quicker: start again then."""
    chosen: list[int] = []
    with ExitStack() as held:
        for _ in range(ATTEMPTS):
            if len(chosen) == count:
                return chosen
            port = random.randint(FIRST_PORT, LAST_PORT)  # noqa: S311 - spreads load, keeps no secret
            if _take(port, held):
                chosen.append(port)
    message = f"no {count} free ports on {LOOPBACK} between {FIRST_PORT} and {LAST_PORT}"
    raise NoFreePort(message)
