"""LL-HLS to viewers: a bare ASGI callable. Everything at the live edge is answered from memory, made once for all.

`/live/{session}/{token}/NAME`, where NAME is index.m3u8, main.m3u8, audio.m3u8, init-N.mp4, seg-MSN.m4s, part-
MSN.N.m4s, or the audio rendition's with `audio-` before. The token is all that differs between viewers; it is checked
without I/O, again after a wait. A finished segment has one address, wherever it lies at the time. A session of another
node is asked for there, unless another node asks here.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from uuid import UUID

import structlog

from domain.playback_token import PlaybackClaim
from domain.refusals import Refusal, RefusalCode
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope, Send
from ingest.hls.bell import Bell
from ingest.hls.blocking import BadDirectives, directives, wanted
from ingest.hls.playlists import Rendition, multivariant_text
from ingest.hls.sources import SegmentReader
from ingest.hls.viewers import Viewers
from ingest.hls.window import WindowSegment
from ingest.live_session import LiveSession
from ingest.nodes.forwarding import Asked, Forwarder, ranged
from ingest.nodes.passes import HEADER as PASSED_ON
from ingest.nodes.passes import MISDIRECTED
from storage.objects.faults import ObjectMissing, ObjectStoreFault

log = structlog.get_logger()

PREFIX = "/live/"
_NAME = re.compile(
    r"(?P<audio>audio-)?"
    r"(?:(?P<kind>init|seg)-(?P<number>\d{1,9})\.(?:mp4|m4s)|part-(?P<msn>\d{1,9})\.(?P<part>\d{1,6})\.m4s)"
)
_NOT_MINE = Answer(MISDIRECTED, b"Another node has this class.\n")
_PLAYLISTS: dict[str, Rendition] = {"main.m3u8": "main", "audio.m3u8": "audio"}
_ALL_PLAYLISTS = {"index.m3u8", *_PLAYLISTS}


Fetch = Callable[[], Awaitable[Answer]]


class Held(NamedTuple):
    """Not there yet: `then`, once `ready`; when that takes too long the answer is `late`."""

    ready: Callable[[], bool]
    then: "Callable[[], Answer | Held | Fetch]"
    late: Answer = answers.TOO_LONG


@dataclass(frozen=True, slots=True)
class Waiting:
    """The same for one viewer, and where to wait."""

    bell: Bell
    ready: Callable[[], bool]
    limit_seconds: float
    then: "Callable[[], Found]"
    late: Answer


@dataclass(frozen=True, slots=True)
class Fetching:
    """To be read, or asked of another node, for the one who has this claim."""

    claim: PlaybackClaim
    fetch: Fetch


Found = Answer | Waiting | Fetching


class Delivery:
    """`find` gives the live session of an id, if it is here; `elsewhere` answers for those of other nodes."""

    def __init__(
        self,
        find: Callable[[UUID], LiveSession | None],
        viewers: Viewers,
        reader: SegmentReader,
        elsewhere: Forwarder | None = None,
    ) -> None:
        self._find = find
        self._viewers = viewers
        self._reader = reader
        self._elsewhere = elsewhere

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
        return Fetching(claim, partial(self._from_elsewhere, session_id, token, name, scope))

    def _found(self, claim: PlaybackClaim, session: LiveSession, scope: Scope, found: Answer | Held | Fetch) -> Found:
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

    async def _from_elsewhere(self, session_id: UUID, token: str, name: str, scope: Scope) -> Answer:
        """The answer of the session's owner."""
        if self._elsewhere is None or (name not in _ALL_PLAYLISTS and _NAME.fullmatch(name) is None):
            return answers.NOT_FOUND
        if name not in _ALL_PLAYLISTS:
            answer = await self._elsewhere.answer(Asked(session_id, name), token)
            return ranged(answer, answers.header(scope, b"range") if scope["method"] == "GET" else None)
        try:
            asked = directives(scope["query_string"])
        except BadDirectives as bad:
            return answers.bad_request(str(bad))
        gzip = b"gzip" in (answers.header(scope, b"accept-encoding") or b"")
        return await self._elsewhere.answer(Asked(session_id, name, asked.query, gzip), token)

    def _resource(self, session: LiveSession, name: str, scope: Scope) -> Answer | Held | Fetch:
        if name.endswith(".m3u8"):
            return self._playlist(session, name, scope)
        match = _NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        audio = match["audio"] is not None
        if match["kind"] == "init":
            return _media(_init(session, int(match["number"]), audio=audio), answers.INIT, scope)
        if match["kind"] == "seg":
            return self._segment(session, int(match["number"]), scope, audio=audio)
        return self._part(session, int(match["msn"]), int(match["part"]), scope, audio=audio)

    def _playlist(self, session: LiveSession, name: str, scope: Scope) -> Answer | Held:
        window = session.window
        if not window.segments:
            again = partial(self._playlist, session, name, scope)
            return Held(lambda: bool(window.segments) or window.left, again)
        if name == "index.m3u8":
            return answers.playlist(multivariant_text(window), gzip=False)
        rendition = _PLAYLISTS.get(name)
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

    def _segment(self, session: LiveSession, msn: int, scope: Scope, *, audio: bool) -> Answer | Fetch:
        segment = session.window.find(msn)
        if segment is None or not segment.closed:
            return answers.NOT_FOUND
        init = session.window.inits.get(segment.init_number)
        if audio and (init is None or not segment.has_audio):
            return answers.NOT_FOUND

        async def fetch() -> Answer:
            body = await (self._reader.audio(segment, init) if audio and init else self._reader.muxed(segment))
            return _media(body, answers.SEGMENT, scope)

        return fetch

    def _part(self, session: LiveSession, msn: int, index: int, scope: Scope, *, audio: bool) -> Answer | Held | Fetch:
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


def _init(session: LiveSession, number: int, *, audio: bool) -> bytes | None:
    init = session.window.inits.get(number)
    if init is None:
        return None
    return init.audio if audio else init.muxed
