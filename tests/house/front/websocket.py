"""One text message over a WebSocket (RFC 6455), by hand: sent masked, its answer read."""

import base64
import hashlib
import os
import socket
import ssl
from pathlib import Path

ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FINAL_TEXT, MASKED = 0x81, 0x80


def echo(host: str, port: int, path: str, certificate: Path, text: str) -> str:
    """What comes back; AssertionError where the upgrade is refused."""
    context = ssl.create_default_context(cafile=str(certificate))
    key = base64.b64encode(os.urandom(16))
    request = (
        f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with (
        socket.create_connection((host, port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        connection.sendall(request.encode("ascii"))
        stream = connection.makefile("rb")
        head = b"".join(iter(stream.readline, b"\r\n")).decode()
        assert head.startswith("HTTP/1.1 101"), head
        wanted = base64.b64encode(hashlib.sha1(key + ACCEPT_GUID, usedforsecurity=False).digest()).decode()
        assert wanted in head, head
        data, mask = text.encode(), os.urandom(4)
        assert len(data) < 126, "a longer one needs an extended length"
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(data))
        connection.sendall(bytes([FINAL_TEXT, MASKED | len(data)]) + mask + masked)
        opcode, length = stream.read(2)
        assert opcode == FINAL_TEXT
        return stream.read(length).decode()
