"""Finished segments by way of nginx: a viewer's answer only names one (X-Accel-Redirect), and nginx, which asks for it
at `/_live/{session}/{name}?{proof}`, keeps it for all.

Rule: each viewer's token is checked at each request; the proof is signed as orders are, for one path and a minute, and
never leaves the house. A finished segment never changes and was released whole, so that a kept one stays allowed.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.control import TOLERANCE, check, sign
from domain.refusals import Refusal
from ingest.hls.answers import SEGMENT, Answer

PREFIX = "/_live/"
RENEWED = TOLERANCE / 3
"""For how long one proof is given out: what is left of its minute is for clocks that differ."""
REMEMBERED = 4096


class ByNginx:
    """`secret` is what nodes sign with: whichever of them named a segment, any may be asked for it."""

    def __init__(self, secret: bytes, *, wall: Callable[[], datetime]) -> None:
        self._secret = secret
        self._wall = wall
        self._named: dict[str, tuple[datetime, Answer]] = {}

    def named(self, session_id: UUID, name: str) -> Answer:
        """To the viewer; nginx sends what it finds there, with the headers that stand there."""
        path, now = f"{PREFIX}{session_id}/{name}", self._wall()
        made_at, answer = self._named.get(path, (None, None))
        if made_at is not None and answer is not None and abs(now - made_at) < RENEWED:
            return answer
        proof = sign(self._secret, "GET", path, b"", now)
        answer = Answer(200, b"", SEGMENT, ((b"x-accel-redirect", f"{path}?{proof}".encode()),))
        if len(self._named) >= REMEMBERED:
            self._named.clear()
        self._named[path] = now, answer
        return answer

    def is_proven(self, path: str, query: bytes) -> bool:
        try:
            check(self._secret, query.decode("latin-1"), "GET", path, b"", now=self._wall())
        except Refusal:
            return False
        return True
