"""What a viewer here gets of a session that another node owns: what is kept, a place to wait, or a name for nginx."""

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from domain.playback_token import PlaybackClaim
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope
from ingest.hls.blocking import BadDirectives, directives
from ingest.hls.by_nginx import ByNginx
from ingest.hls.found import Found, Waiting
from ingest.hls.names import NAME, PLAYLISTS, segment_name
from ingest.hls.viewers import Viewers
from ingest.nodes.flights import Asked
from ingest.nodes.forwarding import NO_OWNER, Forwarder
from ingest.nodes.stand_ins import StandIn, StandIns


class Request(NamedTuple):
    """One viewer's; `again` looks at it anew."""

    claim: PlaybackClaim
    token: str
    name: str
    scope: Scope
    again: Callable[[], Found]


class Elsewhere:
    """`by_nginx` where that sends finished segments: then none is fetched before nginx asks."""

    def __init__(
        self, forwarder: Forwarder, stand_ins: StandIns, viewers: Viewers, by_nginx: ByNginx | None = None
    ) -> None:
        self._forwarder = forwarder
        self._stand_ins = stand_ins
        self._viewers = viewers
        self._by_nginx = by_nginx

    def stand_in(self, session_id: UUID) -> StandIn | None:
        """What is shown of a session while its owner does not answer."""
        found = self._stand_ins.find(session_id)
        if found is not None:
            self._forwarder.saw(session_id)
        return found

    def look(self, request: Request) -> Found:
        """The answer, or where to wait for it."""
        session_id, name, scope = request.claim.item_id, request.name, request.scope
        if name in PLAYLISTS:
            try:
                asked = directives(scope["query_string"])
            except BadDirectives as bad:
                return answers.bad_request(str(bad))
            gzip = b"gzip" in (answers.header(scope, b"accept-encoding") or b"")
            return self._flown(request, Asked(session_id, name, asked.query, gzip))
        match = NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        if match["kind"] == "seg" and self._by_nginx is not None:
            return self._by_nginx.named(session_id, segment_name(match))
        return self._flown(request, Asked(session_id, name))

    async def finished(self, session_id: UUID, name: str) -> Answer | None:
        """A finished segment, for nginx; None where it is to be looked for here again."""
        asked = Asked(session_id, name, for_nginx=True)
        found = self._forwarder.look(asked, "")
        if isinstance(found, Answer):
            return _whole(found)
        await found.bell.until(found.landed, self._forwarder.limit_seconds)
        answer = found.answer_for("")
        return None if answer is None else _whole(answer)

    def _flown(self, request: Request, asked: Asked) -> Found:
        found = self._forwarder.look(asked, request.token)
        if isinstance(found, Answer):
            return _ranged(found, request.scope)
        flight = found

        def then() -> Found:
            if self._viewers.is_revoked(request.claim):
                return answers.FORBIDDEN
            answer = flight.answer_for(request.token)
            return request.again() if answer is None else _ranged(answer, request.scope)

        return Waiting(flight.bell, flight.landed, self._forwarder.limit_seconds, then, NO_OWNER)


def _ranged(answer: Answer, scope: Scope) -> Answer:
    """A whole resource cut to the range that one viewer asked for; HEAD tells of the whole (RFC 9110, 14.2)."""
    return _whole(answer, answers.header(scope, b"range") if scope["method"] == "GET" else None)


def _whole(answer: Answer, wanted_range: bytes | None = None) -> Answer:
    if answer.status != 200 or answers.IMMUTABLE not in answer.headers:
        return answer
    return answers.media(answer.body, answer.content_type, wanted_range)
