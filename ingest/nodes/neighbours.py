"""This node among the others: what it passes on to them, what it takes over from them, what they ask it for."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import redis.asyncio

from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.lives import Lives
from ingest.nodes.door import NodeDoor
from ingest.nodes.forwarding import Forwarder
from ingest.nodes.moves import Moves
from ingest.nodes.owners import Owners
from ingest.nodes.upstream import Upstream
from ingest.nodes.whip_door import Mounted, WhipDoor
from storage.catalogue.transaction import Catalogue

LOOK_SECONDS = 2.0
"""How often a node asks the catalogue whether its sessions are still its own."""


class Neighbours:
    """`secret` is what nodes sign with; `valkey` is the process's connection."""

    def __init__(
        self,
        secret: bytes,
        lives: Lives,
        viewers: Viewers,
        reader: SegmentReader,
        catalogue: Catalogue,
        valkey: redis.asyncio.Redis,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        settings = lives.settings
        self._lives = lives
        self._viewers = viewers
        self._upstream = Upstream()
        self._secret = secret
        self._moves = Moves(lives, catalogue, self._upstream, valkey, secret, url=settings.control_url, wall=wall)
        self._owners = Owners(catalogue, valkey, clock=lives.clock)
        self.forwarder = Forwarder(
            settings.node,
            secret,
            self._owners,
            self._upstream,
            watching=viewers.here,
            wall=wall,
            clock=lives.clock,
            hold_seconds=3.0 * settings.segment_max_seconds,
        )
        self.door = NodeDoor(secret, lives, self._moves, reader, wall=wall)
        lives.tail_of_previous = self._moves.taken_over
        reader.elsewhere = self._moves.fetch

    async def second(self, *, revoked_seconds: float) -> None:
        """Once a second: what is too old goes, and where this node's sessions are is noted."""
        self.forwarder.tick()
        watched = {*self._lives.sessions, *self.forwarder.sessions}
        self._viewers.forget(revoked_seconds=revoked_seconds, sessions=watched)
        await self._moves.note()

    async def look(self) -> None:
        """Every `LOOK_SECONDS`. Raises CatalogueUnavailable."""
        await self._moves.look()

    async def silent_seconds(self, session_id: UUID) -> float | None:
        """Of the session's encoder, where another node has it."""
        owner = await self._owners.find(session_id)
        if owner is None or owner.node == self._lives.settings.node:
            return None
        return await self._moves.silent_seconds(session_id, owner)

    def whip_door(self, inner: Mounted) -> WhipDoor:
        """What passes requests on that belong to a publish at another process."""
        return WhipDoor(inner, self._upstream, self._secret, url=self._lives.settings.control_url)

    def close(self) -> None:
        self._upstream.close()
