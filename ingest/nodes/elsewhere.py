"""What a viewer here gets of a session that another node owns: what is kept, a place to wait, or a name for nginx."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from domain.playback_token import PlaybackClaim
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope
from ingest.hls.blocking import BadDirectives, directives
from ingest.hls.by_nginx import ByNginx
from ingest.hls.familiar import Known
from ingest.hls.found import Found, Waiting
from ingest.hls.names import INDEX, NAME, PLAYLISTS
from ingest.hls.shared import Same
from ingest.hls.viewers import Viewers
from ingest.nodes.flights import Asked, Flight
from ingest.nodes.forwarding import NO_OWNER, Forwarder
from ingest.nodes.stand_ins import StandIn, StandIns

REMEMBERED = 4096


class Request(NamedTuple):
    """One viewer's; what of it others ask for alike; `again` looks at it anew."""

    claim: PlaybackClaim
    token: str
    name: str
    scope: Scope
    same: Same | None
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
        self._questions: dict[tuple[UUID, Same], Asked] = {}

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
                query = _query(scope["query_string"])
            except BadDirectives as bad:
                return answers.bad_request(str(bad))
            gzip = answers.takes_gzip(scope["headers"])
            self._forwarder.saw(session_id)
            return self._flown(request, Asked(session_id, name, query, gzip))
        match = NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        if match["kind"] == "seg" and self._by_nginx is not None:
            return self._named(self._by_nginx, request, name)
        return self._flown(request, Asked(session_id, name))

    async def finished(self, session_id: UUID, name: str) -> Answer | None:
        """A finished segment, for nginx; None where it is to be looked for here again."""
        asked = Asked(session_id, name, for_nginx=True)
        found = self._forwarder.look(asked, "")
        if isinstance(found, Answer):
            return found
        await found.bell.until(found.landed, self._forwarder.limit_seconds)
        return found.answer_for("")

    def known(self, asked: Known, again: Callable[[], Found]) -> Answer | Waiting | None:
        """The answer to a request that was read before, where others have asked for the same; None: `look`."""
        claim, name, fields = asked
        question = self._questions.get((claim.item_id, Same(name, fields.gzip)))
        if question is None or self._stand_ins.find(claim.item_id) is not None:
            return None
        if question.for_nginx:
            is_shown = self._by_nginx is not None and self._forwarder.is_shown(claim.item_id)
            return self._by_nginx.named(claim.item_id, question.name) if self._by_nginx and is_shown else None
        found = self._forwarder.known(question)
        if found is not None and question.is_playlist:
            self._viewers.saw(claim)
            self._forwarder.saw(claim.item_id)
        return self._waiting(claim, found, "", again) if isinstance(found, Flight) else found

    def _named(self, by_nginx: ByNginx, request: Request, name: str) -> Found:
        """A segment, of a session that somebody shows: nginx may have kept it for longer than there is a recording."""
        claim, token = request.claim, request.token
        session_id = claim.item_id
        found = None if self._forwarder.is_shown(session_id) else self._forwarder.look(Asked(session_id, INDEX), token)
        if not isinstance(found, Flight):
            self._remember(request, Asked(session_id, name, for_nginx=True))
            return by_nginx.named(session_id, name)

        def then() -> Found:
            answer = found.answer_for(token)
            if self._viewers.is_revoked(claim):
                return answers.FORBIDDEN
            if answer is None:
                return request.again()
            return by_nginx.named(session_id, name) if answer.status == 200 else answer

        return Waiting(found.bell, found.landed, self._forwarder.limit_seconds, then, NO_OWNER)

    def _flown(self, request: Request, asked: Asked) -> Found:
        self._remember(request, asked)
        found = self._forwarder.look(asked, request.token)
        if isinstance(found, Answer):
            return _ranged(found, request.scope)
        return self._waiting(request.claim, found, request.token, request.again, request.scope)

    def _remember(self, request: Request, asked: Asked) -> None:
        if request.same is not None:
            if len(self._questions) >= REMEMBERED:
                self._questions.clear()
            self._questions[asked.session_id, request.same] = asked

    def _waiting(
        self, claim: PlaybackClaim, flight: Flight, token: str, again: Callable[[], Found], scope: Scope | None = None
    ) -> Waiting:
        """Of a viewer whose token is not known here, an answer that is one viewer's alone is another's."""

        def then() -> Found:
            if self._viewers.is_revoked(claim):
                return answers.FORBIDDEN
            answer = flight.answer_for(token)
            if answer is None:
                return again()
            return answer if scope is None else _ranged(answer, scope)

        return Waiting(flight.bell, flight.landed, self._forwarder.limit_seconds, then, NO_OWNER)


@lru_cache(maxsize=4096)  # all who watch ask for the same
def _query(query: bytes) -> str:
    """The delivery directives alone, written alike. Raises BadDirectives."""
    return directives(query).query


def _ranged(answer: Answer, scope: Scope) -> Answer:
    """A whole resource cut to the range that one viewer asked for; HEAD tells of the whole (RFC 9110, 14.2)."""
    wanted_range = answers.header(scope, b"range") if scope["method"] == "GET" else None
    if wanted_range is None or answer.status != 200 or answers.IMMUTABLE not in answer.headers:
        return answer
    return answers.media(answer.body, answer.content_type, wanted_range)
