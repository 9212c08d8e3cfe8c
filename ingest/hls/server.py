"""LL-HLS to viewers: a bare ASGI callable. Everything at the live edge is answered from memory, made once for all.

`/live/{session}/{token}/NAME`, where NAME is index.m3u8, main.m3u8, audio.m3u8, init-N.mp4, seg-MSN.m4s, part-
MSN.N.m4s, or the audio rendition's with `audio-` before. The token is all that differs between viewers; it is checked
without I/O, again after a wait. A finished segment has one address, wherever it lies at the time. A session of another
node is asked for there, unless another node asks here.
"""

import re
from collections.abc import Callable
from uuid import UUID

import structlog

from domain.refusals import Refusal, RefusalCode
from ingest.hls import answers
from ingest.hls.answers import Answer, Scope, Send
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
            try:
                answer = await self._answer(scope)
            except ObjectMissing:
                answer = answers.NOT_FOUND
            except ObjectStoreFault as fault:
                log.warning("segment_unreadable", error=str(fault))
                answer = answers.STORE_AWAY
        await answers.send(answer, send, head=method == "HEAD")

    async def _answer(self, scope: Scope) -> Answer:
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
        session = self._find(session_id)
        if self._viewers.is_revoked(claim):
            return answers.FORBIDDEN
        passed_on = answers.header(scope, PASSED_ON)
        if name.endswith(".m3u8"):
            if passed_on is None:
                self._viewers.saw(claim)
            else:
                self._viewers.told(session_id, scope["path"], passed_on)
        answer = await self._resource(session, name, scope) if session is not None else _NOT_MINE
        if session is None or session.window.left:
            answer = _NOT_MINE if passed_on is not None else await self._from_elsewhere(session_id, token, name, scope)
        return answers.FORBIDDEN if self._viewers.is_revoked(claim) else answer

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

    async def _resource(self, session: LiveSession, name: str, scope: Scope) -> Answer:
        if name.endswith(".m3u8"):
            return await self._playlist(session, name, scope)
        match = _NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        audio = match["audio"] is not None
        if match["kind"] == "init":
            body, kind = _init(session, int(match["number"]), audio=audio), answers.INIT
        elif match["kind"] == "seg":
            body, kind = await self._segment(session, int(match["number"]), audio=audio), answers.SEGMENT
        else:
            body, kind = await self._part(session, int(match["msn"]), int(match["part"]), audio=audio), answers.SEGMENT
        if body is None:
            return answers.NOT_FOUND
        # Range counts for GET alone (RFC 9110, 14.2): HEAD tells of the whole.
        return answers.media(body, kind, answers.header(scope, b"range") if scope["method"] == "GET" else None)

    async def _playlist(self, session: LiveSession, name: str, scope: Scope) -> Answer:
        window, limit = session.window, 3.0 * session.settings.segment_max_seconds
        if not await session.bell.until(lambda: bool(window.segments) or window.left, limit):
            return answers.TOO_LONG
        if window.left:
            return _NOT_MINE
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
        if waited_for is not None:
            msn, part = waited_for
            if not await session.bell.until(lambda: window.is_still or window.has_reached(msn, part), limit):
                return answers.TOO_LONG
        gzip = b"gzip" in (answers.header(scope, b"accept-encoding") or b"")
        return answers.playlist(session.playlists[rendition].text(skip=asked.skip, gzip=gzip), gzip=gzip)

    async def _segment(self, session: LiveSession, msn: int, *, audio: bool) -> bytes | None:
        segment = session.window.find(msn)
        if segment is None or not segment.closed:
            return None
        if not audio:
            return await self._reader.muxed(segment)
        init = session.window.inits.get(segment.init_number)
        return await self._reader.audio(segment, init) if init and segment.has_audio else None

    async def _part(self, session: LiveSession, msn: int, index: int, *, audio: bool) -> bytes | None:
        """A part from memory; the next one, which the playlist hints at, as soon as it is there."""
        window = session.window
        if window.next_part == (msn, index):
            limit = 3.0 * session.settings.segment_max_seconds
            await session.bell.until(lambda: window.is_still or window.next_part != (msn, index), limit)
        segment = window.find(msn)
        if segment is None or index >= len(segment.parts):
            return None
        part = segment.parts[index]
        if part.muxed is not None:
            return part.audio if audio else part.muxed
        return None if audio else await self._late_part(segment, index)

    async def _late_part(self, segment: WindowSegment, index: int) -> bytes | None:
        """A part for a reader whose playlist is some segments old."""
        offset = sum(part.length for part in segment.parts[:index])
        whole = await self._reader.muxed(segment)
        return None if whole is None else whole[offset : offset + segment.parts[index].length]


def _init(session: LiveSession, number: int, *, audio: bool) -> bytes | None:
    init = session.window.inits.get(number)
    if init is None:
        return None
    return init.audio if audio else init.muxed
