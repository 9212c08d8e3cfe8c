"""From ffmpeg's output and the source reel to a rendition's reel: our muxer, the source's times, the source's sound.

Each segment of the source becomes one segment of the rendition with the same frames' times. Decode times run ahead of
presentation by what B-frames need, as the encoder gave them: takes begin late enough on their time line that none is
negative, so no edit list is needed. Where one would be, the whole reel's decode times move up, and offsets are signed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from media.fragments import fragment, init_segment, packets, track_run
from media.packet import VIDEO_TIMESCALE, Packet, Track, video_track


class FramesDiffer(Exception):  # noqa: N818 - named for what was found
    """The encoded reel does not hold the very frames that the source does."""


@dataclass(frozen=True)
class SourceReel:
    """A reel as captured: its tracks, its packets and its segments (`media_first`, `offset`, `bytes`, … of the row)."""

    init: bytes
    media: bytes
    segments: Sequence[dict[str, Any]]

    def segment_packets(self) -> list[list[Packet]]:
        """The packets of each segment, in file order."""
        view = memoryview(self.media)
        return [packets(self.init, view[one["offset"] : one["offset"] + one["bytes"]]) for one in self.segments]


@dataclass(frozen=True)
class RenditionReel:
    """A rendition's init segment, its media and where each segment lies in it."""

    init: bytes
    media: bytes
    segments: list[dict[str, Any]]
    bit_rate: int


def keyframes_seconds(segments: Sequence[Sequence[Packet]]) -> list[float]:
    """The presentation time of each segment's first frame, for segments that have a picture."""
    firsts = (min((one.pts for one in part if one.track.kind == "video"), default=None) for part in segments)
    return [first / VIDEO_TIMESCALE for first in firsts if first is not None]


def mux(source: SourceReel, encoded: Path) -> RenditionReel:
    """The rendition that `encoded` (mp4, video alone, times as in the source) makes of `source`.

    Raises FramesDiffer when a frame is missing, new or at another time.
    """
    parts = source.segment_packets()
    track, frames = _read(encoded)
    _compare(frames, [one for part in parts for one in part if one.track.kind == "video"])
    audio = next((one.track for part in parts for one in part if one.track.kind == "audio"), None)
    tracks = [track] if audio is None else [track, audio]
    return _write(source, parts, frames, tracks)


def _read(encoded: Path) -> tuple[Track, list[Packet]]:
    with av.open(str(encoded)) as container:
        if not container.streams.video:
            raise FramesDiffer("no frame of it could be decoded")
        stream = container.streams.video[0]
        track = video_track("h264", bytes(stream.codec_context.extradata or b""))
        if stream.time_base is None or stream.time_base.denominator != VIDEO_TIMESCALE:
            raise FramesDiffer(f"times are in {stream.time_base}, not in 1/{VIDEO_TIMESCALE}")
        found = [
            Packet(track, one.dts, one.pts, one.is_keyframe, bytes(one))
            for one in container.demux(stream)
            if one.dts is not None and one.pts is not None
        ]
    below_zero = max(0, -min((one.dts for one in found), default=0))
    for one in found:
        one.dts += below_zero
    return track, found


def _compare(frames: Sequence[Packet], source: Sequence[Packet]) -> None:
    made, wanted = sorted(one.pts for one in frames), sorted(one.pts for one in source)
    if made != wanted:
        missing, added = len(set(wanted) - set(made)), len(set(made) - set(wanted))
        raise FramesDiffer(f"{len(made)} frames for {len(wanted)}: {missing} missing, {added} at other times")


def _write(
    source: SourceReel, parts: list[list[Packet]], frames: list[Packet], tracks: Sequence[Track]
) -> RenditionReel:
    pieces: list[bytes | memoryview] = []
    segments: list[dict[str, Any]] = []
    offset = 0
    shares = _shares(parts, frames)
    for number, (row, part, share) in enumerate(zip(source.segments, parts, shares, strict=True), start=1):
        end = shares[number][0].dts if number < len(shares) and shares[number] else None
        runs = []
        if share:
            runs.append(track_run(1, share, end if end is not None else _end(share)))
        sound = [one for one in part if one.track.kind == "audio"]
        if sound:
            runs.append(track_run(len(tracks), sound, _end(sound)))
        header, payloads = fragment(row["msn"] + 1, runs)
        size = len(header) + sum(len(one) for one in payloads)
        pieces += [header, *payloads]
        segments.append({**row, "offset": offset, "bytes": size})
        offset += size
    media = b"".join(pieces)
    milliseconds = sum(one["duration_ms"] for one in segments)
    return RenditionReel(init_segment(tracks), media, segments, bit_rate=len(media) * 8000 // max(1, milliseconds))


def _shares(parts: list[list[Packet]], frames: list[Packet]) -> list[list[Packet]]:
    """The encoded frames of each source segment: a key frame was forced at each start, so decode order splits there."""
    counts = [sum(one.track.kind == "video" for one in part) for part in parts]
    ends = [0]
    for count in counts:
        ends.append(ends[-1] + count)
    return [frames[first:last] for first, last in pairwise(ends)]


def _end(run: Sequence[Packet]) -> int:
    """When a run's last sample ends, were it as long as the one before it."""
    length = run[-1].dts - run[-2].dts if len(run) > 1 else run[-1].track.timescale // 25
    return run[-1].dts + length
