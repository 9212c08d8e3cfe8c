"""An init segment in the catalogue: what its row says of its tracks, and the init made again from that alone. Pure.

A node that goes on with a class needs its inits before the first new part is shown; were they in the store alone, a
store that is away would keep the class from going on.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, get_args

from media.fragments import init_segment
from media.malformed import MalformedMedia
from media.packet import AudioCodec, Track, VideoCodec, audio_track, video_track

_VIDEO: dict[str, VideoCodec] = {codec: codec for codec in get_args(VideoCodec)}
_AUDIO: dict[str, AudioCodec] = {codec: codec for codec in get_args(AudioCodec)}


def track_row(track: Track) -> dict[str, Any]:
    """JSON of a track; `config` is its configuration in hexadecimal, by which it could be decoded."""
    row: dict[str, Any] = {
        "kind": track.kind,
        "format": track.codec,
        "codec": track.codec_string,
        "timescale": track.timescale,
        "config": track.config.hex(),
    }
    if track.kind == "video":
        return row | {"width": track.width, "height": track.height}
    return row | {"sample_rate": track.sample_rate, "channels": track.channels}


def made_again(rows: Sequence[dict[str, Any]], sha256: bytes) -> bytes | None:
    """The init with this hash, from the rows of its tracks in their order; None where they do not give it."""
    try:
        muxed = init_segment([_track(row) for row in rows])
    except (KeyError, ValueError, MalformedMedia):
        return None
    return muxed if hashlib.sha256(muxed).digest() == sha256 else None


def _track(row: dict[str, Any]) -> Track:
    config = bytes.fromhex(row["config"])
    if row["kind"] == "video":
        return video_track(_VIDEO[row["format"]], config, row["timescale"])
    return audio_track(_AUDIO[row["format"]], config)
