"""LL-HLS to viewers: a bare ASGI callable. Everything at the live edge is answered from memory, made once for all.

`/live/{session}/{token}/NAME`, where NAME is index.m3u8, main.m3u8, audio.m3u8, init-N.mp4, seg-MSN.m4s, part-
MSN.N.m4s, or the audio rendition's with `audio-` before. The token is all that differs between viewers; it is checked
without I/O, again after a wait. A finished segment has one address, wherever it lies at the time. A session of another
node is asked for there, unless another node asks here.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog

from domain.playback_token import PlaybackClaim
from domain.refusals import Refusal, RefusalCode
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope, Send
from ingest.hls.blocking import BadDirectives, directives, wanted
from ingest.hls.by_nginx import ByNginx
from ingest.hls.found import Fetch, Fetching, Found, Waiting
from ingest.hls.names import AUDIO, INDEX, MAIN, NAME, segment_name
from ingest.hls.playlists import Rendition, multivariant_text
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.hls.window import WindowSegment
from ingest.live_session import LiveSession
from ingest.nodes.elsewhere import Elsewhere, Request
from ingest.nodes.passes import HEADER as PASSED_ON
from ingest.nodes.passes import MISDIRECTED
from ingest.nodes.stand_ins import StandIn
from storage.objects.faults import ObjectMissing, ObjectStoreFault

log = structlog.get_logger()

_NOT_MINE = Answer(MISDIRECTED, b"Another node has this class.\n")
_RENDITIONS: dict[str, Rendition] = {MAIN: "main", AUDIO: "audio"}
_WHOLE: Scope = {"method": "HEAD", "headers": ()}
"""Of a request without a range."""
Shown = LiveSession | StandIn


class Held(NamedTuple):
    """Not there yet: `then`, once `ready`; when that takes too long the answer is `late`."""

    ready: Callable[[], bool]
    then: "Callable[[], Answer | Held | Fetch]"
    late: Answer = answers.TOO_LONG


class Delivery:
    """`find` gives the live session of an id, if it is here; `elsewhere` answers for those of other nodes; `by_nginx`
    where that sends finished segments.
    """

    def __init__(
        self,
        find: Callable[[UUID], LiveSession | None],
        viewers: Viewers,
        reader: SegmentReader,
        elsewhere: Elsewhere | None = None,
        by_nginx: ByNginx | None = None,
    ) -> None:
        self._find = find
        self._viewers = viewers
        self._reader = reader
        self._elsewhere = elsewhere
        self._by_nginx = by_nginx

    async def __call__(self, scope: Scope, send: Send) -> None:
        """Answers one request; the body of a request is never read."""
        method = scope["method"]
        if method == "OPTIONS":
            answer = answers.PREFLIGHT
        elif method not in ("GET", "HEAD"):
            answer = answers.NOT_ALLOWED
        else:
            answer = await self.answer(scope)
        await answers.send(answer, send, head=method == "HEAD")

    async def answer(self, scope: Scope) -> Answer:
        """The answer to a GET, or to a HEAD as if it were one, however long it has to be waited for."""
        found = self.look(scope)
        while isinstance(found, Waiting):
            found = found.then() if await found.bell.until(found.ready, found.limit_seconds) else found.late
        return found if isinstance(found, Answer) else await self.fetched(found)

    def look(self, scope: Scope) -> Found:
        """The answer where it is known now, or how to get it."""
        pieces = scope["path"].split("/")
        if len(pieces) != 5:
            return answers.NOT_FOUND
        _, _, session_text, token, name = pieces
        try:
            session_id = UUID(session_text)
            claim = self._viewers.admit(token, session_id)
        except ValueError:
            return answers.NOT_FOUND
        except Refusal as refusal:
            return answers.GONE_TOKEN if refusal.code is RefusalCode.token_expired else answers.FORBIDDEN
        if self._viewers.is_revoked(claim):
            return answers.FORBIDDEN
        session = self._find(session_id)
        passed_on = answers.header(scope, PASSED_ON)
        if name.endswith(".m3u8"):
            if passed_on is None:
                self._viewers.saw(claim)
            else:
                self._viewers.told(session_id, scope["path"], passed_on)
        if session is not None and not session.window.left:
            return self._found(claim, session, scope, self._resource(session, name, scope))
        if passed_on is not None:
            return _NOT_MINE
        if self._elsewhere is None:
            return answers.NOT_FOUND
        stand_in = self._elsewhere.stand_in(session_id)
        if stand_in is not None:
            return self._found(claim, stand_in, scope, self._resource(stand_in, name, scope))
        return self._elsewhere.look(Request(claim, token, name, scope, partial(self.look, scope)))

    def _found(self, claim: PlaybackClaim, session: Shown, scope: Scope, found: Answer | Held | Fetch) -> Found:
        """For the one who has this claim, who is looked at again after a wait."""
        if isinstance(found, Answer):
            return found
        if not isinstance(found, Held):
            return Fetching(claim, found)

        def then() -> Found:
            if self._viewers.is_revoked(claim):
                return answers.FORBIDDEN
            return self.look(scope) if session.window.left else self._found(claim, session, scope, found.then())

        limit = 3.0 * session.settings.segment_max_seconds
        return Waiting(session.bell, found.ready, limit, then, found.late)

    async def fetched(self, fetching: "Fetching") -> Answer:
        """What had to be read, or asked of another node."""
        try:
            answer = await fetching.fetch()
        except ObjectMissing:
            answer = answers.NOT_FOUND
        except ObjectStoreFault as fault:
            log.warning("segment_unreadable", error=str(fault))
            answer = answers.STORE_AWAY
        return answers.FORBIDDEN if self._viewers.is_revoked(fetching.claim) else answer

    async def finished(self, session_id: UUID, name: str, *, passed_on: bool) -> Answer:
        """A finished segment, whole, for whoever may ask for any. Raises ObjectMissing, ObjectStoreFault."""
        match = NAME.fullmatch(name)
        if match is None or match["kind"] != "seg":
            return answers.NOT_FOUND
        session: Shown | None = self._find(session_id)
        if session is None or session.window.left:
            if passed_on or self._elsewhere is None:
                return _NOT_MINE
            session = self._elsewhere.stand_in(session_id)
            if session is None:
                answer = await self._elsewhere.finished(session_id, segment_name(match))
                return await self.finished(session_id, name, passed_on=False) if answer is None else answer
        found = self._segment(session, match, _WHOLE)
        return found if isinstance(found, Answer) else await found()

    def _resource(self, session: Shown, name: str, scope: Scope) -> Answer | Held | Fetch:
        if name.endswith(".m3u8"):
            return self._playlist(session, name, scope)
        match = NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        audio = match["audio"] is not None
        if match["kind"] == "init":
            return _media(_init(session, int(match["number"]), audio=audio), answers.INIT, scope)
        if match["kind"] == "seg":
            found = self._segment(session, match, scope)
            return found if isinstance(found, Answer) else self._named(session, match, scope) or found
        return self._part(session, int(match["msn"]), int(match["part"]), scope, audio=audio)

    def _playlist(self, session: Shown, name: str, scope: Scope) -> Answer | Held:
        window = session.window
        if not window.segments:
            again = partial(self._playlist, session, name, scope)
            return Held(lambda: bool(window.segments) or window.left, again)
        if name == INDEX:
            return answers.playlist(multivariant_text(window), gzip=False)
        rendition = _RENDITIONS.get(name)
        if rendition is None or (rendition == "audio" and not window.has_audio):
            return answers.NOT_FOUND
        try:
            asked = directives(scope["query_string"])
            waited_for = wanted(window, asked)
        except BadDirectives as bad:
            return answers.bad_request(str(bad))

        def text() -> Answer:
            gzip = b"gzip" in (answers.header(scope, b"accept-encoding") or b"")
            return answers.playlist(session.playlists[rendition].text(skip=asked.skip, gzip=gzip), gzip=gzip)

        if waited_for is None or window.is_still or window.has_reached(*waited_for):
            return text()
        return Held(lambda: window.is_still or window.has_reached(*waited_for), text)

    def _named(self, session: Shown, match: re.Match[str], scope: Scope) -> Answer | None:
        """A segment for nginx to send: one that is older than the live edge, and not for another node."""
        segment = session.window.find(int(match["number"]))
        if self._by_nginx is None or answers.header(scope, PASSED_ON) is not None:
            return None
        if segment is None or segment.in_memory:
            return None
        return self._by_nginx.named(session.facts.session_id, segment_name(match))

    def _segment(self, session: Shown, match: re.Match[str], scope: Scope) -> Answer | Fetch:
        segment, audio = session.window.find(int(match["number"])), match["audio"] is not None
        if segment is None or not segment.closed:
            return answers.NOT_FOUND
        init = session.window.inits.get(segment.init_number)
        if audio and (init is None or not segment.has_audio):
            return answers.NOT_FOUND

        async def fetch() -> Answer:
            body = await (self._reader.audio(segment, init) if audio and init else self._reader.muxed(segment))
            return _media(body, answers.SEGMENT, scope)

        return fetch

    def _part(self, session: Shown, msn: int, index: int, scope: Scope, *, audio: bool) -> Answer | Held | Fetch:
        """A part from memory; the next one, which the playlist hints at, as soon as it is there."""
        window = session.window

        def now() -> Answer | Fetch:
            segment = window.find(msn)
            if segment is None or index >= len(segment.parts):
                return answers.NOT_FOUND
            part = segment.parts[index]
            if part.muxed is not None:
                return _media(part.audio if audio else part.muxed, answers.SEGMENT, scope)
            return answers.NOT_FOUND if audio else partial(self._late_part, segment, index, scope)

        if window.next_part != (msn, index) or window.is_still:
            return now()
        return Held(lambda: window.is_still or window.next_part != (msn, index), now, answers.NOT_FOUND)

    async def _late_part(self, segment: WindowSegment, index: int, scope: Scope) -> Answer:
        """A part for a reader whose playlist is some segments old."""
        offset = sum(part.length for part in segment.parts[:index])
        whole = await self._reader.muxed(segment)
        body = None if whole is None else whole[offset : offset + segment.parts[index].length]
        return _media(body, answers.SEGMENT, scope)


def _media(body: bytes | None, content_type: bytes, scope: Scope) -> Answer:
    if body is None:
        return answers.NOT_FOUND
    # Range counts for GET alone (RFC 9110, 14.2): HEAD tells of the whole.
    return answers.media(body, content_type, answers.header(scope, b"range") if scope["method"] == "GET" else None)


def _init(session: Shown, number: int, *, audio: bool) -> bytes | None:
    init = session.window.inits.get(number)
    if init is None:
        return None
    return init.audio if audio else init.muxed
