"""What a session has by a name: playlists and parts from memory, or when they are there; segments, wherever they lie.

Who asks is no matter here.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol
from uuid import UUID

from ingest.hls import answers
from ingest.hls.answers import Answer, Scope
from ingest.hls.bell import Bell
from ingest.hls.blocking import BadDirectives, directives, wanted
from ingest.hls.by_nginx import ByNginx
from ingest.hls.found import Fetch, Filed, Held, There
from ingest.hls.names import AUDIO, INDEX, MAIN, NAME
from ingest.hls.playlists import LivePlaylist, Rendition, multivariant_text
from ingest.hls.sources import SegmentReader, SpoolSource
from ingest.hls.window import LiveWindow, WindowSegment
from ingest.nodes.passes import HEADER as PASSED_ON
from ingest.settings import IngestSettings

_RENDITIONS: dict[str, Rendition] = {MAIN: "main", AUDIO: "audio"}


class Facts(Protocol):
    """What is known of a session beforehand."""

    @property
    def session_id(self) -> UUID: ...


class Shown(Protocol):
    """What is asked of a session, whoever owns it, or of a preview."""

    @property
    def facts(self) -> Facts: ...
    @property
    def settings(self) -> IngestSettings: ...
    @property
    def window(self) -> LiveWindow: ...
    @property
    def playlists(self) -> Mapping[Rendition, LivePlaylist]: ...
    @property
    def bell(self) -> Bell: ...


class Contents:
    """Of all sessions; `by_nginx` where that sends finished segments."""

    def __init__(self, reader: SegmentReader, by_nginx: ByNginx | None = None) -> None:
        self._reader = reader
        self._by_nginx = by_nginx

    def find(self, session: Shown, name: str, scope: Scope) -> There:
        """What the session has by this name."""
        if name.endswith(".m3u8"):
            return self._playlist(session, name, scope)
        match = NAME.fullmatch(name)
        if match is None:
            return answers.NOT_FOUND
        audio = match["audio"] is not None
        if match["kind"] == "init":
            return _media(_init(session, int(match["number"]), audio=audio), answers.INIT, scope)
        if match["kind"] == "seg":
            found = self.segment(session, match, scope)
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
            gzip = answers.takes_gzip(scope["headers"])
            shown = session.playlists[rendition].text(skip=asked.skip, gzip=gzip)
            return answers.playlist(shown, gzip=gzip, blocking=waited_for is not None)

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
        return self._by_nginx.named(session.facts.session_id, match.string)

    def segment(self, session: Shown, match: re.Match[str], scope: Scope) -> Answer | Filed | Fetch:
        """A finished segment, wherever it lies."""
        segment, audio = session.window.find(int(match["number"])), match["audio"] is not None
        if segment is None or not segment.closed:
            return answers.NOT_FOUND
        init = session.window.inits.get(segment.init_number)
        if audio and (init is None or not segment.has_audio):
            return answers.NOT_FOUND

        async def fetch() -> Answer:
            body = await (self._reader.audio(segment, init) if audio and init else self._reader.muxed(segment))
            return _media(body, answers.SEGMENT, scope)

        source = segment.source
        if audio or segment.in_memory or not isinstance(source, SpoolSource):
            return fetch
        return _filed(source, scope, fetch)

    def _part(self, session: Shown, msn: int, index: int, scope: Scope, *, audio: bool) -> There:
        """A part from memory; the next one, which the playlist hints at, as soon as it is there."""
        window = session.window

        def now() -> Answer | Filed | Fetch:
            segment = window.find(msn)
            if segment is None or index >= len(segment.parts):
                return answers.NOT_FOUND
            part = segment.parts[index]
            if part.muxed is not None:
                return _media(part.audio if audio else part.muxed, answers.SEGMENT, scope)
            if audio:
                return self._late_sound(window, segment, index, scope)
            return self._late_part(segment, index, scope)

        if window.next_part != (msn, index) or window.is_still:
            return now()
        return Held(lambda: window.is_still or window.next_part != (msn, index), now, answers.NOT_FOUND)

    def _late_part(self, segment: WindowSegment, index: int, scope: Scope) -> Filed | Fetch:
        """A part for a reader whose playlist is some segments old."""
        offset = sum(part.length for part in segment.parts[:index])
        length = segment.parts[index].length

        async def fetch() -> Answer:
            whole = await self._reader.muxed(segment)
            body = None if whole is None else whole[offset : offset + length]
            return _media(body, answers.SEGMENT, scope)

        source = segment.source
        if not isinstance(source, SpoolSource):
            return fetch
        return _filed(replace(source, offset=source.offset + offset, length=length), scope, fetch)

    def _late_sound(self, window: LiveWindow, segment: WindowSegment, index: int, scope: Scope) -> Answer | Fetch:
        """The same of the audio rendition, which has to be made again."""
        init = window.inits.get(segment.init_number)
        offset = sum(part.audio_length for part in segment.parts[:index])
        length = segment.parts[index].audio_length
        if init is None or not length:
            return answers.NOT_FOUND

        async def fetch() -> Answer:
            whole = await self._reader.audio(segment, init)
            return _media(None if whole is None else whole[offset : offset + length], answers.SEGMENT, scope)

        return fetch


def _media(body: bytes | None, content_type: bytes, scope: Scope) -> Answer:
    if body is None:
        return answers.NOT_FOUND
    # Range counts for GET alone (RFC 9110, 14.2): HEAD tells of the whole.
    return answers.media(body, content_type, answers.header(scope, b"range") if scope["method"] == "GET" else None)


def _filed(source: SpoolSource, scope: Scope, fetch: Fetch) -> Filed | Fetch:
    shown = answers.stretch(source.length, answers.header(scope, b"range") if scope["method"] == "GET" else None)
    length = shown.end - shown.first
    if not length:
        return fetch
    head = answers.head_of(shown.status, answers.SEGMENT, shown.headers, length)
    return Filed(head, replace(source, offset=source.offset + shown.first, length=length), fetch)


def _init(session: Shown, number: int, *, audio: bool) -> bytes | None:
    init = session.window.inits.get(number)
    if init is None:
        return None
    return init.audio if audio else init.muxed
