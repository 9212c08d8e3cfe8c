"""Who is in the audience, told where it is asked for: names while a page looks, and each session's peak for its row.

Rule: none of it holds up anything. Valkey may be away; the catalogue is written through the ledger, which waits for it.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from ingest.hls.viewers import Viewers
from ingest.lives import Lives
from storage import live_viewers
from storage.catalogue import sessions

log = structlog.get_logger()

TOLD_SECONDS = 2.0
"""How often names are told while they are asked for."""
WRITTEN_SECONDS = 10.0
"""A peak that rises is written so often at most."""


class Audience:
    def __init__(
        self, lives: Lives, viewers: Viewers, valkey: redis.asyncio.Redis, *, wall: Callable[[], datetime]
    ) -> None:
        self._lives = lives
        self._viewers = viewers
        self._valkey = valkey
        self._wall = wall
        self._peaks: dict[UUID, int] = {}
        self._written: dict[UUID, int] = {}
        self._written_at: dict[UUID, float] = {}
        self._told_at = 0.0
        self._valkey_away = False

    async def second(self) -> None:
        """Once a second."""
        self._count()
        if self._lives.clock() - self._told_at < TOLD_SECONDS:
            return
        self._told_at = self._lives.clock()
        try:
            for session_id in await live_viewers.wanted(self._valkey, self._viewers.watched):
                await live_viewers.tell(self._valkey, session_id, self._viewers.people(session_id), self._wall())
            self._valkey_away = False
        except (RedisError, OSError) as error:
            if not self._valkey_away:
                log.warning("viewers_not_told", error=str(error))
            self._valkey_away = True

    def keep_peaks(self) -> None:
        """What has not been written yet; the process stops."""
        for session_id, peak in self._peaks.items():
            self._write(session_id, peak)

    def _count(self) -> None:
        """The owner alone writes: other nodes tell it how many watch there."""
        now, here = self._lives.clock(), self._lives.sessions
        for session_id, session in here.items():
            peak = max(self._viewers.watching(session_id), self._peaks.get(session_id, 0))
            self._peaks[session_id] = peak
            if session.ending or now - self._written_at.get(session_id, -WRITTEN_SECONDS) >= WRITTEN_SECONDS:
                self._write(session_id, peak)
        for session_id in [one for one in self._peaks if one not in here]:
            for kept in (self._peaks, self._written, self._written_at):
                kept.pop(session_id, None)

    def _write(self, session_id: UUID, peak: int) -> None:
        if peak <= self._written.get(session_id, 0):
            return
        self._written[session_id], self._written_at[session_id] = peak, self._lives.clock()
        self._lives.ledger.put("peak_viewers", partial(sessions.keep_peak, session_id=session_id, viewers=peak))
