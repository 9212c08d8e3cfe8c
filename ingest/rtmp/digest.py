"""Flash's handshake with digests, which FMLE, Wirecast and ffmpeg ask for: each side signs its block with HMAC-SHA256
under a key that is in every Flash Player, so it proves nothing; some encoders ask for it all the same.

The format was never published by Adobe; its two layouts ("schemes") are as RTMP servers and clients have agreed since
2009: a digest of 32 bytes hides in the block, and four bytes before it say where.
"""

import hashlib
import hmac

_COMMON = bytes.fromhex("f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae")
PLAYER_KEY = b"Genuine Adobe Flash Player 001"
SERVER_KEY = b"Genuine Adobe Flash Media Server 001"
SERVER_VERSION = bytes((4, 5, 0, 1))
"""Of S1: ffmpeg checks digests of servers that call themselves version 3 or newer."""
DIGEST_BYTES = 32
SCHEMES = (772, 8)
"""Where the four bytes are that say where the digest is."""
_PLACES = 728


def answer(block: bytes, random: bytes) -> bytes | None:
    """S1 and S2 to a C1 with a digest, None to one without. `random` has 1528 bytes."""
    if block[4:8] == bytes(4):
        return None
    for scheme in SCHEMES:
        place = digest_place(block, scheme)
        digest = block[place : place + DIGEST_BYTES]
        if hmac.compare_digest(digest, block_digest(block, place, PLAYER_KEY)):
            own = bytes(4) + SERVER_VERSION + random
            place = digest_place(own, scheme)
            signed = own[:place] + block_digest(own, place, SERVER_KEY) + own[place + DIGEST_BYTES :]
            return signed + _reply(digest, random)
    return None


def digest_place(block: bytes, scheme: int) -> int:
    """Where in the block its digest is."""
    return scheme + 4 + sum(block[scheme : scheme + 4]) % _PLACES


def block_digest(block: bytes, place: int, key: bytes) -> bytes:
    """Of a block without the bytes that the digest takes itself."""
    return hmac.digest(key, block[:place] + block[place + DIGEST_BYTES :], hashlib.sha256)


def reply_digest(digest: bytes, reply: bytes, key: bytes) -> bytes:
    """What ends C2 or S2: of the bytes before it, under a key made from the other side's digest."""
    return hmac.digest(hmac.digest(key + _COMMON, digest, hashlib.sha256), reply, hashlib.sha256)


def _reply(digest: bytes, random: bytes) -> bytes:
    said = random[-24:] + random[:1480]  # 1504 bytes
    return said + reply_digest(digest, said, SERVER_KEY)
