"""A replay's playlists (RFC 8216bis) from its index: pure text, no store is asked.

Addresses are relative, so that the token in the path reaches every segment, and the same for as long as the recording
stands. The source is an EVENT, which grows to its end under whoever watches it; the ladder, made when all is there, a
VOD.
"""

import math
from collections.abc import Iterable, Mapping
from datetime import timedelta

from api.replay import sound
from api.replay.index import SOURCE, ReelFile, ReplayIndex
from media.playlist import MediaPlaylist, SegmentLines, Variant, multivariant

LOWEST_TARGET_SECONDS = 10
"""More than ingest's longest segment, unless that is set otherwise: the target may not change while the source grows
(§6.2.1), and is the same in every rendition (§6.2.4).
"""


def master(index: ReplayIndex, codecs: Mapping[str, str]) -> str:
    """The multivariant playlist, highest rendition first, the sound alone last; `codecs` by init key, as their segments
    say.
    """
    listed = ((name, index.renditions[name]) for name in index.listed)
    variants = [_variant(name, files, [codecs[key] for key in index.inits(name)]) for name, files in listed if files]
    variants.sort(key=lambda one: (one.height, one.bandwidth), reverse=True)
    if sound.offered(index):
        heard = _joined(codecs[key].rpartition(",")[2] for key in index.inits(SOURCE))
        variants.append(Variant(f"{sound.NAME}.m3u8", sound.PEAK_BITS, None, heard))
    return multivariant(variants, independent=False)


def media(index: ReplayIndex, rendition: str) -> str:
    """The media playlist of one rendition. The sound's follows its source, segment by segment."""
    source = SOURCE if rendition == sound.NAME else rendition
    segments: list[SegmentLines] = []
    init_key = ""
    for reel in index.renditions[source]:
        starts_at = reel.starts_at
        for number, one in enumerate(reel.segments):
            first_of_all, new_init = not segments, reel.init_key != init_key
            fresh = number == 0 and not first_of_all and (reel.discontinuity or new_init)
            segments.append(
                SegmentLines(
                    msn=len(segments),
                    uri=f"{rendition}/{reel.number}-{number}.m4s",
                    duration_seconds=one["duration_ms"] / 1000,
                    program_date_time=starts_at if number == 0 else None,
                    discontinuity=fresh,
                    map_uri=f"{rendition}/init-{reel.number}.mp4" if new_init else None,
                )
            )
            init_key = reel.init_key
            starts_at += timedelta(milliseconds=one["duration_ms"])
    return MediaPlaylist(
        target_duration_seconds=_target_seconds(index),
        segments=segments,
        playlist_type="EVENT" if source == SOURCE else "VOD",
        endlist=index.whole,
    ).render()


def _target_seconds(index: ReplayIndex) -> int:
    found = (one["duration_ms"] for files in index.renditions.values() for reel in files for one in reel.segments)
    return max(LOWEST_TARGET_SECONDS, math.ceil(max(found, default=0) / 1000))


def _variant(name: str, files: list[ReelFile], codecs: list[str]) -> Variant:
    segments = [one for reel in files for one in reel.segments if one["duration_ms"] > 0]
    peak = max((one["bytes"] * 8000 // one["duration_ms"] for one in segments), default=1)
    total_ms = sum(one["duration_ms"] for one in segments)
    average = sum(one["bytes"] for one in segments) * 8000 // total_ms if total_ms else None
    return Variant(
        uri=f"{name}.m3u8",
        bandwidth=max(1, peak),
        average_bandwidth=average,
        codecs=_joined(one for text in codecs for one in text.split(",")),
        width=files[0].width,
        height=files[0].height,
        frame_rate=max((one.frame_rate for one in files if one.frame_rate), default=None),
    )


def _joined(codecs: Iterable[str]) -> str:
    """Each once, in order."""
    return ",".join(dict.fromkeys(codecs))
