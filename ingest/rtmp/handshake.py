"""The RTMP handshake, server's side (RTMP 1.0 §5.2): 1 + 1536 bytes and an echo, each way.

Rule: who signs its block as Flash does (`digest.py`) is answered so; anybody else by the plain handshake. C2 is not
compared with S1: encoders fill it freely, and it proves nothing.
"""

import os

from ingest.rtmp import digest
from ingest.rtmp.errors import PeerError

VERSION = 3
BLOCK_BYTES = 1536
_RANDOM_BYTES = BLOCK_BYTES - 8
_STRANGERS = {0x06: "encrypted RTMP (RTMPE) is not offered, use rtmps", 0x16: "TLS on a port for plain RTMP"}


class Handshake:
    """Takes C0, C1, C2 in any pieces; S0, S1, S2 are to be sent as soon as C1 is there."""

    def __init__(self, random: bytes | None = None) -> None:
        """`random`: the 1528 bytes of S1, for tests."""
        self._random = os.urandom(_RANDOM_BYTES) if random is None else random
        self._received = bytearray()
        self._answered = False
        self._reply = b""

    def receive(self, data: bytes) -> bytes | None:
        """What came behind C2 once the handshake is complete, else None. Raises PeerError."""
        received = self._received
        received += data
        if received and received[0] != VERSION:
            reason = _STRANGERS.get(received[0], f"first byte is {received[0]:#04x}, not RTMP version 3")
            raise PeerError(reason)
        if not self._answered and len(received) > BLOCK_BYTES:
            self._answered = True
            block = bytes(received[1 : 1 + BLOCK_BYTES])
            signed = digest.answer(block, self._random)
            # Plain, it is echoed whole: librtmp compares all of it and warns.
            self._reply = bytes((VERSION,)) + (signed or bytes(8) + self._random + block)
        if len(received) < 1 + 2 * BLOCK_BYTES:
            return None
        return bytes(memoryview(received)[1 + 2 * BLOCK_BYTES :])

    def take_reply(self) -> bytes:
        """S0, S1, S2, once; empty before C1 is whole and afterwards."""
        reply, self._reply = self._reply, b""
        return reply
