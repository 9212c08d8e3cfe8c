"""The load of a replay benchmark, in a process of its own: connections that fetch paths in turn for some seconds.

Reads one order as JSON from standard input, writes one result. Plain sockets and HTTP/1.1 keep-alive (RFC 9112): what
it costs is not measured, but it must not be what limits. `python -m bench.fetcher` starts it.
"""

import json
import socket
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

from bench import tls

CHUNK_BYTES = 1 << 18
HEAD_BYTES = 1 << 14
TIMEOUT_SECONDS = 20.0


@dataclass
class Order:
    """What to fetch, over how many connections, for how long."""

    host: str
    port: int
    paths: list[str]
    connections: int
    seconds: float
    tls: bool = False


@dataclass
class Result:
    """What came: bodies' bytes, requests, and what went wrong, by its text."""

    bytes: int = 0
    requests: int = 0
    failures: list[str] = field(default_factory=list)


def fetch(order: Order, first: int, until: float, result: Result) -> None:
    """One connection, beginning with the path numbered `first`."""
    buffer = bytearray(CHUNK_BYTES)
    number = first
    try:
        with _connected(order) as connection:
            while time.monotonic() < until:
                path = order.paths[number % len(order.paths)]
                request = f"GET {path} HTTP/1.1\r\nHost: {order.host}:{order.port}\r\n\r\n"
                connection.sendall(request.encode())
                result.bytes += _answer(connection, buffer)
                result.requests += 1
                number += 1
    except (OSError, ValueError) as error:
        result.failures.append(str(error))


def _connected(order: Order) -> socket.socket:
    connection = socket.create_connection((order.host, order.port), TIMEOUT_SECONDS)
    return tls.trusting().wrap_socket(connection) if order.tls else connection


def _answer(connection: socket.socket, buffer: bytearray) -> int:
    """Read one answer to its end; the body's bytes. ValueError when it is not a whole 200."""
    head = b""
    while b"\r\n\r\n" not in head:
        came = connection.recv(HEAD_BYTES)
        if not came or len(head) > HEAD_BYTES:
            raise ValueError("the connection ended within an answer's head")
        head += came
    head, _, body = head.partition(b"\r\n\r\n")
    status, *lines = head.split(b"\r\n")
    if status.split(b" ")[1] != b"200":
        raise ValueError(status.decode())
    length = next(int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:"))
    left = length - len(body)
    while left:
        came_bytes = connection.recv_into(buffer, min(left, CHUNK_BYTES))
        if not came_bytes:
            raise ValueError("the connection ended within a body")
        left -= came_bytes
    return length


def run(order: Order) -> Result:
    """Every connection in a thread; the sum."""
    results = [Result() for _ in range(order.connections)]
    until = time.monotonic() + order.seconds
    step = max(1, len(order.paths) // order.connections)
    threads = [
        threading.Thread(target=fetch, args=(order, number * step, until, result))
        for number, result in enumerate(results)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    failures = [text for one in results for text in one.failures]
    return Result(sum(one.bytes for one in results), sum(one.requests for one in results), failures)


if __name__ == "__main__":
    json.dump(asdict(run(Order(**json.load(sys.stdin)))), sys.stdout)
