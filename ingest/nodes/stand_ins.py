"""Stands in for an owner that does not answer: what the stores have of its session, frozen, so that its viewers can
seek back until that owner, or another, is there.

Only what was released is in reels and in the owner's note; what only the silent node's spool has shows as gaps. Nothing
is written: the session's next owner finds everything as it was.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from domain.control import sign
from domain.states import SessionState
from ingest import restoring
from ingest.events import CLOCK
from ingest.hls.bell import Bell
from ingest.hls.playlists import LivePlaylist, Rendition
from ingest.hls.sources import ElsewhereSource
from ingest.hls.window import LiveWindow
from ingest.holding import loop
from ingest.live_facts import LiveFacts
from ingest.live_session import RENDITIONS
from ingest.nodes import tail as tails
from ingest.nodes.owners import Owners
from ingest.nodes.tail import Tail, TailSegment
from ingest.nodes.upstream import NodeUnreachable, Upstream
from ingest.settings import IngestSettings
from ingest.timeline import LEAD
from storage import live_hints
from storage.catalogue import recordings, sessions
from storage.catalogue.faults import CatalogueUnavailable
from storage.catalogue.transaction import Catalogue
from storage.live_hints import LiveHint
from storage.objects.faults import ObjectStoreFault
from storage.objects.store import ObjectStore

log = structlog.get_logger()

ANSWER_SECONDS = 1.0
_UNDER_WAY = (SessionState.scheduled, SessionState.live, SessionState.cut)


@dataclass(frozen=True, slots=True)
class StandIn:
    """What delivery needs of a session; nothing is ever added to it."""

    facts: LiveFacts
    owner: LiveHint
    window: LiveWindow
    playlists: dict[Rendition, LivePlaylist]
    settings: IngestSettings
    bell: Bell


class StandIns:
    """`secret` is what nodes sign with."""

    def __init__(
        self,
        settings: IngestSettings,
        secret: bytes,
        owners: Owners,
        upstream: Upstream,
        catalogue: Catalogue,
        store: ObjectStore,
        valkey: redis.asyncio.Redis,
        *,
        wall: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._owners = owners
        self._upstream = upstream
        self._catalogue = catalogue
        self._store = store
        self._valkey = valkey
        self._wall = wall
        self._shown: dict[UUID, StandIn] = {}
        self._making: dict[UUID, asyncio.Task[bool]] = {}

    @property
    def count(self) -> int:
        return len(self._shown)

    def find(self, session_id: UUID) -> StandIn | None:
        return self._shown.get(session_id)

    async def show(self, session_id: UUID, owner: LiveHint) -> bool:
        """Makes it, once for all who ask; False where there is nothing to show."""
        making = self._making.get(session_id)
        if making is None:
            making = self._making[session_id] = asyncio.create_task(self._make(session_id, owner), name="stand-in")
            making.add_done_callback(lambda _: self._making.pop(session_id, None))
        return await asyncio.shield(making)

    async def look(self, watched: set[UUID]) -> None:
        """Now and then: drops what an owner shows again, and what nobody watches."""
        await asyncio.gather(*(self._look(one, watched) for one in list(self._shown.values())))

    async def _look(self, shown: StandIn, watched: set[UUID]) -> None:
        session_id = shown.facts.session_id
        owner = await self._owners.find(session_id, doubted=True)
        if session_id in watched and owner is not None and not await self._is_shown_at(session_id, owner):
            return
        log.info("stand_in_over", session=str(session_id), node=owner.node if owner else None)
        del self._shown[session_id]

    async def _is_shown_at(self, session_id: UUID, owner: LiveHint) -> bool:
        path = f"/node/sessions/{session_id}/shown/{owner.epoch}"
        headers = [(b"lectern-control", sign(self._secret, "GET", path, b"", self._wall()).encode())]
        try:
            return (await self._upstream.get(owner.url, path, headers, timeout_seconds=ANSWER_SECONDS)).status == 200
        except NodeUnreachable:
            return False

    async def _make(self, session_id: UUID, owner: LiveHint) -> bool:
        try:
            made = await self._from_stores(session_id, owner)
        except (CatalogueUnavailable, ObjectStoreFault) as error:
            log.warning("no_stand_in", session=str(session_id), error=str(error))
            return False
        if made is None:
            return False
        log.warning("standing_in", session=str(session_id), node=owner.node, segments=len(made.window.segments))
        self._shown[session_id] = made
        return True

    async def _from_stores(self, session_id: UUID, owner: LiveHint) -> StandIn | None:
        """None where nothing was recorded yet. Raises CatalogueUnavailable, ObjectStoreFault."""
        async with self._catalogue.transaction() as tx:
            row = await sessions.get(tx, session_id)
            recording = await recordings.of_session(tx, session_id)
        if recording is None:
            return None

        def kept(said: TailSegment) -> object | None:
            is_lost = not said.url or said.node in (owner.node, self._settings.node)
            return None if is_lost else ElsewhereSource(session_id, said.node, said.url)

        tail = await self._tail(session_id)
        history = await restoring.load(self._catalogue, self._store, recording.id, [], tail, kept)
        origin = recording.started_at - timedelta(seconds=LEAD / CLOCK)
        window = LiveWindow(origin=origin, part_target_seconds=self._settings.part_seconds)
        history.fill(window, loop.of(self._settings))
        if not window.segments or not window.inits:
            return None
        window.frozen = True
        if row.state not in _UNDER_WAY:
            window.end()
        playlists = {one: LivePlaylist(window, one, self._settings.segment_max_seconds) for one in RENDITIONS}
        facts = LiveFacts(session_id, recording.id, origin, 0.0, owner.epoch)
        return StandIn(facts, owner, window, playlists, self._settings, Bell())

    async def _tail(self, session_id: UUID) -> Tail | None:
        """What the owner noted last; None where Valkey has nothing, or is away."""
        try:
            return tails.decode(await live_hints.tail(self._valkey, session_id))
        except (RedisError, OSError):
            return None
