"""Requests whose pieces were all read before, told by their bytes: nothing of them is parsed again.

A player asks four times a second with the same address and the same fields; only the name at the end is another. Rule:
a piece is learnt from a request that the parser took whole, and known where it stands in the same place again; a name
is letters, digits and little else. Whatever is not known byte for byte is for the parser.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from domain.playback_token import PlaybackClaim
from ingest.hls.answers import Header, takes_gzip
from ingest.nodes.passes import HEADER as PASSED_ON

REMEMBERED = 20_000
"""Addresses, and sets of fields, each a few hundred bytes; then all are learnt anew."""
LONGEST_BYTES = 2048
_METHOD = b"GET "
_NAME = re.compile(rb"[\w.?=&-]{1,200}", re.ASCII)
_VERSION = b" HTTP/1.1\r\n"
_END = b"\r\n\r\n"
# With these an answer is one viewer's alone, or a body may follow.
_OWN = frozenset((b"range", b"content-length", b"transfer-encoding", PASSED_ON))


class Fields(NamedTuple):
    """A request's, and what they say of the answer."""

    headers: Sequence[Header]
    gzip: bool


class Known(NamedTuple):
    """A GET for `name`, with its query, by whoever has the claim."""

    claim: PlaybackClaim
    name: bytes
    fields: Fields


class Familiar:
    """What a process has read."""

    def __init__(self) -> None:
        self._claims: dict[bytes, PlaybackClaim] = {}
        self._fields: dict[bytes, Fields] = {}

    def read(self, data: bytes) -> Known | None:
        """What came in one go, if it is one whole request of known pieces."""
        end = data.find(_VERSION)
        fields = self._fields.get(data[end:])
        slash = data.rfind(b"/", 0, end) + 1
        claim = self._claims.get(data[:slash])
        if fields is None or claim is None or _NAME.fullmatch(data, slash, end) is None:
            return None
        return Known(claim, data[slash:end], fields)

    def learn(self, data: bytes, url: bytes, headers: Sequence[Header], claim: PlaybackClaim) -> None:
        """From what came in one go, and the request that the parser found in it."""
        start = len(_METHOD) + len(url)
        if len(data) > LONGEST_BYTES or not data.startswith(_METHOD + url + _VERSION):
            return
        if data.find(_END) != len(data) - len(_END) or any(name in _OWN for name, _ in headers):
            return
        if b"/" in url.partition(b"?")[2]:  # where the name begins is told by the last one
            return
        if len(self._claims) >= REMEMBERED or len(self._fields) >= REMEMBERED:
            self._claims.clear()
            self._fields.clear()
        self._claims[data[: data.rfind(b"/", 0, start) + 1]] = claim
        self._fields[data[start:]] = Fields(headers, takes_gzip(headers))
