"""Sessions that move between nodes: taken over from whoever had them, let go when another claims them.

Who claims a session asks its last owner for its tail; where that is silent, the owner's note in Valkey says it, and
where that is gone too, numbers are skipped. Who is asked, or sees a newer epoch in the catalogue, lets go at once: its
encoder is told, its reels go up, and viewers who wait are passed on.
"""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from domain.control import sign
from ingest.hls.sources import ElsewhereSource, StoredSource
from ingest.hls.window import WindowSegment
from ingest.live_session import LiveSession
from ingest.lives import Lives
from ingest.nodes import tail as tails
from ingest.nodes.tail import Tail, tail_of
from ingest.nodes.upstream import NodeStopped, NodeUnreachable, Upstream
from storage import live_hints, live_state
from storage.catalogue import live_owner, reels
from storage.catalogue.live_owner import Owner
from storage.catalogue.transaction import Catalogue
from storage.live_hints import LiveHint, Note
from storage.objects.faults import ObjectMissing, ObjectStoreUnavailable

log = structlog.get_logger()

PREFIX = "/node/sessions/"
SIGNATURE = b"lectern-control"
HANDOVER_SECONDS = 2.0
FETCH_SECONDS = 5.0


class Moves:
    """`url` is where other nodes reach this one."""

    def __init__(
        self,
        lives: Lives,
        catalogue: Catalogue,
        upstream: Upstream,
        valkey: redis.asyncio.Redis,
        secret: bytes,
        *,
        url: str,
        wall: Callable[[], datetime],
    ) -> None:
        self._lives = lives
        self._catalogue = catalogue
        self._upstream = upstream
        self._valkey = valkey
        self._secret = secret
        self._node = lives.settings.node
        self._url = url
        self._wall = wall
        self._noted: dict[UUID, tuple[int, int, int]] = {}
        self._valkey_away = False

    async def taken_over(self, session_id: UUID, epoch: int, previous: Owner | None) -> Tail | None:
        """What the session's last owner says, or its note; None where nobody says anything."""
        if previous is not None and previous.node != self._node:
            path = f"{PREFIX}{session_id}/handover/{epoch}"
            signature = sign(self._secret, "POST", path, b"", self._wall())
            try:
                reply = await self._upstream.ask(
                    "POST",
                    previous.control_url,
                    path,
                    [(SIGNATURE, signature.encode())],
                    timeout_seconds=HANDOVER_SECONDS,
                )
            except NodeUnreachable as error:
                log.warning("owner_silent", session=str(session_id), node=previous.node, error=str(error))
            else:
                if reply.status == 200 and (told := tails.decode(reply.body)) is not None:
                    return told
        try:
            noted = tails.decode(await live_hints.tail(self._valkey, session_id))
            # What another went on to after its note is unknown; what this node did is in its own spool.
            is_anothers = previous is not None and previous.node != self._node
            return tails.with_margin(noted) if noted is not None and is_anothers else noted
        except (RedisError, OSError) as error:
            log.warning("tail_not_found", session=str(session_id), error=str(error))
            return None

    async def silent_seconds(self, session_id: UUID, owner: LiveHint) -> float | None:
        """For how long the session's encoder at another node has sent nothing; None where none publishes there, or
        nobody answers: then it may be taken over. A node that this one does not reach, and that may be there yet, is
        believed what it tells the pages in Valkey: it goes on with its encoder, and two would be shown.
        """
        path = f"{PREFIX}{session_id}/publisher/{owner.epoch}"
        headers = [(SIGNATURE, sign(self._secret, "GET", path, b"", self._wall()).encode())]
        try:
            reply = await self._upstream.get(owner.url, path, headers, timeout_seconds=HANDOVER_SECONDS)
            return float(reply.body) if reply.status == 200 else None
        except (NodeStopped, ValueError):
            return None
        except NodeUnreachable:
            return 0.0 if await self._shows_an_encoder(session_id, owner.node) else None

    async def _shows_an_encoder(self, session_id: UUID, node: str) -> bool:
        """By what the node told within the last five seconds."""
        try:
            told = await live_state.read(self._valkey, session_id)
        except (RedisError, OSError):
            return False
        return told is not None and told.node == node and told.take_id is not None

    def handed_over(self, session_id: UUID, epoch: int) -> Tail | None:
        """Lets go of a session that a newer epoch has claimed; None when it is not here."""
        session = self._lives.find(session_id)
        if session is not None and session.facts.epoch < epoch:
            self._lives.drop(session)
        left = self._lives.left.get(session_id)
        return tail_of(left, self._node, self._url) if left is not None and left.facts.epoch < epoch else None

    async def look(self) -> None:
        """Lets go of sessions that others have claimed; finds in the store what others have brought there. Raises
        CatalogueUnavailable.
        """
        here = dict(self._lives.sessions)
        if not here:
            return
        async with self._catalogue.glance() as tx:
            newest = await live_owner.epochs(tx, list(here))
        for session_id, session in here.items():
            if newest.get(session_id, 0) > session.facts.epoch and not session.ended:
                log.warning("owner_no_more", session=str(session_id), epoch=session.facts.epoch)
                self._lives.drop(session)
            elif self._lives.awaits(session):
                await self._bring_home(session.facts.recording_id, session.window.segments)

    async def note(self) -> None:
        """Once a second: says in Valkey where this node's sessions are, in one round trip. Valkey may be away."""
        at = {one: _at(session) for one, session in self._lives.sessions.items()}
        changed = [self._lives.sessions[one] for one, reached in at.items() if self._noted.get(one) != reached]
        try:
            if changed:
                await live_hints.put(self._valkey, [self._note_of(session) for session in changed])
            self._noted, self._valkey_away = at, False
        except (RedisError, OSError) as error:
            if not self._valkey_away:
                log.warning("tail_not_noted", error=str(error))
            self._valkey_away = True

    def _note_of(self, session: LiveSession) -> Note:
        hint = LiveHint(session.facts.epoch, self._node, self._url)
        return Note(session.facts.session_id, hint, tails.encode(tail_of(session, self._node, self._url)))

    async def fetch(self, source: ElsewhereSource, segment: WindowSegment) -> bytes | None:
        """A segment from the spool of another node. Raises ObjectStoreFault."""
        path = f"{PREFIX}{source.session_id}/segments/{segment.msn}"
        headers = [(SIGNATURE, sign(self._secret, "GET", path, b"", self._wall()).encode())]
        try:
            reply = await self._upstream.get(source.url, path, headers, timeout_seconds=FETCH_SECONDS)
        except NodeUnreachable as error:
            raise ObjectStoreUnavailable(path, str(error)) from error
        if reply.status != 200:
            raise ObjectMissing(path, f"{source.node} has it no more")
        return reply.body

    async def _bring_home(self, recording_id: UUID, segments: list[WindowSegment]) -> None:
        async with self._catalogue.transaction() as tx:
            placed = await reels.of_recording(tx, recording_id)
        home = []
        for one in placed:
            for row in one.reel.segments:
                segment = segments[row["msn"]] if row["msn"] < len(segments) else None
                if segment is not None and isinstance(segment.source, ElsewhereSource):
                    segment.source = StoredSource(one.reel.object_key, row["offset"], row["bytes"])
                    home.append(row["msn"])
        if home:
            self._lives.stored(recording_id, home)


def _at(session: LiveSession) -> tuple[int, int, int]:
    """What changes when there is something to note."""
    window = session.window
    return session.facts.epoch, len(window.segments), len(window.unstored)
