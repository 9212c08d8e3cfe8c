"""A live session's playlists as bytes, made once per version however many ask, from texts kept per segment. Pure.

RFC 8216bis: parts are listed of the newest segments only (§4.4.4.9), older segments' texts never change, a delta update
(§6.2.5.1) leaves out what is older than the skip boundary. URIs are relative, so one text serves every viewer's token.
"""

from typing import Literal

from ingest.events import CLOCK, FIRST_HOLDING_INIT
from ingest.hls.growing_gzip import GrowingGzip, gzipped
from ingest.hls.window import LiveWindow, WindowSegment
from media.playlist import (
    AudioRendition,
    MediaPlaylist,
    PartLine,
    RenditionReport,
    SegmentLines,
    ServerControl,
    Variant,
    multivariant,
    older_than,
    segment_text,
)

Rendition = Literal["main", "audio"]
PREFIX: dict[Rendition, str] = {"main": "", "audio": "audio-"}
PLAYLIST: dict[Rendition, str] = {"main": "main.m3u8", "audio": "audio.m3u8"}


class LivePlaylist:
    """One rendition's playlist of a live window."""

    def __init__(self, window: LiveWindow, rendition: Rendition, target_duration_seconds: int) -> None:
        self._window = window
        self._rendition: Rendition = rendition
        self._prefix = PREFIX[rendition]
        self._target = target_duration_seconds
        self._settled: list[bytes] = []  # texts without parts of all segments but the newest
        self._durations: list[float] = []  # of all closed segments
        self._recent: dict[int, bytes] = {}  # texts with parts, by msn
        self._gzip = GrowingGzip()
        self._gzip_header = ""
        self._gzip_count = 0
        self._cache: dict[tuple[bool, bool], bytes] = {}
        self._cached_version = -1

    def text(self, *, skip: bool = False, gzip: bool = False) -> bytes:
        """The playlist at the window's version; with `skip`, the delta update, if anything may be left out."""
        if self._cached_version != self._window.version:
            self._cache.clear()
            self._cached_version = self._window.version
            self._settle()
        key = (skip, gzip)
        text = self._cache.get(key)
        if text is None:
            text = self._cache[key] = self._render(skip, gzip)
        return text

    def _settle(self) -> None:
        """Brings the kept texts up to the window's closed segments."""
        window, closed = self._window, self._window.closed_count
        for segment in window.segments[len(self._durations) : closed]:
            self._durations.append(segment.duration / CLOCK)
            if segment.in_memory:
                self._recent[segment.msn] = self._segment(segment, with_parts=True)
        for segment in window.segments[len(self._settled) : closed]:
            if segment.in_memory:
                break
            self._settled.append(self._segment(segment, with_parts=False))
            self._recent.pop(segment.msn, None)

    def _render(self, skip: bool, gzip: bool) -> bytes:
        settled = len(self._settled)
        playlist = self._frame()
        skipped = 0
        if skip and not playlist.endlist and playlist.server_control and playlist.server_control.can_skip_until_seconds:
            ahead = sum(part.duration for part in playlist_parts(self._window)) / CLOCK
            skipped = older_than(self._durations, playlist.server_control.can_skip_until_seconds, ahead)
        header = playlist.header(skipped).encode()
        recent = [self._recent[msn] for msn in range(settled, self._window.closed_count)]
        tail = b"".join((*recent, playlist.footer(self._last_map()).encode()))
        if skipped:
            text = b"".join((header, *self._settled[skipped:], tail))
            return gzipped(text) if gzip else text
        if not gzip:
            return b"".join((header, *self._settled, tail))
        if header.decode() != self._gzip_header:
            self._gzip, self._gzip_header, self._gzip_count = GrowingGzip(), header.decode(), 0
            self._gzip.append(header)
        for text in self._settled[self._gzip_count :]:
            self._gzip.append(text)
        self._gzip_count = settled
        return self._gzip.finish(tail)

    def _frame(self) -> MediaPlaylist:
        """All but the closed segments."""
        window = self._window
        part_target = window.part_target_seconds
        open_segment = window.open_segment
        msn, index = window.next_part
        return MediaPlaylist(
            target_duration_seconds=self._target,
            part_target_seconds=part_target,
            open_segment=self._lines(open_segment, with_parts=True) if open_segment and open_segment.parts else None,
            preload_hint=None if window.ended or window.frozen or not window.hints else self._part_uri(msn, index),
            rendition_reports=() if window.ended or window.frozen else self._reports(),
            server_control=ServerControl(
                can_block_reload=not window.frozen,
                can_skip_until_seconds=6.0 * self._target,
                hold_back_seconds=3.0 * self._target,
                part_hold_back_seconds=3.0 * part_target,
            ),
            endlist=window.ended,
        )

    def _reports(self) -> tuple[RenditionReport, ...]:
        window = self._window
        if not window.has_audio or not window.segments:
            return ()
        other: Rendition = "audio" if self._rendition == "main" else "main"
        last = next((one for one in reversed(window.segments) if one.closed or one.parts), None)
        if last is None:
            return ()
        return (RenditionReport(PLAYLIST[other], last.msn, len(last.parts) - 1 if last.in_memory else None),)

    def _segment(self, segment: WindowSegment, *, with_parts: bool) -> bytes:
        previous = self._window.find(segment.msn - 1)
        with_map = previous is None or previous.init_number != segment.init_number
        return segment_text(self._lines(segment, with_parts=with_parts), with_parts, with_map).encode()

    def _lines(self, segment: WindowSegment, *, with_parts: bool) -> SegmentLines:
        return SegmentLines(
            msn=segment.msn,
            uri=f"{self._prefix}seg-{segment.msn}.m4s",
            duration_seconds=segment.duration / CLOCK,
            program_date_time=self._window.date_of(segment),
            parts=[self._part(segment, index) for index in range(len(segment.parts))] if with_parts else (),
            discontinuity=segment.discontinuity and segment.msn > 0,
            map_uri=self._map_uri(segment),
            gap=self._is_gap(segment),
        )

    def _part(self, segment: WindowSegment, index: int) -> PartLine:
        part = segment.parts[index]
        gap = self._rendition == "audio" and part.audio is None
        independent = part.independent or self._rendition == "audio"
        return PartLine(self._part_uri(segment.msn, index), part.duration / CLOCK, independent, gap)

    def _part_uri(self, msn: int, index: int) -> str:
        return f"{self._prefix}part-{msn}.{index}.m4s"

    def _is_gap(self, segment: WindowSegment) -> bool:
        if self._rendition == "audio" and not segment.has_audio:
            return True
        return not segment.in_memory and segment.source is None

    def _map_uri(self, segment: WindowSegment) -> str | None:
        """None for the sound of a segment that has none: there is nothing to fetch."""
        init = self._window.inits.get(segment.init_number)
        if self._rendition == "audio" and init is not None and init.audio is None:
            return None
        return f"{self._prefix}init-{segment.init_number}.mp4"

    def _last_map(self) -> str | None:
        closed = self._window.closed_count
        return self._map_uri(self._window.segments[closed - 1]) if closed else None


