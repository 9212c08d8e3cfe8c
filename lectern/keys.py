"""Keys derived from the master secret, one for each use, so that none can stand for another (RFC 5869, HKDF)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lectern.complaint import Complaint
from lectern.own_settings import LecternSettings

KEY_BYTES = 32


@dataclass(frozen=True)
class Keys:
    """Each 32 bytes: playback tokens, ingest keys, the control channel, CSRF tokens."""

    playback: bytes
    ingest: bytes
    control: bytes
    csrf: bytes


def derive(settings: LecternSettings) -> Keys:
    """All keys. Complaint where no master secret is set."""
    if not settings.master_secret:
        raise Complaint("LECTERN_MASTER_SECRET is not set: 32 random bytes in hexadecimal, the same in every process")
    return Keys(**{use: _derive(settings.secret_bytes(), use) for use in ("playback", "ingest", "control", "csrf")})


def _derive(secret: bytes, use: str) -> bytes:
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=f"lectern {use}".encode()).derive(secret)
