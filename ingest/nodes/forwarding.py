"""A session that another node owns, shown here: this process is an edge of it.

However many watch here, the owner is asked once for each playlist and each part; all who want the same wait for the one
answer. Who asks for the playlist that will have the next part makes this node ask for that part too, so that it is here
when it is named. What never changes is kept in memory. A request that was passed on is never passed on again; an owner
that says it is none is asked about in the catalogue, one that is silent is stood in for from the store where that can
be. Tokens were checked by whoever calls, and are again at the owner: as one viewer's stands for all, a refusal counts
for that viewer alone.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog

from ingest.hls import answers
from ingest.hls.answers import IMMUTABLE, Answer, Header
from ingest.nodes import passes
from ingest.nodes.flights import LOOK_AGAIN, Asked, Flight
from ingest.nodes.owner_asked import OwnerAsked
from ingest.nodes.shelf import Shelf
from ingest.nodes.upstream import Reply
from storage.live_hints import LiveHint

log = structlog.get_logger()

MEDIA_BYTES = 256 << 20
MEDIA_SECONDS = 120.0
PLAYLIST_BYTES = 8 << 20
HELD_PLAYLIST_SECONDS = 1.0
"""An answer to a blocking request shows what was asked for, whenever it is given."""
PLAYLIST_SECONDS = 0.25
"""Any other may be half a part old."""
SHOWN_SECONDS = 5.0
"""For so long after an owner's playlist its session counts as shown."""
PRESENT_SECONDS = 30.0
_PASSED = (b"cache-control", b"content-encoding", b"vary", b"retry-after", b"accept-ranges")
NO_OWNER = Answer(503, b"The server of this class does not answer.\n", headers=(answers.NEVER, (b"retry-after", b"1")))


class Forwarder:
    """`watching` tells how many watch a session here; `clock` is the loop's."""

    def __init__(
        self,
        asked: OwnerAsked,
        *,
        watching: Callable[[UUID], int],
        clock: Callable[[], float],
    ) -> None:
        self._asked = asked
        self._watching = watching
        self._clock = clock
        self.limit_seconds = 2 * asked.timeout_seconds
        """Every flight has landed by then."""
        self.silent: Callable[[UUID, LiveHint], Awaitable[bool]] | None = None
        """Told of a session whose owner does not answer; whether it is shown from here now."""
        self._flights: dict[Asked, Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._media: Shelf[Asked] = Shelf(MEDIA_BYTES)
        self._playlists: Shelf[Asked] = Shelf(PLAYLIST_BYTES)
        self._seen: dict[UUID, float] = {}
        self._shown: dict[UUID, float] = {}

    @property
    def requests(self) -> int:
        """Asked of other nodes so far."""
        return self._asked.requests

    @property
    def sessions(self) -> list[UUID]:
        """Those of other nodes that are watched here."""
        return list(self._seen)

    def look(self, asked: Asked, token: str) -> Answer | Flight:
        """The owner's answer, to be sent to the viewer with this token; or where it is waited for."""
        found = self.known(asked)
        if found is None:
            found = self._depart(asked, token)
            part = asked.next_part()
            if part is not None and self.known(part) is None:
                self._depart(part, token)
        return found

    def known(self, asked: Asked) -> Answer | Flight | None:
        """None where nobody has asked for it yet."""
        kept = (self._playlists if asked.is_playlist else self._media).find(asked, self._clock())
        return kept or self._flights.get(asked)

    def saw(self, session_id: UUID) -> None:
        """It is watched here."""
        self._seen[session_id] = self._clock()

    def is_shown(self, session_id: UUID) -> bool:
        """Whether its owner has shown it lately. Who did not ask does not know."""
        at = self._shown.get(session_id)
        return at is not None and self._clock() - at < SHOWN_SECONDS

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    def tick(self) -> None:
        """Once a second."""
        now = self._clock()
        self._media.expire(now)
        self._playlists.expire(now)
        self._seen = {one: at for one, at in self._seen.items() if now - at < PRESENT_SECONDS}
        self._shown = {one: at for one, at in self._shown.items() if now - at < SHOWN_SECONDS}

    def _depart(self, asked: Asked, token: str) -> Flight:
        flight = self._flights[asked] = Flight(token)
        task = asyncio.create_task(self._fly(asked, token, flight), name="forward")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return flight

    async def _fly(self, asked: Asked, token: str, flight: Flight) -> None:
        answer = NO_OWNER
        try:
            answer = await self._ask(asked, token)
        except Exception:
            log.exception("not_forwarded", session=str(asked.session_id), name=asked.name)
        finally:
            del self._flights[asked]
            flight.land(answer)

    async def _ask(self, asked: Asked, token: str) -> Answer:
        session_id = asked.session_id
        headers = [(b"accept-encoding", b"gzip")] if asked.gzip else []
        watching = self._watching(session_id)
        owner, reply = await self._asked.ask(session_id, asked.path(token), asked.query, headers, watching=watching)
        if reply is None or reply.status == passes.MISDIRECTED:
            self._shown.pop(session_id, None)
            if owner is None:
                return answers.NOT_FOUND
            is_shown = reply is None and self.silent is not None and await self.silent(session_id, owner)
            return LOOK_AGAIN if is_shown else NO_OWNER
        answer = _answer(reply)
        self._keep(asked, answer)
        return answer

    def _keep(self, asked: Asked, answer: Answer) -> None:
        now = self._clock()
        if answer.status != 200 or asked.for_nginx:
            return
        if asked.is_playlist:
            self._shown[asked.session_id] = now
            seconds = HELD_PLAYLIST_SECONDS if "_HLS_msn" in asked.query else PLAYLIST_SECONDS
            self._playlists.put(asked, answer, now + seconds)
        elif IMMUTABLE in answer.headers:
            self._media.put(asked, answer, now + MEDIA_SECONDS)


def _answer(reply: Reply) -> Answer:
    headers: tuple[Header, ...] = tuple((name, reply.headers[name]) for name in _PASSED if name in reply.headers)
    return Answer(reply.status, reply.body, reply.headers.get(b"content-type", b"text/plain"), headers)
