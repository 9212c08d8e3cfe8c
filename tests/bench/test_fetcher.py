"""The load generator against real sockets: it counts bodies, and a wrong or broken answer is a failure, not a count."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.fetcher import Order, run


@contextmanager
def server(answer: bytes) -> Iterator[int]:
    """Answers every request on one connection with these bytes, in two pieces, and then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(4096):
                    connection.sendall(answer[:50])
                    connection.sendall(answer[50:])
                    if b"400 Bad" in answer or b"length: 99" in answer:
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def fetched(answer: bytes) -> tuple[int, int, list[str]]:
    with server(answer) as port:
        result = run(Order("127.0.0.1", port, ["/a", "/b"], connections=1, seconds=0.2))
    return result.bytes, result.requests, result.failures


def test_bodies_are_counted() -> None:
    size, requests, failures = fetched(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + bytes(100))
    assert failures == []
    assert requests > 1
    assert size == 100 * requests


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "400"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nshort", "within a body"),
    ],
)
def test_a_wrong_answer_is_a_failure(answer: bytes, told: str) -> None:
    size, requests, failures = fetched(answer)
    assert (size, requests) == (0, 0)
    assert told in failures[0]
