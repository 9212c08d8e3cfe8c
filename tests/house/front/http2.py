"""One GET over HTTP/2 (RFC 9113), by hand: nothing else in the environment speaks it.

Header names and values are sent as literals without Huffman coding (RFC 7541, 6.2), the answer's status is read from
its first field, which every server sends from the static table (RFC 7541, appendix A: 8 = ":status 200").
"""

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, GOAWAY, WINDOW_UPDATE = 0, 1, 4, 7, 8
INITIAL_WINDOW_SIZE = 4
WINDOW_BYTES = 1 << 30  # both of the stream and of the connection: no answer here waits for more
END_STREAM, END_HEADERS = 0x1, 0x4
GET, SCHEME_HTTPS = 0x82, 0x87
AUTHORITY, PATH = 0x41, 0x44
STATUS = {0x88: 200, 0x89: 204, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}


@dataclass(frozen=True)
class Answer:
    chosen_protocol: str | None
    status: int
    body: bytes


def get(host: str, port: int, path: str, certificate: Path) -> Answer:
    """GET by HTTP/2; raises AssertionError where the server does not choose it by ALPN."""
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((host, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        chosen = connection.selected_alpn_protocol()
        assert chosen == "h2", chosen
        fields = bytes([GET, SCHEME_HTTPS]) + _literal(AUTHORITY, f"{host}:{port}") + _literal(PATH, path)
        settings = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + WINDOW_BYTES.to_bytes(4, "big")
        opening = _frame(SETTINGS, 0, 0, settings) + _frame(WINDOW_UPDATE, 0, 0, WINDOW_BYTES.to_bytes(4, "big"))
        request = _frame(HEADERS, END_STREAM | END_HEADERS, 1, fields)
        connection.sendall(PREFACE + opening + request)
        return _answer(chosen, _frames(connection))


def _answer(chosen: str, frames: Iterator[tuple[int, int, int, bytes]]) -> Answer:
    status, body = 0, b""
    for kind, flags, stream, payload in frames:
        assert kind != GOAWAY, payload
        if stream != 1:
            continue
        if kind == HEADERS:
            status = STATUS[payload[0]]
        if kind == DATA:
            body += payload
        if flags & END_STREAM:
            break
    return Answer(chosen, status, body)


def _literal(index: int, value: str) -> bytes:
    assert len(value) < 127, "a longer one needs a continued integer"
    return bytes([index, len(value)]) + value.encode("ascii")


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _frames(connection: ssl.SSLSocket) -> Iterator[tuple[int, int, int, bytes]]:
    while True:
        head = _exactly(connection, 9)
        yield head[3], head[4], int.from_bytes(head[5:], "big"), _exactly(connection, int.from_bytes(head[:3], "big"))


def _exactly(connection: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = connection.recv(count - len(data))
        assert more, "the server closed the connection"
        data += more
    return data
