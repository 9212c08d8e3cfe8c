"""This node among the others: what it passes on to them, what it takes over from them, what they ask it for."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import redis.asyncio

from ingest.hls.by_nginx import ByNginx
from ingest.hls.preview_door import PreviewDoor
from ingest.hls.server import Delivery
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.lives import Lives
from ingest.nodes.ahead import Ahead
from ingest.nodes.door import NodeDoor
from ingest.nodes.elsewhere import Elsewhere
from ingest.nodes.forwarding import Forwarder
from ingest.nodes.moves import Moves
from ingest.nodes.owner_asked import OwnerAsked
from ingest.nodes.owners import Owners
from ingest.nodes.segment_door import SegmentDoor
from ingest.nodes.stand_ins import StandIns
from ingest.nodes.upstream import Upstream
from ingest.nodes.whip_door import Mounted, WhipDoor
from storage.catalogue.transaction import Catalogue
from storage.objects.store import ObjectStore

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
        store: ObjectStore,
        valkey: redis.asyncio.Redis,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        settings = lives.settings
        self._lives = lives
        self._viewers = viewers
        self._reader = reader
        self._upstream = Upstream()
        self._secret = secret
        self._wall = wall
        self._moves = Moves(lives, catalogue, self._upstream, valkey, secret, url=settings.control_url, wall=wall)
        self._owners = Owners(catalogue, valkey, clock=lives.clock)
        self.forwarder = Forwarder(self._owner_asked(), watching=viewers.here, clock=lives.clock)
        self._stand_ins = StandIns(settings, secret, self._owners, self._upstream, catalogue, store, valkey, wall=wall)
        self.forwarder.silent = self._stand_ins.show
        self._proofs = ByNginx(secret, wall=wall)
        self.by_nginx = self._proofs if settings.accel_redirect else None
        """Where nginx sends finished segments."""
        self.elsewhere = Elsewhere(self.forwarder, self._stand_ins, viewers, self.by_nginx)
        self.door = NodeDoor(secret, lives, self._moves, reader, wall=wall)
        lives.tail_of_previous = self._moves.taken_over
        reader.elsewhere = self._moves.fetch

    @property
    def viewers(self) -> int:
        """How many watch sessions of other nodes here."""
        return sum(self._viewers.here(one) for one in self.forwarder.sessions)

    @property
    def stand_ins(self) -> int:
        """How many sessions are shown from the store, since their nodes do not answer."""
        return self._stand_ins.count

    async def second(self, *, revoked_seconds: float) -> None:
        """Once a second: what is too old goes, and where this node's sessions are is noted."""
        self.forwarder.tick()
        watched = {*self._lives.sessions, *self.forwarder.sessions}
        self._viewers.forget(revoked_seconds=revoked_seconds, sessions=watched)
        await asyncio.gather(self._moves.note(), self._stand_ins.look(watched))

    async def look(self) -> None:
        """Every `LOOK_SECONDS`. Raises CatalogueUnavailable."""
        await self._moves.look()

    async def silent_seconds(self, session_id: UUID) -> float | None:
        """Of the session's encoder, where another node has it."""
        owner = await self._owners.find(session_id)
        if owner is None or owner.node == self._lives.settings.node:
            return None
        return await self._moves.silent_seconds(session_id, owner)

    async def has_newer_owner(self, session_id: UUID, epoch: int) -> bool:
        """Whether another node is known to have claimed the session since, though the catalogue does not answer."""
        return await self._owners.has_newer(session_id, epoch)

    def whip_door(self, inner: Mounted) -> WhipDoor:
        """What passes requests on that belong to a publish at another process."""
        return WhipDoor(inner, self._upstream, self._secret, url=self._lives.settings.control_url)

    def preview_door(self) -> PreviewDoor:
        """What reviewers ask for previews, at whichever node."""
        return PreviewDoor(self._lives.find, self._viewers, self._reader, Ahead(self._owner_asked()).answer)

    def segment_door(self, delivery: Delivery) -> SegmentDoor:
        """What nginx asks for finished segments, at whichever node."""
        return SegmentDoor(delivery, self._proofs, self._secret, wall=self._wall)

    def _owner_asked(self) -> OwnerAsked:
        settings = self._lives.settings
        hold_seconds = 3.0 * settings.segment_max_seconds
        return OwnerAsked(
            settings.node, self._secret, self._owners, self._upstream, wall=self._wall, hold_seconds=hold_seconds
        )

    def close(self) -> None:
        self.forwarder.close()
        self._upstream.close()
