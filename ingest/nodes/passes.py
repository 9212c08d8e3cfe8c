"""The header of a request that one node passes to another: from whom, for how many viewers, signed.

Its presence alone says that the request has been passed on once, and is never passed on again; what it says is believed
when its signature holds (`domain.control`: within a minute of now).
"""

from datetime import datetime
from urllib.parse import quote, unquote

from domain.control import check, sign
from domain.refusals import Refusal

HEADER = b"lectern-forwarded"
MISDIRECTED = 421
"""Who was asked does not own the session, or no longer (RFC 9110 15.5.20)."""


def made(secret: bytes, path: str, node: str, viewers: int, at: datetime) -> tuple[bytes, bytes]:
    """The header of a request for `path`, from `node` with so many viewers of the session."""
    said = f"{quote(node, safe='')} {viewers}"
    return HEADER, f"{said} {sign(secret, 'GET', path, said.encode(), at)}".encode()


def read(secret: bytes, path: str, value: bytes, now: datetime) -> tuple[str, int] | None:
    """Node and viewers; None when it is not to be believed."""
    pieces = value.decode("latin-1").split(" ")
    if len(pieces) != 3 or not (pieces[1].isascii() and pieces[1].isdigit() and len(pieces[1]) < 10):
        return None
    try:
        check(secret, pieces[2], "GET", path, f"{pieces[0]} {pieces[1]}".encode(), now=now)
    except Refusal:
        return None
    return unquote(pieces[0]), int(pieces[1])
