"""Hears the catalogue: orders to sessions, ended sign-ins, playback withdrawn, over one connection made again for ever;
what takes playback away by Valkey too, for as long as the catalogue is not heard.

Nothing is kept for who is away, so after every connection what may have been missed is read from the rows.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from redis.exceptions import RedisError

from ingest import orders
from ingest.control import Control
from ingest.hls.viewers import Viewers
from ingest.lives import Lives
from ingest.settings import IngestSettings
from storage import echo
from storage.catalogue import sign_ins, withdrawals
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.sessions import CONTROL_CHANNEL
from storage.catalogue.sign_ins import ENDED_CHANNEL
from storage.catalogue.transaction import Catalogue

log = structlog.get_logger()

LONGEST_WAIT_SECONDS = 1.0
"""Between tries to connect again: what is said meanwhile, a revocation among it, is to count within two seconds."""
HEARTBEAT_SECONDS = 0.75
"""How often a silent connection is asked whether it lives, and how long it may take to answer."""
LONGEST_TOKEN = timedelta(hours=24)
"""No playback token lives longer, so sign-ins that ended before have none left."""


class Listening:
    def __init__(
        self,
        settings: IngestSettings,
        catalogue: Catalogue,
        lives: Lives,
        control: Control,
        viewers: Viewers,
        *,
        valkey_url: str,
        wall: Callable[[], datetime],
        caught_up: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._lives = lives
        self._control = control
        self._viewers = viewers
        self._valkey_url = valkey_url
        self._wall = wall
        self._caught_up = caught_up

    async def run(self) -> None:
        """Until cancelled."""
        wait = self._first_wait
        while True:
            try:
                channels = [CONTROL_CHANNEL, ENDED_CHANNEL, withdrawals.CHANNEL]
                async with self._catalogue.listen(channels, heartbeat_seconds=HEARTBEAT_SECONDS) as notes:
                    await self._catch_up()
                    wait = self._first_wait
                    async for note in notes:
                        self._heard(note.channel, note.payload)
            except CatalogueUnavailable as error:
                log.warning("not_listening", seconds=wait, error=str(error))
            except Exception:
                log.exception("listening_failed")
            await asyncio.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    async def hear_echo(self) -> None:
        """Until cancelled. Valkey may be away."""
        while True:
            with suppress(RedisError, OSError):
                async for channel, payload in echo.heard(self._valkey_url):
                    self._heard(channel, payload)
            await asyncio.sleep(LONGEST_WAIT_SECONDS)

    @property
    def _first_wait(self) -> float:
        return min(self._settings.retry_first_seconds, LONGEST_WAIT_SECONDS)

    async def _catch_up(self) -> None:
        async with self._catalogue.transaction() as tx:
            oldest = self._wall() - LONGEST_TOKEN
            ended, withdrawn = await sign_ins.ended_since(tx, oldest), await withdrawals.since(tx, oldest)
        self._viewers.revoke(ended)
        self._viewers.withdraw(withdrawn)
        await orders.reconcile(self._catalogue, self._lives)
        await self._caught_up()

    def _heard(self, channel: str, payload: str) -> None:
        if channel == CONTROL_CHANNEL:
            self._control.notified(payload)
            return
        try:
            if channel == withdrawals.CHANNEL:
                self._viewers.withdraw([withdrawals.heard(payload)])
            else:
                self._viewers.revoke([UUID(payload)])
        except (ValueError, KeyError, TypeError):
            log.error("revocation_unreadable", channel=channel, payload=payload)
