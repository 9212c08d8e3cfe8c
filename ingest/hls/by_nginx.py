"""Finished segments by way of nginx: a viewer's answer only names one (X-Accel-Redirect), and nginx, which asks for it
at `/_live/{session}/{name}?{proof}`, keeps it for all.

Rule: each viewer's token is checked at each request; the proof is signed as orders are, for one path and a minute, and
never leaves the house. A finished segment never changes and was released whole, so that a kept one stays allowed.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.control import check, sign
from domain.refusals import Refusal
from ingest.hls.answers import SEGMENT, Answer

PREFIX = "/_live/"


class ByNginx:
    """`secret` is what nodes sign with: whichever of them named a segment, any may be asked for it."""

    def __init__(self, secret: bytes, *, wall: Callable[[], datetime]) -> None:
        self._secret = secret
        self._wall = wall

    def named(self, session_id: UUID, name: str) -> Answer:
        """To the viewer; nginx sends what it finds there, with the headers that stand there."""
        path = f"{PREFIX}{session_id}/{name}"
        proof = sign(self._secret, "GET", path, b"", self._wall())
        return Answer(200, b"", SEGMENT, ((b"x-accel-redirect", f"{path}?{proof}".encode()),))

    def is_proven(self, path: str, query: bytes) -> bool:
        try:
            check(self._secret, query.decode("latin-1"), "GET", path, b"", now=self._wall())
        except Refusal:
            return False
        return True