def playlist_parts(window: LiveWindow) -> list[WindowSegment]:
    """What lies behind the last closed segment: the open one."""
    return [window.open_segment] if window.open_segment else []


def multivariant_text(window: LiveWindow) -> bytes:
    """The multivariant playlist: the source as it comes, and its audio alone for the narrowest lines. The holding
    picture is not told of: what plays the class plays it too.
    """
    init = window.newest_init or window.inits[max(window.inits)]
    video = next((track for track in init.tracks if track.kind == "video"), None)
    main, alone = window.measured["main"], window.measured["audio"]
    heard = _codecs(window, "audio")
    variants = [
        Variant(
            uri=PLAYLIST["main"],
            bandwidth=main.peak or _FIRST_GUESS,
            average_bandwidth=main.average,
            codecs=",".join(_codecs(window, "video") + heard),
            width=video.width if video else 0,
            height=video.height if video else 0,
            frame_rate=main.frame_rate if video else None,
        )
    ]
    if video and window.has_audio:
        variants.append(Variant(PLAYLIST["audio"], alone.peak or _FIRST_GUESS_AUDIO, alone.average, ",".join(heard)))
    return multivariant(variants, list[AudioRendition]()).encode()


_FIRST_GUESS, _FIRST_GUESS_AUDIO = 4_000_000, 192_000
"""Bits a second, before a segment is there to be measured."""


def _codecs(window: LiveWindow, kind: str) -> list[str]:
    """The formats of a kind in all that can be sought to (§6.2.4), newest first.

    A family that another has replaced (H.265 by H.264, since some could not play it) is left out: whoever cannot play
    it would not even try what is live.
    """
    numbers = sorted((one for one in window.inits if one < FIRST_HOLDING_INIT), reverse=True) or window.inits
    tracks = [one for number in numbers for one in window.inits[number].tracks]
    of_kind = [track for track in tracks if track.kind == kind]
    return list(dict.fromkeys(track.codec_string for track in of_kind if track.codec == of_kind[0].codec))
