"""The sound of muxed media by itself: what a listener on the narrowest line is sent. Pure."""

from collections.abc import Sequence

from media.fragments import TrackRun, fragment, init_segment, read_fragments
from media.packet import Track


def has_sound_beside_pictures(kinds: Sequence[str]) -> bool:
    """Whether there is something to leave out; `kinds` are the tracks', in order."""
    return {"video", "audio"} <= set(kinds)


def sound_init(tracks: Sequence[Track]) -> bytes:
    """The init segment of the sound alone, as track 1."""
    return init_segment([track for track in tracks if track.kind == "audio"])


def sound_of(tracks: Sequence[Track], muxed: bytes) -> bytes:
    """The sound of whole muxed fragments, as track 1: the same samples at the same times. Raises MalformedMedia."""
    if len(tracks) == 1:
        return muxed
    out: list[bytes | memoryview] = []
    for read in read_fragments(muxed, tracks):
        for run in read.runs:
            if tracks[run.track_id - 1].kind == "audio":
                head, payloads = fragment(read.sequence_number, [TrackRun(1, run.base_decode_time, run.samples)])
                out += [head, *payloads]
    return b"".join(out)
