"""A captured take made of a real clip: reels in the object store and their rows, as ingest leaves them.

The clip is 720p with B-frames and sound, cut into segments of two seconds at its key frames and into reels of four.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import av

from media.counting import count
from media.fragments import fragment, init_segment, track_run
from media.packet import VIDEO_TIMESCALE, Packet, Track, audio_track, video_track
from storage.catalogue import evidence, reels, takes
from storage.catalogue.tables.evidence_reel import EvidenceReel
from storage.catalogue.tables.reel import Reel
from storage.catalogue.tables.take import Take
from storage.catalogue.transaction import Transaction
from storage.objects import keys
from storage.objects.store import ObjectStore
from tests.media.clips import ffmpeg

FRAME_RATE = 25
SEGMENT_SECONDS = 2
SEGMENTS_A_REEL = 2
# Takes begin about half a second into their time line, so that decode times have room to run ahead; at no whole
# millisecond, since encoders' clocks know none.
BASE_TICKS = VIDEO_TIMESCALE // 2 + 13


@dataclass(frozen=True)
class Clip:
    """A clip's tracks and packets, on the time line that a take has."""

    tracks: list[Track]
    packets: list[Packet]

    def segments(self) -> list[list[Packet]]:
        """Cut at every key frame: all packets in file order, each track's own clock deciding."""
        starts = [one.pts / VIDEO_TIMESCALE for one in self.packets if one.track.kind == "video" and one.keyframe]
        bounds = [*starts, float("inf")]
        return [
            [one for one in self.packets if low <= _shown(one) < high]
            for low, high in pairwise([float("-inf"), *bounds[1:]])
        ]


def _shown(packet: Packet) -> float:
    """When a packet counts as shown; in a closed group of pictures all frames come after its key frame."""
    return packet.pts / packet.track.timescale


def clip(path: Path, seconds: int = 8, size: str = "1280x720", rate: str = "2M") -> Clip:
    """Encode and demux one."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=s={size}:r={FRAME_RATE}", "-f", "lavfi", "-i", "sine=r=48000",
        "-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-b:v", rate,
        "-g", str(SEGMENT_SECONDS * FRAME_RATE), "-sc_threshold", "0", "-pix_fmt", "yuv420p",
        "-c:a", "aac", "-b:a", "96k", "-ac", "2", "-video_track_timescale", str(VIDEO_TIMESCALE),
        "-use_editlist", "0", "-f", "mp4", path,
    )  # fmt: skip
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        tracks = [
            video_track("h264", bytes(video.codec_context.extradata or b"")),
            audio_track("aac", bytes(audio.codec_context.extradata or b"")),
        ]
        packets = []
        for one in container.demux(video, audio):
            if one.dts is None or one.pts is None:
                continue
            track = tracks[0] if one.stream is video else tracks[1]
            shift = BASE_TICKS * track.timescale // VIDEO_TIMESCALE
            packets.append(Packet(track, one.dts + shift, one.pts + shift, one.is_keyframe, bytes(one)))
    return Clip(tracks, packets)


async def capture(tx: Transaction, objects: ObjectStore, take: Take, of: Clip) -> list[Reel]:
    """Store the clip as the take's reels."""
    assert take.recording_id is not None
    init = init_segment(of.tracks)
    init_key = keys.source_init(take.recording_id, take.id, 0)
    objects.put_bytes(init_key, init)
    described = [
        {"kind": one.kind, "codec": one.codec_string, "timescale": one.timescale, "width": one.width,
         "height": one.height, "sample_rate": one.sample_rate, "channels": one.channels}
        for one in of.tracks
    ]  # fmt: skip
    sha256 = hashlib.sha256(init).digest()
    row = await takes.put_init(tx, take.id, 0, init_key, sha256, len(init), described)
    segments = of.segments()
    return [
        await _reel(tx, objects, take, row.id, first, segments[first : first + SEGMENTS_A_REEL], of.tracks)
        for first in range(0, len(segments), SEGMENTS_A_REEL)
    ]


async def withhold(tx: Transaction, objects: ObjectStore, take: Take, reel: Reel) -> EvidenceReel:
    """Makes evidence of a stored reel, as if a cut had kept it from the audience."""
    placed = await reels.get(tx, reel.id)
    assert placed is not None
    key = keys.evidence_reel(reel.recording_id, take.id, reel.number)
    init_key = keys.evidence_init(reel.recording_id, take.id, placed.init.number)
    objects.put_bytes(key, objects.read(reel.object_key))
    objects.put_bytes(init_key, objects.read(placed.init.object_key))
    kept = EvidenceReel(
        recording_id=reel.recording_id, take_id=take.id, init_key=init_key, object_key=key, bytes=reel.bytes,
        sha256=reel.sha256, duration_ms=reel.duration_ms, starts_at=reel.starts_at,
        segments=[{**one, "msn": -1} for one in reel.segments], tracks=reel.tracks, stored_at=reel.stored_at,
    )  # fmt: skip
    assert await evidence.store(tx, kept)
    await tx.session.delete(reel)
    return kept


async def _reel(
    tx: Transaction, objects: ObjectStore, take: Take, init_id: UUID, first_msn: int,
    segments: list[list[Packet]], tracks: list[Track],
) -> Reel:  # fmt: skip
    assert take.recording_id is not None
    media, rows = b"", []
    for number, packets in enumerate(segments):
        runs = []
        for track_id, track in enumerate(tracks, start=1):
            own = [one for one in packets if one.track is track]
            runs.append(track_run(track_id, own, own[-1].dts + (own[-1].dts - own[-2].dts)))
        header, payloads = fragment(first_msn + number + 1, runs)
        piece = header + b"".join(payloads)
        rows.append(
            {"msn": first_msn + number, "offset": len(media), "bytes": len(piece), "independent": True,
             "duration_ms": SEGMENT_SECONDS * 1000,
             "starts_at_ms": (first_msn + number) * SEGMENT_SECONDS * 1000}
        )  # fmt: skip
        media += piece
    number = first_msn // SEGMENTS_A_REEL + 1
    key = keys.source_reel(take.recording_id, take.id, number)
    objects.put_bytes(key, media)
    starts_at = take.started_at + timedelta(seconds=first_msn * SEGMENT_SECONDS)
    return await reels.store(
        tx,
        reels.NewReel(
            recording_id=take.recording_id, take_id=take.id, init_id=init_id, object_key=key, bytes=len(media),
            sha256=hashlib.sha256(media).digest(), duration_ms=len(rows) * SEGMENT_SECONDS * 1000,
            starts_at=starts_at, first_msn=first_msn, segments=rows, discontinuity=first_msn == 0,
            stored_at=starts_at, verified_at=starts_at,
            tracks=[one.as_row() for one in count(init_segment(tracks), [media])],
        ),
    )  # fmt: skip
